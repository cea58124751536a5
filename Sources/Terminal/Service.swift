import CardCryptography
package import Configuration
package import Dispenser
import FuelPassbook
import GPIO
import ISO7816
import Journal
package import Logging
import Metering
import PCSC
import Quantities
import Records
import SecurityModule
import Words

/// Why the service cannot start or go on, and its exit status (sysexits.h).
package struct ServiceFailure: Error, Sendable {
    package static let unavailable: Int32 = 69
    package static let systemError: Int32 = 71
    package static let inputOutput: Int32 = 74
    package static let configuration: Int32 = 78

    package let exitStatus: Int32
    package let reason: String

    package init(exitStatus: Int32, reason: String) {
        self.exitStatus = exitStatus
        self.reason = reason
    }

    /// Only what stands in a file, or what kind of file it is, is final (decision record 0024).
    package init(_ error: ConfigurationError) {
        self.init(
            exitStatus: error.isUnread ? Self.inputOutput : Self.configuration,
            reason: error.description
        )
    }
}

/// One fuelling side, assembled as its configuration says. The thread that calls `run` is the position's own.
package final class Service {
    private let configuration: Configuration
    private let log: Logger
    let mailbox: Mailbox
    private let virtual: VirtualEdges?
    private let virtualSlot: VirtualEdges.Slot?
    private let customer: Customer?
    private let stopControl: StopControl
    private let cardCall: CardCall

    /// - Parameters:
    ///   - customer: where the PIN is typed and words are read; nil for none.
    ///   - stop: what the program's signals reach; it may have been requested already.
    ///   - virtual: nil where only a real reader and real lines serve.
    package init(
        configuration: Configuration,
        log: Logger,
        customer: Customer? = nil,
        stop: StopControl = StopControl(),
        virtual: VirtualEdges? = nil
    ) throws(ServiceFailure) {
        if let unmet = configuration.unmet {
            throw ServiceFailure(unmet)
        }
        self.configuration = configuration
        self.log = log
        self.customer = customer
        self.virtual = virtual
        stopControl = stop
        mailbox = stop.mailbox
        let cardCall = CardCall {
            log.warning("the card, or its reader, does not answer: take the card out")
            if let customer { customer.console.say(customer.vocabulary.cardDoesNotAnswer) }
        }
        self.cardCall = cardCall
        stop.waits {
            cardCall.isUnderWay ? "the card or its reader does not answer" : "the disk or the pump does not answer"
        }
        switch configuration.card {
        case .pcsc: virtualSlot = nil
        case .virtual(let state):
            guard let virtual else { throw Self.noVirtualEdge("card.kind is \"virtual\"") }
            virtualSlot = try virtual.slot(state)
        }
        if case .simulated = configuration.pump, virtual == nil {
            throw Self.noVirtualEdge("pump.kind is \"simulated\"")
        }
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

    /// On the position's thread, for a virtual card.
    package func insertVirtualCard() {
        guard let virtualSlot else { return }
        virtualSlot.insert()
        mailbox.post(.reader(.cardInserted))
    }

    /// On the position's thread, for a virtual card.
    package func pullVirtualCard() {
        guard let virtualSlot else { return }
        virtualSlot.pull()
        mailbox.post(.reader(.cardRemoved))
    }

    /// Serves until a stop is requested. Returns with the outputs off and everything on disk.
    ///
    /// - Parameters:
    ///   - display: where the position speaks.
    ///   - supervisor: what watches this process; nil when nothing does.
    ///   - trace: takes each exchange with the card in words; nil for none.
    package func run(
        display: any PositionDisplay,
        supervisor: Supervisor? = nil,
        trace: ((String) -> Void)? = nil
    ) throws(ServiceFailure) {
        let journal = try openJournal(supervisor)
        let display = supervisor.map { SupervisedDisplay(display, $0) } ?? display
        let watchdog = supervisor.flatMap { Watchdog($0, side: mailbox, log: log) }
        defer { watchdog?.stop() }
        supervisor?.ready("starting")
        defer { supervisor?.stopping() }
        guard let pump = try startPump(display) else { return }
        stopControl.closes(pump.thread)
        defer {
            pump.thread.stop()
            stopControl.closesNothing()
        }
        customer?.console.watch { [mailbox] in mailbox.post(.consoleLost) }
        watchdog?.watch(pump.thread)
        var reader: any CardReader
        var monitor: ReaderMonitor?
        defer { monitor?.stop() }
        switch configuration.card {
        case .pcsc(let name):
            let choice = ReaderChoice(name) { [log] in log.notice("card reader", metadata: ["name": "\($0)"]) }
            reader = PCSCReader(choice)
            monitor = ReaderMonitor(choice) { [mailbox] in mailbox.post(.reader($0)) }
        case .virtual:
            guard let virtualSlot else { preconditionFailure("made with the service") }
            reader = virtualSlot.reader
            insertVirtualCard()
        }
        reader = WatchedReader(reader, cardCall)
        if let trace { reader = TracingReader(reader, print: trace) }
        let edges = PositionEdges(
            module: securityModule(),
            journal: journal,
            reader: reader,
            pump: pump.thread,
            pin: try pinEntry(),
            clock: SystemClock(),
            events: mailbox,
            display: pump.customer?(display) ?? display,
            remark: Language.technical.vocabulary.words
        )
        try beginRun(journal)
        log.info("ready", metadata: ["position": "\(configuration.position.position)"])
        let settings = configuration.position
        let position: Side
        do throws(PositionFailure) {
            let board = try Board(settings: settings, edges: edges).recover()
            position = Side(settings: settings, edges: edges, after: board)
            try position.run()
        } catch {
            switch error {
            case .storage(let fault): throw inputOutput("\(fault)")
            case .pump(let fault): throw inputOutput("pump: \(fault.reason)")
            }
        }
        if let damage = journal.damage { throw inputOutput("\(configuration.journal.path): \(damage)") }
        do throws(StorageFault) { try journal.endRun(at: SystemClock().localTime) } catch {
            throw inputOutput("\(configuration.journal.path): \(error)")
        }
        if position.consoleIsGone && !position.stopIsRequested {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "the console is gone, and with it the customer: start the service at a console again"
            )
        }
    }

    // MARK: - Parts

    private func inputOutput(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
    }

    private func openJournal(_ supervisor: Supervisor?) throws(ServiceFailure) -> SQLiteJournal {
        do throws(StorageFault) {
            return try SQLiteJournal(
                path: configuration.journal.path,
                capacity: configuration.journal.capacity,
                keys: .demonstration,
                mark: configuration.journal.mark,
                damageFound: stop,
                goesOn: { supervisor?.startGoesOn() }
            )
        } catch {
            throw inputOutput("\(configuration.journal.path): \(error)")
        }
    }

    /// Says it when nobody counted for a time: what flowed then is in no record.
    private func beginRun(_ journal: SQLiteJournal) throws(ServiceFailure) {
        let end: LastEnd?
        do throws(StorageFault) { end = try journal.beginRun { SystemClock().localTime } } catch {
            throw inputOutput("\(configuration.journal.path): \(error)")
        }
        switch end {
        case .clean, nil: break
        case .unclean(let lastCounted):
            let now = SystemClock().localTime?.description ?? "now (the clock is not set)"
            log.warning(
                """
                the service did not end cleanly: nobody counted from \(lastCounted?.description ?? "an unknown time") until \
                \(now); compare the totalisers with the pump's own
                """
            )
        }
    }

    private func securityModule() -> SecurityModule {
        SecurityModule(
            terminal: configuration.terminal,
            masterKeys: .demonstration,
            random: SystemRandom()
        )
    }

    private func pinEntry() throws(ServiceFailure) -> any PINEntry {
        switch configuration.pin {
        case .fixed: return DemonstrationPINEntry(mailbox: mailbox)
        case .terminal:
            guard let customer else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "pin.kind is \"terminal\", but there is no terminal: start the service at a console"
                )
            }
            return ConsolePINEntry(customer, mailbox: mailbox)
        }
    }

    /// - Returns: nil when a stop was requested while the lines were waited for.
    private func startPump(
        _ display: any PositionDisplay
    ) throws(ServiceFailure) -> (thread: PumpThread, customer: ((any PositionDisplay) -> any PositionDisplay)?)? {
        switch configuration.pump {
        case .gpio(let wiring):
            guard let lines = try awaitLines(wiring, display) else { return nil }
            log.info("pump on \(lines.chip.name)", metadata: ["label": "\(lines.chip.label)"])
            if wiring.chipIsNumber {
                log.warning(
                    "chip = \"\(wiring.chip)\" may be another chip after an update: name it by its label, \(lines.chip.label)"
                )
            }
            try HeldOutputsFile()?.write(lines.held)
            return (try pumpThread(lines), nil)
        case .simulated(let flow):
            guard let virtual else { preconditionFailure("refused when the service was made") }
            let pump = virtual.pump(flow, configuration.position.calibration, configuration.pulser)
            return (try pumpThread(pump.lines), pump.customer)
        }
    }

    private func pumpThread(_ lines: sending any PumpLines) throws(ServiceFailure) -> PumpThread {
        do throws(PumpFault) {
            let thread = try PumpThread(
                name: "pump-\(configuration.position.nozzle)",
                lines: lines,
                calibration: configuration.position.calibration,
                kind: configuration.pulser,
                limits: configuration.meter
            ) { [mailbox] in mailbox.post($0) }
            if !thread.isRealTime {
                log.warning("the pump's thread has no real-time priority: allow it (LimitRTPRIO or CAP_SYS_NICE)")
            }
            return thread
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "pump: \(error.reason)")
        }
    }
}

extension GPIOWiring {
    /// Numbers are given in the order in which the kernel finds the chips.
    fileprivate var chipIsNumber: Bool {
        let name = chip.hasPrefix("/dev/") ? chip.dropFirst(5) : chip[...]
        return name.hasPrefix("gpiochip") && name.dropFirst(8).allSatisfy(\.isNumber)
    }
}
