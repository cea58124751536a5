import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import SecurityModule

/// The books of a simulated station, kept from outside: from what the cards truly did, what the pulser truly turned and what
/// the journal truly holds. The first thing that is not as it must be ends the simulation.
///
/// Invariants:
/// 1. A card's balance changes by a debit that it executes and by nothing else; no GMAC that it hears is wrong.
/// 2. A lock is paid once, with the amount that its record then has on disk.
/// 3. A record that says paid has a debit of that amount that its card executed, and a debit has one such record, or one
///    that is still open for it.
/// 4. Every GMAC on disk is the session's for exactly the amount that it stands beside.
/// 5. A card that this station locked has its open grey record whenever the station is at rest.
/// 6. Counts of a record = counts of the meter; sum of the sales = totaliser's difference = counts over factor.
/// 7. A power cut costs at most one checkpoint: 0.5 L and what comes when the valves have closed, however slow the disk is.
/// 8. Valves are open only with the nozzle lifted and no emergency, and not after the card left; for a record that is on
///    disk as locked, of a card that is, or as paid, of a card that has.
/// 9. No key stands in any byte written.
/// 10. A sale in which nothing goes wrong is paid at once, and a visit in which nothing does releases its card.
/// 11. What ``RecordBooks`` says of volume, price, refunds and notices.
/// 12. A second start writes nothing.
final class StationLedger {
    private struct DebitKey: Hashable {
        let card: ApplicationSerialNumber
        let ttc: TTC
    }

    private struct Debit {
        let amount: Amount
        /// What it paid; nil for a purchase.
        let lock: TTC?
        /// What the card answered.
        let tac: [UInt8]
        var isRecorded = false
        /// The station heard something else.
        var isAnswerCorrupted = false
        /// The card was elsewhere before it could prove this debit: its proof may be replaced.
        var proofMayBeGone = false
    }

    private static let checkpointMax = Volume(centilitres: 50)

    private(set) var violation: String?
    let oracle = SessionOracle()
    private let terminal = Demonstration.terminal
    private let cards: [SimulatedCard]
    private let overrunCounts: Int
    private let module: SecurityModule
    private var debits: [DebitKey: Debit] = [:]
    /// Locks that their cards executed; the value says whether they paid.
    private var locks: [TTC: Bool] = [:]
    private var releasedElsewhere: Set<TTC> = []
    /// Purchases that their cards cannot prove or deny any more, because they were elsewhere since or were misheard: the
    /// issuer's books decide them.
    private var undecidable: Set<TTC> = []
    private var isVisitMisheard = false
    private var begunInVisit: TTC?
    /// The sale of this station by which the card of the visit was locked when it came.
    private var lockAtVisit: TTC?
    private var openRecords: Set<TTC> = []
    private var openGreyRecords: Set<TTC> = []
    /// The sale whose intent was written last.
    private(set) var running: TTC?
    private var books: RecordBooks
    private var metered: [TTC: Int] = [:]
    private var countsInRecords = 0
    /// When the service began to serve, whose meter began at zero.
    private var countsInRecordsAtStart = 0
    private var meteringSince: Int?
    /// Up to what true counts a lost edge can show: one of a sale's last shows in the next.
    private var disturbedUntil = 0

    init(cards: [SimulatedCard], module: SecurityModule, _ calibration: Calibration, _ layout: StationLayout) {
        overrunCounts = layout.overrunCounts
        self.cards = cards
        self.module = module
        books = RecordBooks(calibration: calibration)
    }

    func fail(_ reason: String) { violation = violation ?? reason }

    private func card(_ asn: ApplicationSerialNumber) -> SimulatedCard? { cards.first { $0.asn == asn } }

    // MARK: - Cards

    /// A card executed, or refused, a command of this station.
    func exchanged(
        _ card: SimulatedCard,
        _ command: Span<UInt8>,
        _ answer: ResponseAPDU,
        before: CardImage,
        _ store: MemoryJournal
    ) {
        let after = card.image
        guard after.gmacTriesLeft >= before.gmacTriesLeft else { return fail("a card heard a wrong GMAC") }
        let taken = Int(before.balance.fen) - Int(after.balance.fen)
        do throws(ParseError) {
            let command = try CommandAPDU(parsing: command)
            guard answer.status == .success else {
                return taken == 0 ? () : fail("a card paid in a command that it refused")
            }
            switch command.header {
            case Instruction.initializeForPetrol.header:
                let response = try InitializeForPetrol.Response(parsing: answer.data)
                let ttc = try InitializeForPetrol(parsing: command.data).ttc
                oracle.begin(card.asn, icc: response.icc, ctc: response.ctc, ttc: ttc)
            case Instruction.lockForPetrol.header:
                if let grey = after.grey { locks[grey.ttc] = false }
            case Instruction.debitForPetrol.header:
                let debit = try DebitForPetrol(parsing: command.data)
                guard let lock = before.grey?.ttc, before.grey?.terminal == terminal else {
                    return fail("a card paid a lock that is not this station's")
                }
                locks[lock] = true
                guard store.records[lock]?.amount == debit.amount else {
                    return fail("the debit of sale \(lock.number) is not what its record says")
                }
                let tac = try DebitForPetrol.Response(parsing: answer.data).debitTAC.bytes
                return note(card, debit.ttc, Debit(amount: debit.amount, lock: lock, tac: tac), taken)
            case Instruction.debitForPurchase.header:
                let ttc = try DebitForPurchase(parsing: command.data).ttc
                let tac = try DebitForPurchase.Response(parsing: answer.data).tac.bytes
                return note(card, ttc, Debit(amount: Amount(fen: UInt32(taken)), lock: nil, tac: tac), taken)
            case _: break
            }
        } catch {
            return fail("the station sent what is no command: \(error)")
        }
        if taken != 0 { fail("a card's balance changed without a debit") }
    }

