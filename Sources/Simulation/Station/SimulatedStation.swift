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

/// A whole station on a virtual clock: cards, security module, journal, mains and customers, and one side or more. The board
/// and its sides are the production code; only their edges are replaced.
///
/// A single side runs on the caller's thread. Several run on a thread each, one at a time: see ``StationTurns``.
///
/// After a power cut, and after a rule was broken, every edge is dead: the side unwinds as it would for any failed edge,
/// and nothing that it still tries has an effect.
final class SimulatedStation {
    /// What one run of the service is for.
    enum Mode {
        /// To finish what was open; it ends at once.
        case recovering
        /// To see that a second start finds nothing left to do.
        case verifying
        case serving
        /// With the service stopped: a technician delivers.
        case testing
    }

    /// The cards are valid then in every time zone.
    private static let firstDay: CalendarDate = {
        do throws(ParseError) { return try CalendarDate(year: 2025, month: 3, day: 1) } catch {
            preconditionFailure("a day that every calendar has")
        }
    }()

    /// The station's, and what somebody changes it to.
    static let terminals = [Demonstration.terminal, TerminalID(0x0011_2233_4499)]

    static func module(_ terminal: TerminalID, _ random: SeededRandom) -> SecurityModule {
        .demonstration(at: terminal, random: random)
    }

    let cards: [SimulatedCard]
    let ledger: StationLedger
    private(set) lazy var journal = StationJournal(station: self)
    private(set) var sides: [StationSide] = []
    let tape: StationTape
    /// Of the attacker among the customers.
    let shim = Shim()
    let attacker: Int?
    private(set) var module: SecurityModule
    var nextModule: SecurityModule?
    var putsJournalBack = false
    /// Before the next start.
    var test: TechnicianTest?
    /// What the meter's factor truly is.
    var trueMillionths = 1_000_000
    let seal: ParameterSeal?
    /// Beside the journal's.
    let totals = [MemoryTotals(.file), MemoryTotals(.boardMemory)]
    let random: SeededRandom
    let foreign: ForeignTerminal
    private let ownsArena: Bool
    private var arenaBytesAtRest: Int?
    /// Of the first side; the others have another side and nozzle.
    private(set) var settings: SideSettings
    private let turns: StationTurns?

    var mode = Mode.recovering
    private(set) var hasPower = true
    /// The service ends as soon as no sale is running.
    private var isEnding = false
    private var isFinished = false
    var nextSettings: SideSettings?
    /// In the order of their turn, the next one last.
    private var visits: [CustomerVisit]
    /// A new station in grey-lock mode, with that many new cards; after `visits` everything is set right.
    init(
        seed: UInt64,
        layout: StationLayout,
        cards: Int,
        visits: [CustomerVisit],
        tape: StationTape,
        ownsArena: Bool,
        seal: ParameterSeal? = nil
    ) {
        self.seal = seal
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
        let calibration = Calibration(
            countsPerLitre: layout.countsPerLitre,
            points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
        )
        ledger = StationLedger(cards: self.cards, terminals: Self.terminals, module: module, calibration, layout)
        turns = layout.sides > 1 ? StationTurns(sides: layout.sides, seed: SplitMix64(state: seed).offset(0)) : nil
        self.visits = (visits + CustomerVisit.repairs(cards: cards)).reversed()
        self.tape = tape
        self.ownsArena = ownsArena
        settings = .demonstration
        settings.calibration = calibration
        settings.minimumQuantity = layout.minimumQuantity
        settings.preset = layout.preset
        settings.timeouts.tick = 1_000_000_000
        journal.store.capacity = layout.capacity
        let clock = VirtualClock()
        sides = (0..<layout.sides).map { number in
            StationSide(number, self, site: layout.site(calibration, Self.firstDay, clock))
        }
    }

    /// Any side's: their clock is one.
    var site: VirtualSite { sides[0].site }
    /// Which of them runs.
    var side: StationSide { sides[turns?.current ?? 0] }

