import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule
import Words

/// A whole station on one thread and a virtual clock: cards, reader, security module, journal, pump, mains and customers. The
/// position is the production code; only its edges are replaced.
///
/// After a power cut, and after a rule was broken, every edge is dead: the position unwinds as it would for any failed edge,
/// and nothing that it still tries has an effect.
final class SimulatedStation {
    /// What one run of the service is for.
    enum Mode {
        /// To finish what was open; it ends at once.
        case recovering
        /// To see that a second start finds nothing left to do.
        case verifying
        case serving
    }

    /// How often each kind of instant has come in a visit.
    struct Reached {
        var exchanges = 0
        var writes = 0
        var commands = 0
        var counts = 0
        var instructions: [Instruction: Int] = [:]
        /// Calls of any edge.
        var calls = 0
    }

    static let calibration = calibration([1_000_000])

    /// The cards are valid then in every time zone.
    private static let firstDay: CalendarDate = {
        do throws(ParseError) { return try CalendarDate(year: 2025, month: 3, day: 1) } catch {
            preconditionFailure("a day that every calendar has")
        }
    }()

    /// The station's, and what somebody changes it to.
    static let terminals = [Demonstration.terminal, TerminalID(0x0011_2233_4499)]

    private static func module(_ terminal: TerminalID, _ random: SeededRandom) -> SecurityModule {
        var masterKeys = MasterKeys()
        masterKeys.load(
            Demonstration.MasterKey.purchase.raw,
            as: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        )
        return SecurityModule(terminal: terminal, masterKeys: masterKeys, random: random)
    }

    /// A few counts a litre, so that a sale is short; one point for each factor.
    static func calibration(_ factorsMillionths: [Int]) -> Calibration {
        Calibration(
            countsPerLitre: 40,
            points: zip([10, 40].suffix(factorsMillionths.count), factorsMillionths).map {
                CalibrationPoint(litresPerMinute: $0, factorMillionths: $1)
            }
        )
    }

    /// More edge calls in one visit than this are a position that does not come to rest.
    static let callsMax = 200_000

    let site: VirtualSite
    let cards: [SimulatedCard]
    let ledger: StationLedger
    private(set) lazy var reader = StationReader(station: self)
    private(set) lazy var journal = StationJournal(station: self)
    let tape: StationTape
    /// Of the attacker among the customers.
    let shim = Shim()
    let attacker: Int?
    private(set) var module: SecurityModule
    private var nextModule: SecurityModule?
    private var putsJournalBack = false
    var channelsAreSwapped = false
    /// In the last sale, and it was not started anew since.
    var meterSawSwap = false
    let random: SeededRandom
    private let foreign: ForeignTerminal
    private let ownsArena: Bool
    private var arenaBytesAtRest: Int?
    private(set) var settings: PositionSettings

    private(set) var mode = Mode.recovering
    private var hasPower = true
    /// The position has heard that no card is in the reader.
    var isCardKnownGone = false
    /// The display says that no sale is running.
    var isAtRest = true
    private var isFinished = false
    private var nextSettings: PositionSettings?
    /// In the order of their turn, the next one last.
    private var visits: [CustomerVisit]
    private(set) var visit = CustomerVisit(card: 0, errand: .technician)
    var reached = Reached()
    var pinsWrongLeft = 0
    /// The service has not failed in this visit.
    private var isVisitSmooth = false