    private func note(_ card: SimulatedCard, _ ttc: TTC, _ debit: Debit, _ taken: Int) {
        let key = DebitKey(card: card.asn, ttc: ttc)
        guard taken == Int(debit.amount.fen) else { return fail("a card paid another amount than it was debited") }
        guard debits[key] == nil else { return fail("transaction \(ttc.number) was paid twice") }
        debits[key] = debit
    }

    func visitBegins(_ card: SimulatedCard) {
        isVisitMisheard = false
        begunInVisit = nil
        lockAtVisit = card.image.grey.flatMap { $0.terminal == terminal ? $0.ttc : nil }
    }

    /// A visit to the pump ends in which nothing went wrong.
    func smoothVisitEnds(_ card: SimulatedCard, _ store: MemoryJournal) {
        if let lockAtVisit, card.image.grey?.ttc == lockAtVisit {
            fail("nothing went wrong, and card \(card.number) is still locked by sale \(lockAtVisit.number)")
        }
        guard let begunInVisit, store.records[begunInVisit]?.phase != .settled else { return }
        fail("nothing went wrong in sale \(begunInVisit.number), and it is not paid")
    }

    /// The station heard another answer than the card gave.
    func misheard(_ card: SimulatedCard) {
        isVisitMisheard = true
        if let running, openRecords.contains(running) { undecidable.insert(running) }
        for (key, debit) in debits where key.card == card.asn && !debit.isRecorded {
            debits[key]?.isAnswerCorrupted = true
        }
    }

    /// A card was somewhere else.
    func wasElsewhere(_ card: SimulatedCard, before: CardImage, _ store: MemoryJournal) {
        for ttc in openRecords where store.records[ttc]?.card == card.asn { undecidable.insert(ttc) }
        for (key, debit) in debits where key.card == card.asn && !debit.isRecorded {
            debits[key]?.proofMayBeGone = true
        }
        if let grey = before.grey, grey.terminal == terminal, card.image.grey == nil {
            releasedElsewhere.insert(grey.ttc)
        }
    }

    // MARK: - Journal

    /// `entry` is about to be on disk.
    func commits(_ entry: JournalEntry, _ store: MemoryJournal, _ meter: MeterSnapshot) {
        var flowed = (volume: Volume.zero, fen: 0)
        for record in entry.records {
            let old = store.records[record.ttc]
            if old == nil { books.begin(record, entry, store, fail) }
            check(record, old)
            if record.phase == .intent {
                running = record.ttc
                begunInVisit = record.ttc
                if isVisitMisheard { undecidable.insert(record.ttc) }
            }
            if record.phase.isOpen { openRecords.insert(record.ttc) } else { openRecords.remove(record.ttc) }
            countsInRecords += record.reading.totalCounts - (old?.reading.totalCounts ?? 0)
            if record.kind == .noCard {
                let before = (volume: old?.reading.volume ?? .zero, fen: old.map { Int($0.price.fen) } ?? 0)
                flowed.volume = flowed.volume + record.reading.volume - before.volume
                flowed.fen += Int(record.price.fen) - before.fen
                books.check(record, entry, fail)
            }
            guard let old, old.phase.isBeforeEnd, !record.phase.isBeforeEnd else { continue }
            let counts = metered[record.ttc] ?? (meteringSince == nil ? 0 : meter.totalCounts)
            if record.reading.totalCounts != counts {
                fail("sale \(record.ttc.number) has other counts than the meter's \(counts)")
            }
            flowed = (flowed.volume + record.reading.volume, flowed.fen + Int(record.price.fen))
            books.check(record, entry, fail)
        }
        if let grey = entry.grey {
            check(grey)
            books.check(grey, entry, fail)
        }
        guard let next = entry.totaliser else {
            return flowed.volume == .zero ? () : fail("fuel flowed that no totaliser counts")
        }
        let last = store.totalisers[next.nozzle]
        let isRight =
            next.volume - (last?.volume ?? .zero) == flowed.volume && next.fen - (last.map(\.fen) ?? 0) == flowed.fen
        if !isRight { fail("the totaliser's difference is not the sale") }
    }