    /// - Returns: the first rule that was broken; nil when none was.
    func run() -> String? {
        while ledger.violation == nil && !isFinished {
            if recovers() {
                mode = .serving
                ledger.serviceBegins()
                for side in sides {
                    side.reader.announce()
                    // It was said while the board recovered.
                    if side.parametersAreReplaced { side.site.post(.parametersChanged) }
                }
                runService()
            }
            restore()
        }
        if ledger.violation == nil { ledger.ends(journal.store, totals) }
        return ledger.violation
    }

    var isDead: Bool { !hasPower || ledger.violation != nil }

    private func recovers() -> Bool {
        for side in sides {
            side.takeParameters()
        }
        mode = .recovering
        guard runService(), !isDead else { return false }
        mode = .verifying
        return runService() && !isDead
    }

    /// - Returns: false when the service failed.
    @discardableResult
    private func runService() -> Bool {
        isEnding = false
        for side in sides { side.serviceBegins() }
        let members = sides.map { Board.Member(settings: $0.settings, display: $0) }
        do throws(SideFailure) {
            let board = try recovered(members)
            guard let turns, mode == .serving else {
                var isSound = true
                for side in sides { isSound = serve(side, after: board) && isSound }
                return isSound
            }
            for side in sides {
                side.site.giveWay = { [unowned turns] in turns.giveWay(of: side.number, until: $0) }
            }
            var isSound = true
            turns.run(
                sides.map { side in
                    {
                        side.site.pass(Double(turns.below(Self.startMilliseconds)) / 1_000)
                        isSound = self.serve(side, after: board) && isSound
                    }
                }
            )
            for side in sides { side.site.giveWay = nil }
            return isSound
        } catch {
            fails(error)
            for side in sides { side.serviceEnds() }
            return false
        }
    }

    func recovered(_ members: [Board.Member]) throws(SideFailure) -> RecoveredBoard {
        let board = Board(
            terminal: module.terminal,
            journal: journal.edge,
            clock: site,
            members,
            totals: KeptTotals(totals)
        )
        return try board.recover()
    }

    /// A side whose pump fails ends alone, and the service begins anew when the others rest; a journal that fails ends all.
    private func serve(_ side: StationSide, after board: RecoveredBoard) -> Bool {
        let failure = side.serve(after: board)
        if let failure { fails(failure) }
        side.serviceEnds()
        isEnding = true
        for other in sides where other !== side {
            if case .storage = failure { other.site.post(.stopRequested) }
            wake(other)
        }
        return failure == nil
    }

    func fails(_ failure: SideFailure) {
        tape.note { "the service failed: \(failure)" }
        if case .storage(let fault) = failure, fault.refusesStep { ledger.fail(fault.description) }
        for side in sides { side.isVisitSmooth = false }
    }

    /// Between two runs of the service: the mains are back, and time has passed.
    private func restore() {
        for side in sides { side.restart() }
        if !hasPower {
            tape.note { "the mains are back" }
            for side in sides where side.visit.leavesInOutage { side.reader.takeOut() }
        }
        hasPower = true
        for side in sides {
            side.site.pass(5)
            // What leaks while nobody counts is no fault of a start.
            while side.site.isFlowing { side.site.pass(1) }
            side.site.clearAgenda()
            side.reader.isBack()
        }
        settings = nextSettings ?? settings
        nextSettings = nil
        module = nextModule ?? module
        nextModule = nil
        ledger.module = module
        if putsJournalBack, journal.isPutBack() {
            tape.met(.journalPutBack)
            ledger.totalsMayDiffer = true
            ledger.forgets(journal.store)
        }
        putsJournalBack = false
        if !journal.isNewest {
            tape.note { "the service refuses an older journal, and a technician accepts it" }
            journal.isAccepted()
        }
        if let next = test.take() { deliver(next) }
    }

