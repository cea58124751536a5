import CardCryptography
import Codes
package import Configuration
import Console
package import Dispenser
import Files
import GPIO
import Journal
import KeyFiles
package import Logging
import Metering
import PCSC
import ParameterFiles
import Parameters
import Quantities
import Records
import SecurityModule
import Synchronization
package import Threads
import Tokens
import Words

/// Where a side speaks. It is made once on the side's thread, and before that where keys are waited for and
/// sales are recovered.
package struct SideFace {
    let display: any SideDisplay
    /// Takes each exchange with the card in words; nil for none.
    let trace: ((String) -> Void)?

    package init(_ display: any SideDisplay, trace: ((String) -> Void)? = nil) {
        self.display = display
        self.trace = trace
    }
}

/// The fuelling sides of a board, assembled as their configuration says: one journal, a thread for each side.
package final class Service: Sendable {
    /// Takes the side, and its virtual card's hand where it has one and serves.
    package typealias Faces = @Sendable (Configuration.Side, CardHand?) -> SideFace

    let configuration: Configuration
    let log: Logger
    private let level: LogSwitch
    let virtual: VirtualEdges?
    let stopControl: StopControl
    let readers: BoardReaders
    /// What the watchdog looks after beside sides and pumps.
    package let loops = WatchedLoops()
    /// Of the thread that runs the service, until the sides' threads are begun.
    let starting = LoopProgress()
    private let customer: Customer?
    private let sides: [ReachableSide]
    private let runHasBegun = Mutex(false)
    /// A large journal is looked through; the unit gives the start as long.
    private static let startNanosecondsMax: UInt64 = 120_000_000_000
    private let program = Mutex<ProgramIdentity?>(nil)
    private let heldOutputs: Mutex<[Int: HeldOutputs]> = Mutex([:])

    /// - Parameters:
    ///   - level: how much the log says.
    ///   - customer: where the PIN is typed and words are read; nil for none.
    ///   - stop: what the program's signals reach; it may have been requested already.
    ///   - virtual: nil where only a real reader and real lines serve.
    package init(
        configuration: Configuration,
        log: Logger,
        level: LogSwitch = LogSwitch(),
        customer: Customer? = nil,
        stop: StopControl = StopControl(),
        virtual: VirtualEdges? = nil
    ) throws(ServiceFailure) {
        for side in configuration.sides {
            if virtual == nil { try Self.requireRealEdges(side) }
            if side.pin == .terminal, customer == nil {
                throw ServiceFailure(.noTerminal, at: side)
            }
        }
        self.configuration = configuration
        self.log = log
        self.level = level
        self.customer = customer
        self.virtual = virtual
        stopControl = stop
        readers = BoardReaders(configuration.sides.compactMap(\.card.nameAlone))
        let consoleSide = configuration.consoleSide?.number
        let sides = configuration.sides.map { side in
            let log = log.naming(side.number)
            let customer = side.number == consoleSide ? customer : nil
            return ReachableSide(side.number) {
                log.warning(.card(.cardDoesNotAnswer), "the card, or its reader, does not answer: take the card out")
                if let customer { customer.console.say(customer.vocabulary.cardDoesNotAnswer) }
            }
        }
        self.sides = sides
        stop.waits {
            sides.contains(where: \.cardCall.isUnderWay)
                ? "the card or its reader does not answer" : "the disk or the pump does not answer"
        }
        stop.ends(sides)
        for side in sides {
            loops.add(WatchedLoop("the card call's thread", side.cardCall.progress))
        }
    }

    static func requireRealEdges(_ side: Configuration.Side) throws(ServiceFailure) {
        if case .virtual = side.card { throw noVirtualEdge("side.\(side.number).card.kind is \"virtual\"") }
        if case .simulated = side.pump { throw noVirtualEdge("side.\(side.number).pump.kind is \"simulated\"") }
    }

    private static func noVirtualEdge(_ setting: String) -> ServiceFailure {
        ServiceFailure(
            exitStatus: ServiceFailure.configuration,
            reason: "\(setting), and this program has real edges alone: use greylock run --config FILE"
        )
    }

    package static func configuration(at path: String) throws(ServiceFailure) -> Configuration {
        do throws(ConfigurationError) {
            return try Configuration.load(path: path)
        } catch {
            throw ServiceFailure(error)
        }
    }

    /// Ends `run`, from any thread.
    package var stop: @Sendable () -> Void {
        { [stopControl] in stopControl.request() }
    }

    /// Who reads and types at this side; nil where nobody does.
    package func customer(at side: Configuration.Side) -> Customer? {
        side.number == configuration.consoleSide?.number ? customer : nil
    }

    /// Serves until a stop is requested, the journal fails, or no side is left. Returns with the outputs off and everything on
    /// disk.
    ///
    /// - Parameters:
    ///   - supervisor: what watches this process; nil when nothing does.
    ///   - renewal: nil where nothing would begin the service anew.
    ///   - faces: where the sides speak.
    package func run(
        supervisor: Supervisor? = nil,
        renewal: Renewal? = nil,
        faces: @escaping Faces
    ) throws(ServiceFailure) {
        starting.works()
        defer { starting.ends() }
        loops.add(WatchedLoop("the start", starting, workingNanosecondsMax: Self.startNanosecondsMax))
        let arrived = MonotonicSemaphore()
        let orders = StandingOrders {
            arrived.signal()
            renewal?.visitEnded()
        }
        renewal?.begin(
            configuration,
            orders,
            tell: { [sides] in for side in sides { side.mailbox.post(.ordersChanged) } },
            end: stop
        )
        defer { renewal?.stop() }
        if let renewal { loops.add(renewal.loop) }
        let interface = try ServedInterface(configuration, sides, orders, arrived: arrived, level, log: log)
        defer { interface?.stop() }
        for loop in interface?.loops ?? [] { loops.add(loop) }
        let watchdog = supervisor.flatMap { Watchdog($0, sides, loops: loops, stop: stopControl, log: log) }
        defer { watchdog?.stop() }
        defer { supervisor?.stopping() }
        let status = supervisor.map { SupervisedStatus($0, sides: sides.count) }
        let faces: Faces = { side, hand in
            var face = faces(side, hand)
            if let interface { face = interface.seen(face, side) }
            guard let status else { return face }
            return SideFace(SupervisedDisplay(face.display, status, side: side.number), trace: face.trace)
        }
        let roster = Roster(sides.map(\.number), end: stop)
        guard let (journal, module, desk, keyWatch, totals) = try arm(supervisor, faces, roster) else { return }
        defer { keyWatch?.stop() }
        if let keyWatch { loops.add(.calling("the keys' thread", keyWatch.progress)) }
        do throws(StorageFault) { try orders.load(from: journal, configuration) } catch {
            throw inputOutput("\(configuration.journal.path): \(error)", error.code)
        }
        interface?.takes(journal, module)
        try identifyProgram()
        let parameterWatch = ParameterWatch(desk) { [sides] in
            for side in sides { side.mailbox.post(.parametersChanged) }
        }
        defer { parameterWatch.stop() }
        loops.add(.calling("the parameters' thread", parameterWatch.progress))
        do throws(StorageFault) { try journal.noteLastEnd(at: SystemClock().localTime) } catch {
            throw inputOutput("\(configuration.journal.path): \(error)", error.code)
        }
        let board = try recover(journal, desk, totals, orders, faces)
        let threads = zip(configuration.sides, sides).enumerated().map { index, pair in
            let (side, reached) = pair
            return NamedThread("side-\(side.number)") { [self] in
                ServedSide(self, side, index, reached, journal, module, desk, board, orders, roster).run(faces)
                reached.end()
            }
        }
        starting.ends()
        for thread in threads { thread.join() }
        if let failure = roster.failure { throw failure }
        if let damage = journal.damage {
            throw inputOutput("\(configuration.journal.path): \(damage)", .service(.journalFailed))
        }
        guard runHasBegun.withLock(\.self) else { return }
        do throws(StorageFault) { try journal.endRun(at: SystemClock().localTime) } catch {
            throw inputOutput("\(configuration.journal.path): \(error)", error.code)
        }
    }

    /// From here on the module alone has the master keys, and forgets those that are erased.
    ///
    /// - Returns: nil when a stop was requested before there were keys.
    private func arm(
        _ supervisor: Supervisor?,
        _ faces: Faces,
        _ roster: Roster
    ) throws(ServiceFailure) -> (SQLiteJournal, SecurityModule, ParameterDesk, KeyWatch?, KeptTotals)? {
        guard let arms = try arms(supervisor, faces) else { return nil }
        let journal = try openJournal(arms.recordKey, supervisor)
        supervisor?.ready("starting")
        let module = arms.module(of: configuration.terminal)
        let totals = KeptTotals(configuration.totals.places(of: configuration.terminal, arms.recordKey))
        sayProtection(arms)
        let desk = try ParameterDesk(of: configuration, arms.parameterKey, journal)
        guard let (store, stored) = arms.stored else { return (journal, module, desk, nil, totals) }
        do throws(FileFault) { try journal.admit(stored, of: store) } catch {
            throw inputOutput("keys: \(error.reason)", .keys(.keysFault))
        }
        for fault in stored.faults { log.error(.keys(.keysFault), "\(fault)") }
        let keyWatch = KeyWatch(store, stored.keys, module, token: arms.token, log: log) { (stored) throws(FileFault) in
            try journal.admit(stored, of: store)
        } gone: { reason in
            roster.end(
                ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason, code: .keys(.keysFault))
            )
        }
        return (journal, module, desk, keyWatch, totals)
    }

    /// What protects what. A token that is not there is the watch's to say.
    private func sayProtection(_ arms: Arms) {
        guard let settings = configuration.keys, let keys = arms.stored?.keys else { return }
        var words: String?
        do throws(TokenFault) { words = try arms.token?.words() } catch {}
        log.notice(.keys(.keysProtection), "\(settings.protection(of: keys.keys, token: words))")
    }

    /// The first side that counts begins the run. It is said when nobody counted for a time: what flowed then is in no record.
    func beginRun(_ journal: SQLiteJournal) throws(ServiceFailure) {
        try runHasBegun.withLock { (hasBegun) throws(ServiceFailure) in
            guard !hasBegun else { return }
            let end: LastEnd?
            do throws(StorageFault) { end = try journal.beginRun { SystemClock().localTime } } catch {
                throw inputOutput("\(configuration.journal.path): \(error)", error.code)
            }
            hasBegun = true
            if let beat = journal.beatProgress { loops.add(.calling("the journal's beat", beat)) }
            switch end {
            case .clean, nil: break
            case .unclean(let lastCounted):
                let now = SystemClock().localTime?.description ?? "now (the clock is not set)"
                log.warning(
                    .service(.endedUncleanly),
                    """
                    the service did not end cleanly: nobody counted from \(lastCounted?.description ?? "an unknown time") \
                    until \(now); compare the totalisers with the pump's own
                    """
                )
            }
        }
    }

    /// For the stop action, before any valve of the side can open.
    func note(_ held: HeldOutputs, of side: Int) throws(ServiceFailure) {
        try heldOutputs.withLock { (outputs) throws(ServiceFailure) in
            outputs[side] = held
            try HeldOutputsFile()?.write(outputs.sorted { $0.key < $1.key }.map(\.value))
        }
    }

    func inputOutput(_ reason: String, _ code: EventCode? = nil) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason, code: code)
    }

    private func identifyProgram() throws(ServiceFailure) {
        let found: ProgramIdentity
        do throws(FileFault) { found = try ProgramIdentity.ofThisProcess() } catch { throw inputOutput(error.reason) }
        program.withLock { $0 = found }
        log.notice(
            .notice(.program),
            "program",
            metadata: ["version": "\(Release.version)", "sha256": "\(found.digits)"]
        )
        if found.wasExchanged {
            log.warning(
                .service(.programExchanged),
                "the file \(found.path) was exchanged since this program was begun: what runs is not what is there"
            )
        }
    }

    /// nil before it was read.
    var identity: ProgramIdentity? { program.withLock(\.self) }

    func identification(under set: ParameterSet) -> SoftwareIdentification? {
        identity?.identification(under: set)
    }

    private func recover(
        _ journal: SQLiteJournal,
        _ desk: ParameterDesk,
        _ totals: KeptTotals,
        _ orders: StandingOrders,
        _ faces: Faces
    ) throws(ServiceFailure) -> RecoveredBoard {
        var members: [Board.Member] = []
        for side in configuration.sides {
            let meter: MeterParameters?
            do throws(StorageFault) { meter = try desk.set(of: side).success?.meter } catch {
                throw inputOutput("\(configuration.journal.path): \(error)", error.code)
            }
            members.append(Board.Member(settings: side.settings(under: meter), display: faces(side, nil).display))
        }
        let board = Board(
            terminal: configuration.terminal,
            journal: journal,
            clock: SystemClock(),
            members,
            totals: totals,
            orders: orders
        )
        do throws(SideFailure) { return try board.recover() } catch { throw ServiceFailure(error) }
    }

    private func openJournal(_ key: RecordKey, _ supervisor: Supervisor?) throws(ServiceFailure) -> SQLiteJournal {
        do throws(StorageFault) {
            return try SQLiteJournal(
                configuration.journal,
                key: key,
                damageFound: stop,
                goesOn: { supervisor?.startGoesOn() }
            )
        } catch {
            throw inputOutput("\(configuration.journal.path): \(error)", error.code)
        }
    }
}