    private func check(_ record: SaleRecord, _ old: SaleRecord?) {
        checkGMAC(record.gmac, record.ttc, record.card, record.amount)
        checkKeys(record.writtenBytes, record.ttc, record.card)
        if let old, old.card != record.card || old.lockTime != record.lockTime {
            return fail("transaction \(record.ttc.number) has two records")
        }
        guard record.isPayment else {
            if old?.isPayment == true { fail("record \(record.ttc.number) is no longer paid") }
            return
        }
        if let old, old.isPayment { return old == record ? () : fail("paid record \(record.ttc.number) changed") }
        guard let attempt = record.debit else { return fail("record \(record.ttc.number) is paid without a debit") }
        let key = DebitKey(card: record.card, ttc: attempt.ttc)
        guard let debit = debits[key], debit.amount == record.amount, !debit.isRecorded else {
            return fail("record \(record.ttc.number) says paid, and its card did not pay that")
        }
        if !debit.isAnswerCorrupted, record.answerIsAuthentic == false || record.debitTAC != debit.tac {
            return fail("record \(record.ttc.number) has another answer than its card gave")
        }
        debits[key]?.isRecorded = true
    }

    private func check(_ grey: GreyRecord) {
        checkGMAC(grey.gmac, grey.ttc, grey.card, grey.amount)
        checkKeys(grey.gmac.sealed + grey.mac3, grey.ttc, grey.card)
        openGreyRecords.remove(grey.ttc)
        let isLocked = locks[grey.ttc] != nil
        let isPaid = locks[grey.ttc] == true
        switch grey.state {
        case .open: openGreyRecords.insert(grey.ttc)
        case .settled: if !isPaid { fail("grey record \(grey.ttc.number) counts as paid, and is not") }
        case .void: if isLocked { fail("grey record \(grey.ttc.number) counts as void, and its card was locked") }
        case .elsewhere:
            let isGone = debits.contains { $0.value.lock == grey.ttc && $0.value.proofMayBeGone }
            if isLocked, !isGone, !releasedElsewhere.contains(grey.ttc) {
                fail("grey record \(grey.ttc.number) is given up, and its card was not released elsewhere")
            }
        }
    }

    private func checkKeys(_ bytes: [UInt8], _ ttc: TTC, _ card: ApplicationSerialNumber) {
        if oracle.isKeyMaterial(in: bytes, ttc: ttc, card: card) {
            fail("a key stands in what sale \(ttc.number) wrote")
        }
    }

    private func checkGMAC(
        _ gmac: SealedGMAC?,
        _ ttc: TTC,
        _ card: ApplicationSerialNumber,
        _ amount: Amount
    ) {
        guard let gmac else { return }
        guard gmac.amount == amount, let right = oracle.gmac(of: ttc, card: card, amount: amount) else {
            return fail("the GMAC of sale \(ttc.number) stands beside another amount, or has no session")
        }
        do throws(SecurityModuleError) {
            if try !module.open(gmac).isValid(right) {
                fail("the GMAC of sale \(ttc.number) is not that of its amount")
            }
        } catch {
            fail("the GMAC of sale \(ttc.number): \(error)")
        }
    }

    func checkpoints(_ checkpoint: Checkpoint, _ store: MemoryJournal) {
        guard let record = store.records[checkpoint.ttc] else { return fail("a checkpoint has no sale") }
        checkGMAC(checkpoint.gmac, checkpoint.ttc, record.card, checkpoint.amount)
        checkKeys(checkpoint.gmac.sealed, checkpoint.ttc, record.card)
        if record.phase != .locked { fail("a checkpoint belongs to a sale in phase \(record.phase.rawValue)") }
    }

    // MARK: - Pump

    func performs(_ command: PumpCommand, trueCounts: Int, _ meter: MeterSnapshot) {
        switch command {
        case .beginSale:
            meteringSince = trueCounts
        case .endSale:
            guard let since = meteringSince, let running else { return }
            metered[running] = meter.totalCounts
            meteringSince = nil
            if since >= disturbedUntil, trueCounts - since != meter.totalCounts { fail("the meter lost counts") }
        case .open, .retarget, .close: break
        }
    }

    /// What flows when the pump no longer answers is not the sale's.
    func pumpFails(_ meter: MeterSnapshot) {
        if meteringSince != nil, let running { metered[running] = meter.totalCounts }
        meteringSince = nil
    }