    /// A new station in grey-lock mode, with that many new cards; after `visits` everything is set right.
    init(
        seed: UInt64,
        layout: StationLayout,
        cards: Int,
        visits: [CustomerVisit],
        tape: StationTape,
        ownsArena: Bool
    ) {
        random = SeededRandom(seed: seed)
        let random = random
        let scheme = Demonstration.schemeKeys
        self.cards = (0..<cards).map {
            SimulatedCard(number: $0, isOrdinary: $0 == layout.ordinary, scheme: scheme, random: random)
        }
        module = Self.module(Self.terminals[0], random)
        attacker = layout.attacker
        foreign = ForeignTerminal(random: random) { [attacker, shim] card, command, answer in
            if card.number == attacker { shim.hears(command, answer) }
        }
        ledger = StationLedger(cards: self.cards, terminals: Self.terminals, module: module, Self.calibration, layout)
        site = VirtualSite(
            calibration: Self.calibration,
            flow: VirtualSite.Flow(
                countsPerSecond: 27,
                slowCountsPerSecond: 5,
                overrunCounts: layout.overrunCounts
            ),
            date: Self.firstDay
        )
        self.visits = (visits + CustomerVisit.repairs(cards: cards)).reversed()
        self.tape = tape
        self.ownsArena = ownsArena
        settings = PositionSettings(
            position: 1,
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 785),
            calibration: Self.calibration,
            aid: Demonstration.aid,
            keyIndex: Demonstration.keyIndex,
            limit: Preset(centilitres: 20_000)
        )
        settings.timeouts.tick = 1_000_000_000
        journal.store.capacity = layout.capacity
        site.onCount = { [unowned self] _ in counted() }
    }

    /// - Returns: the first rule that was broken; nil when none was.
    func run() -> String? {
        while ledger.violation == nil && !isFinished {
            if recovers() {
                mode = .serving
                ledger.serviceBegins(settings.calibration)
                reader.announce()
                runService()
            }
            restore()
        }
        if ledger.violation == nil { ledger.ends(journal.store) }
        return ledger.violation
    }

    var isDead: Bool { !hasPower || ledger.violation != nil }

    private func recovers() -> Bool {
        site.restart(calibration: settings.calibration)
        meterSawSwap = false
        mode = .recovering
        guard runService(), !isDead else { return false }
        mode = .verifying
        return runService() && !isDead
    }

    /// - Returns: false when the service failed.
    @discardableResult
    private func runService() -> Bool {
        let edges = PositionEdges(
            module: module,
            journal: journal.edge,
            reader: reader,
            pump: self,
            pin: self,
            clock: site,
            events: self,
            display: self,
            remark: Language.technical.vocabulary.words
        )
        do throws(PositionFailure) {
            let board = try Board(settings: settings, edges: edges).recover()
            try Side(settings: settings, edges: edges, after: board).run()
        } catch {
            tape.note { "the service failed: \(error)" }
            isVisitSmooth = false
            serviceEnds()
            return false
        }
        serviceEnds()
        return true
    }

    /// At a power cut the books were closed before.
    private func serviceEnds() {
        if hasPower && mode == .serving { ledger.serviceEnds(journal.store, site.snapshot, settings.calibration) }
    }

    /// Between two runs of the service: the mains are back, and time has passed.
    private func restore() {
        site.clearAgenda()
        site.setNozzle(lifted: false)
        site.setEmergency(active: false)
        if !hasPower {
            tape.note { "the mains are back" }
            if visit.leavesInOutage { reader.takeOut() }
        }
        hasPower = true
        site.pass(5)
        // What leaks while nobody counts is no fault of a start.
        while site.isFlowing { site.pass(1) }
        site.clearAgenda()
        reader.isBack()
        settings = nextSettings ?? settings
        nextSettings = nil
        module = nextModule ?? module
        nextModule = nil
        ledger.module = module
        if putsJournalBack, journal.isPutBack() {
            tape.met(.journalPutBack)
            ledger.forgets(journal.store)
        }
        putsJournalBack = false
        guard !journal.isNewest else { return }
        tape.note { "the service refuses an older journal, and a technician accepts it" }
        journal.isAccepted()
    }

    // MARK: - Faults

    func observe() {
        ledger.observe(journal.store, isOpen: site.isOpen, mayBeOpen: site.mayBeOpen)
    }

    func cutPower() {
        guard hasPower else { return }
        tape.note { "the mains are cut" }
        if mode == .serving {
            let isFlowing = site.isOpen
            let lost = ledger.serviceEnds(journal.store, site.snapshot, settings.calibration)
            if isFlowing { tape.lost(lost) }
        }
        hasPower = false
        site.losePower()
        reader.losePower()
        site.post(.stopRequested)
    }

    // MARK: - Visits

    /// The station rests: somebody comes.
    ///
    /// - Returns: false when nobody comes any more, or the service has to start anew.
    func nextVisit() -> Bool {
        ledger.rests(journal.store, site.snapshot)
        if ownsArena {
            let bytes = LockedBuffer.arenaBytesUsed
            if let arenaBytesAtRest, arenaBytesAtRest != bytes {
                ledger.fail("locked memory is not given back at rest")
            }
            arenaBytesAtRest = bytes
        }
        guard ledger.violation == nil, let next = visits.popLast() else {
            isFinished = true
            return false
        }
        if isVisitSmooth, visit.isSmooth { ledger.smoothVisitEnds(cards[visit.card], journal.store) }
        visit = next
        isVisitSmooth = true
        tape.visitBegins()
        let litre = Amount(fen: UInt32(settings.unitPrice.fenPerLitre))
        ledger.visitBegins(cards[next.card], needed: max(litre, prepaidAmount ?? litre))
        reached = Reached()
        pinsWrongLeft = next.pinsWrong
        tape.note { "visit of card \(next.card): \(next.errand)" }
        reader.takeOut()
        site.setNozzle(lifted: false)
        begin(next.errand)
        return nextSettings == nil
    }

    private func begin(_ errand: CustomerVisit.Errand) {
        switch errand {
        case .refuel(let counts):
            site.countsWanted = site.trueCounts + counts
            site.after(1) { [unowned self] _ in reader.insert(cards[visit.card]) }
        case .shop(let amount):
            goElsewhere { (card, time) in try foreign.shop(card, amount, time) }
        case .otherStation(let amount, let escapes):
            goElsewhere { (card, time) in
                try foreign.refuel(card, amount, escapes: escapes, time)
            }
        case .counter:
            goElsewhere { (card, time) in
                let owed = card.image.grey.flatMap { journal.store.greyRecords[$0.ttc]?.amount }
                try foreign.serveAtCounter(card, owed: owed, time)
            }
        case .reconfigure(let payment, let factors):
            var next = settings
            next.payment = payment
            next.calibration = Self.calibration(factors)
            nextSettings = next
        case .technician:
            if channelsAreSwapped {
                channelsAreSwapped = false
                site.swapChannels()
                ledger.swapsBack(trueCounts: site.trueCounts)
                // What turned back meanwhile would be worked off first, where the meter has not seen why.
                if !meterSawSwap { nextSettings = settings }
            }
            site.clockErrorSeconds = 0
            journal.isRepaired(now: site.now)
        case .night(let hours): site.pass(Double(hours) * 3_600)
        case .clockJump(let seconds):
            tape.met(.clockJump)
            site.clockErrorSeconds += seconds
        case .zoneChange(let seconds):
            tape.met(.zoneChange)
            site.localOffsetSeconds = seconds
        case .leak(let counts): site.leak(counts: counts)
        case .askAhead: askAhead(cards[visit.card])
        case .giveKeptCommands(let ahead): giveKeptCommands(cards[visit.card], debitAhead: ahead)
        case .collectCode:
            let number = TTC(journal.store.lastTTC.number + 1)
            let amount = prepaidAmount ?? Amount(fen: 785)
            goElsewhere { (card, time) in
                try foreign.refuel(card, amount, escapes: false, time, ttc: number)
            }
        case .guess(let code, let tries, let write): guess(code, cards[visit.card], tries: tries, cutAtWrite: write)
        case .settleElsewhere:
            goElsewhere { (card, time) in
                guard let grey = card.image.grey, let record = journal.store.greyRecords[grey.ttc],
                    record.card.identity == card.asn.identity, record.mac3 == grey.mac3
                else { return }
                try foreign.settle(card, amount: record.amount, try module.open(record.gmac), time)
            }
        case .copyJournal: journal.isCopied()
        case .putJournalBack:
            putsJournalBack = true
            nextSettings = settings
        case .rotTotals:
            tape.met(.totalsRotten)
            journal.rots()
            nextSettings = settings
        case .renumber(let number):
            tape.met(.terminalRenumbered)
            nextModule = Self.module(Self.terminals[number], random)
            nextSettings = settings
        }
    }

    /// What does not come about there is no fault here: the customer is sent away.
    private func goElsewhere(_ errand: (SimulatedCard, TransactionTime) throws -> Void) {
        guard let time = site.localTime else { return }
        let card = cards[visit.card]
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
}
