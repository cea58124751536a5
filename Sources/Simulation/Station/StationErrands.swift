import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// What the customer of a visit, a technician or the world does.

extension SimulatedStation {
    func begin(_ visit: CustomerVisit, at side: StationSide) {
        let card = cards[visit.card]
        switch visit.errand {
        case .refuel(let counts): side.refuel(counts: counts)
        case .shop(let amount):
            goElsewhere(card) { (card, time) in try foreign.shop(card, amount, time) }
        case .otherStation(let amount, let escapes):
            goElsewhere(card) { (card, time) in
                try foreign.refuel(card, amount, escapes: escapes, time)
            }
        case .counter: goToCounter(card)
        case .reconfigure(let payment, let factors):
            var next = settings
            next.payment = payment
            next.calibration = calibration(factors)
            nextSettings = next
            seals(next.calibration.points, of: sides)
        case .technician:
            for side in sides where side.rightsChannels() { nextSettings = settings }
            for side in sides where side.site.isLying { nextSettings = settings }
            ledger.positionsAreOpened()
            site.clockErrorSeconds = 0
            journal.isRepaired(now: site.now)
        case .night(let hours): site.passStill(seconds: hours * 3_600)
        case .clockJump(let seconds):
            tape.met(.clockJump)
            site.clockErrorSeconds += seconds
        case .zoneChange(let seconds):
            tape.met(.zoneChange)
            site.localOffsetSeconds = seconds
        case .leak(let counts): side.site.leak(counts: counts)
        case .askAhead: askAhead(card)
        case .giveKeptCommands(let ahead): giveKeptCommands(card, debitAhead: ahead)
        case .collectCode: collectCode(card)
        case .guess(let code, let tries, let write): guess(code, card, tries: tries, cutAtWrite: write)
        case .settleElsewhere: settleElsewhere(card)
        case .carriedRecord(let amount):
            goElsewhere(card) { (card, time) in try foreign.refuel(card, amount, escapes: true, time) }
            carryRecord(of: card)
        case .copyJournal: journal.isCopied()
        case .putJournalBack:
            putsJournalBack = true
            nextSettings = settings
        case .test(let counts):
            test = TechnicianTest(counts: counts, wearMillionths: nil)
            nextSettings = settings
        case .calibrate(let counts, let wear):
            test = TechnicianTest(counts: counts, wearMillionths: wear)
            nextSettings = settings
        case .rotTotals:
            tape.met(.totalsRotten)
            journal.rots()
            ledger.totalsMayDiffer = true
            nextSettings = settings
        case .renumber(let number):
            tape.met(.terminalRenumbered)
            nextModule = Self.module(Self.terminals[number], random)
            nextSettings = settings
        }
    }

    private func goToCounter(_ card: SimulatedCard) {
        goElsewhere(card) { (card, time) in
            let owed = card.image.grey.flatMap { ledger.grey(of: $0.ttc, journal.store)?.amount }
            // Whose sale goes on here has nothing to be released from yet.
            if let grey = card.image.grey, isRunning(grey.ttc) { throw StatusWord.conditionsOfUseNotSatisfied }
            try foreign.serveAtCounter(card, owed: owed, time)
        }
    }

    /// Another terminal refuels under the number that comes next here.
    private func collectCode(_ card: SimulatedCard) {
        let number = module.ttc(for: RecordNumber(journal.store.lastNumber.value + 1))
        let amount = prepaidAmount ?? Amount(fen: 785)
        goElsewhere(card) { (card, time) in
            try foreign.refuel(card, amount, escapes: false, time, ttc: number)
        }
    }

    /// Another terminal has this journal's grey record of the card.
    private func settleElsewhere(_ card: SimulatedCard) {
        goElsewhere(card) { (card, time) in
            guard let grey = card.image.grey, let record = ledger.grey(of: grey.ttc, journal.store),
                record.card.identity == card.asn.identity, record.mac3 == grey.mac3
            else { return }
            try foreign.settle(card, record.gmac, time)
        }
    }

    /// What does not come about there is no fault here: the customer is sent away.
    private func goElsewhere(_ card: SimulatedCard, _ errand: (SimulatedCard, TransactionTime) throws -> Void) {
        guard let time = site.localTime else { return }
        let before = card.image
        tape.met(.visitedElsewhere)
        do {
            try errand(card, time)
        } catch let status as StatusWord {
            tape.note { "sent away: \(status)" }
        } catch {
            ledger.fail("another terminal: \(error)")
        }
        card.losePower()
        ledger.wasElsewhere(card, before: before, journal.store)
    }

    /// The other station's grey record of the card enters this journal, under a number of its own.
    private func carryRecord(of card: SimulatedCard) {
        guard let grey = card.image.grey, let escape = foreign.escape(of: card) else { return }
        do throws(StorageFault) {
            let number = try journal.edge.reserve()
            ledger.carries(escape, as: number)
            let record = GreyRecord(
                number,
                mac3: grey.mac3,
                gmac: escape.due,
                balance: card.image.balance,
                imported: site.localTime ?? .unknown
            )
            try journal.edge.commit(JournalEntry(grey: record))
        } catch {
            tape.note { "the grey record does not come: \(error)" }
        }
    }

    private func isRunning(_ ttc: TTC) -> Bool {
        ledger.record(of: ttc, journal.store).map { $0.isBeforeEnd && $0.phase == .locked } ?? false
    }
}