    func disturbs(trueCounts: Int) { disturbedUntil = trueCounts + 8 }

    /// Called whenever anything happened.
    func observe(_ store: MemoryJournal, isOpen: Bool, mayBeOpen: Bool) {
        guard isOpen else { return }
        if !mayBeOpen { fail("a valve is open with the nozzle hung up, or in an emergency") }
        guard let running, let record = store.records[running] else { return fail("a valve is open without a sale") }
        switch record.phase {
        case .locked:
            let grey = card(record.card)?.image.grey
            if grey?.ttc != running || grey?.terminal != terminal { fail("a valve is open and no card is locked") }
        case .paid:
            if debits[DebitKey(card: record.card, ttc: running)] == nil { fail("a valve is open and nothing is paid") }
        case .intent, .flowing, .torn, .ended, .debitSent, .settled, .escaped, .void:
            fail("a valve is open in phase \(record.phase.rawValue)")
        }
    }

    /// The position waits for what comes next, and knows that the card is gone.
    func waits(_ store: MemoryJournal, isOpen: Bool, isCardGone: Bool) {
        guard isOpen, isCardGone, let running, store.records[running]?.phase == .locked else { return }
        fail("a valve is open and the card was taken out")
    }

    func serviceBegins(_ calibration: Calibration) {
        books.calibration = calibration
        countsInRecordsAtStart = countsInRecords
    }

    /// The mains are cut, or the service ended, at whatever instant. Of what the meter counted since the service began, all but
    /// a checkpoint's worth is in a record, or in a checkpoint of the sale that goes on.
    ///
    /// - Returns: the counts that no checkpoint has.
    @discardableResult
    func serviceEnds(_ store: MemoryJournal, _ meter: MeterSnapshot, _ calibration: Calibration) -> Int {
        meteringSince = nil
        var kept = countsInRecords - countsInRecordsAtStart
        if let running, let record = store.records[running], record.phase.isBeforeEnd {
            let checkpoint = store.checkpoints[running]?.reading ?? record.reading
            metered[running] = checkpoint.totalCounts
            kept += checkpoint.totalCounts - record.reading.totalCounts
        }
        let lost = meter.allCounts.reduce(0, +) - kept
        let most = calibration.counts(for: Self.checkpointMax, at: meter.point)
        if lost < 0 { fail("the records have more than the meter counted") }
        if lost > most + overrunCounts {
            fail("the power cut cost \(lost) counts, more than one checkpoint (\(most))")
        }
        return lost
    }

    // MARK: - Rest

    /// No sale is running.
    func rests(_ store: MemoryJournal, _ meter: MeterSnapshot) {
        if !meter.outputs.isEmpty { fail("a valve is open at rest") }
        for ttc in openRecords {
            guard let record = store.records[ttc] else { continue }
            let mayWait =
                record.settles != nil || record.phase == .flowing || (record.kind == .prepaid && record.phase == .torn)
            if !mayWait { fail("sale \(ttc.number) is in phase \(record.phase.rawValue) at rest") }
        }
        for card in cards {
            guard let grey = card.image.grey, grey.terminal == terminal else { continue }
            let record = store.greyRecords[grey.ttc]
            if record?.state != .open || record?.mac3 != grey.mac3 || record?.card != card.asn {
                fail("card \(card.number) is locked by sale \(grey.ttc.number), of which no grey record is open")
            }
        }
        for (key, debit) in debits where !debit.isRecorded {
            let waits = debit.lock.map { openGreyRecords.contains($0) } ?? openRecords.contains(key.ttc)
            if !waits && !debit.proofMayBeGone {
                fail("transaction \(key.ttc.number) is paid, and no record waits for it")
            }
        }
    }

    /// Every card has been here again, and nothing went wrong any more.
    func ends(_ store: MemoryJournal) {
        if store.records.keys.max().map({ Int($0.number) }) ?? 0 != store.records.count {
            fail("a number has no record")
        }
        for card in cards where card.image.grey != nil { fail("card \(card.number) is still locked") }
        for (key, debit) in debits where !debit.isRecorded && !debit.proofMayBeGone {
            fail("transaction \(key.ttc.number) is paid, and its record does not know")
        }
        for ttc in openGreyRecords { fail("grey record \(ttc.number) is still open") }
        for ttc in openRecords where store.records[ttc]?.kind != .prepaid || !undecidable.contains(ttc) {
            fail("sale \(ttc.number) is still open")
        }
        let fen = store.records.values.reduce(0) { $0 + ($1.settles == nil ? Int($1.price.fen) : 0) }
        let volume = store.records.values.reduce(Volume.zero) { $0 + $1.reading.volume }
        for total in store.totalisers.values where total.fen != fen || total.volume != volume {
            fail("the records do not add up to the totaliser")
        }
    }
}