extension ServiceFailure {
    /// - Parameter side: whose customer would stand there.
    init(_ fault: ConsoleFault, at side: Configuration.Side) {
        let need =
            switch side.pin {
            case .terminal: "side.\(side.number).pin.kind is \"terminal\", but "
            case .keypad, .fixed: ""
            }
        self.init(exitStatus: Self.unavailable, reason: "\(need)\(fault)", code: .pump(.consoleMissing))
    }

    init(_ failure: SideFailure) {
        switch failure {
        case .storage(let fault): self.init(exitStatus: Self.inputOutput, reason: "\(fault)", code: fault.code)
        case .pump(let fault):
            self.init(exitStatus: Self.inputOutput, reason: "pump: \(fault.reason)", code: .pump(.pumpFailed))
        }
    }
}

extension Configuration.CardEdge {
    /// The real reader that is chosen by nothing but its name; nil for none.
    fileprivate var nameAlone: String? {
        switch self {
        case .pcsc(let name, nil): name
        case .pcsc, .virtual: nil
        }
    }
}

extension ServiceFailure {
    /// Where a board has several sides, whoever reads why a program ended is told whose reason it was.
    func of(_ side: Configuration.Side, on board: Configuration) -> ServiceFailure {
        guard board.sides.count > 1 else { return self }
        return ServiceFailure(exitStatus: exitStatus, reason: "position \(side.number): \(reason)", code: code)
    }
}

extension Logger {
    /// The same log, which names the side in each line.
    package func naming(_ side: Int) -> Logger {
        var log = self
        log[metadataKey: "position"] = "\(side)"
        return log
    }
}