    // MARK: - Faults

    /// All sides lose it.
    func cutPower() {
        guard hasPower else { return }
        tape.note { "the mains are cut" }
        hasPower = false
        for side in sides {
            side.losePower()
            if sides.count > 1 { side.isVisitSmooth = false }
            wake(side)
        }
    }

    /// The service is asked to end.
    func stopService() {
        for side in sides {
            side.site.post(.stopRequested)
            if sides.count > 1 { side.isVisitSmooth = false }
            wake(side)
        }
    }

    // MARK: - Sides among each other

    /// Of several sides, the others go on for up to so many milliseconds between any two calls of one.
    private static let pauseMilliseconds = 60
    /// One side may begin so much later than another.
    private static let startMilliseconds = 5_000

    /// The side that runs is held up for a moment, now and then, where production waits for a disk or a card.
    func pause() {
        guard let turns, mode == .serving, !isDead, turns.below(4) == 0 else { return }
        side.site.pass(Double(turns.below(Self.pauseMilliseconds)) / 1_000)
    }

    /// Something came to a side from outside.
    func wake(_ side: StationSide) { turns?.wake(side.number, now: site.monotonicNanoseconds) }

    /// Nobody comes to this side now: the others go on.
    ///
    /// - Returns: false when `deadline` comes first.
    func idle(_ side: StationSide, until deadline: UInt64?) -> Bool {
        turns?.giveWay(of: side.number, until: deadline ?? .max) ?? false
    }

    /// The card is in another side's reader.
    func isElsewhere(_ card: SimulatedCard, than side: StationSide) -> Bool {
        sides.contains { $0 !== side && $0.reader.holds(card) }
    }

    // MARK: - Visits

    /// What comes to a side that rests.
    enum Next {
        case visit
        /// Not before another side has ended what it does.
        case later
        /// Nobody comes any more, or the service has to start anew.
        case end
    }

    func nextVisit(at side: StationSide) -> Next {
        if isEnding { return .end }
        let others = sides.filter { $0 !== side }
        let othersRest = others.allSatisfy(\.isResting)
        ledger.rests(journal.store, side.site.snapshot, busy: Set(others.lazy.filter { !$0.isResting }.map(\.number)))
        if ownsArena, othersRest {
            let bytes = LockedBuffer.arenaBytesUsed
            if let arenaBytesAtRest, arenaBytesAtRest != bytes {
                ledger.fail("locked memory is not given back at rest")
            }
            arenaBytesAtRest = bytes
        }
        if side.parametersAreReplaced { ledger.fail("a visit begins under parameters that were replaced") }
        guard ledger.violation == nil else {
            isFinished = true
            return .end
        }
        side.visitEnds()
        guard let index = indexOfNext(for: side, othersRest) else {
            guard visits.isEmpty, othersRest else { return .later }
            isFinished = true
            isEnding = true
            others.forEach(wake)
            return .end
        }
        let next = visits.remove(at: index)
        if next.errand.isOfStation { for other in others { other.visitEnds() } }
        for other in others { other.comesElsewhere(cards[next.card], isClone: next.meanwhile == .clones) }
        side.begin(next)
        begin(next, at: side)
        isEnding = nextSettings != nil
        others.forEach(wake)
        return isEnding ? .end : .visit
    }

    /// The customers of one card come in their order, and none overtakes what concerns the whole station.
    private func indexOfNext(for side: StationSide, _ othersRest: Bool) -> Int? {
        var waiting: Set<Int> = []
        for (index, next) in visits.enumerated().reversed() {
            if next.errand.isOfStation { return othersRest && waiting.isEmpty ? index : nil }
            let isFree = next.meanwhile != .waits || !sides.contains { $0 !== side && $0.serves(next.card) }
            if isFree && !waiting.contains(next.card) { return index }
            waiting.insert(next.card)
        }
        return nil
    }
}
