import CardCryptography
import Codes
import Configuration
import Console
import Dispenser
import FuelPassbook
import GPIO
import ISO7816
import Journal
import Keypad
import Logging
import Metering
import PCSC
import Parameters
import Pump
import Records
import SecurityModule
import Threads
import Words

/// One fuelling side of a service, on the thread that calls ``run(_:)``.
struct ServedSide {
    /// Until a side that failed tries again.
    private static let retryNanoseconds: UInt64 = 1_000_000_000

    /// "i"
    private static let identificationKey: UInt8 = 0x69

    let service: Service
    let side: Configuration.Side
    /// The number of sides before this one.
    let index: Int
    let reached: ReachableSide
    let journal: SQLiteJournal
    let module: SecurityModule
    let desk: ParameterDesk
    let board: RecoveredBoard
    let orders: StandingOrders
    let roster: Roster
    let log: Logger

    /// Why a side cannot go on.
    enum Failure: Error {
        /// No other can either.
        case ofService(ServiceFailure)
        /// It may pass.
        case ofPump(ServiceFailure)
        /// The PIN cannot be typed any more.
        case ofConsole(ServiceFailure)
    }

    init(
        _ service: Service,
        _ side: Configuration.Side,
        _ index: Int,
        _ reached: ReachableSide,
        _ journal: SQLiteJournal,
        _ module: SecurityModule,
        _ desk: ParameterDesk,
        _ board: RecoveredBoard,
        _ orders: StandingOrders,
        _ roster: Roster
    ) {
        self.service = service
        self.side = side
        self.index = index
        self.reached = reached
        self.journal = journal
        self.module = module
        self.desk = desk
        self.board = board
        self.orders = orders
        self.roster = roster
        log = service.log.naming(side.number)
    }

    private var mailbox: Mailbox { reached.mailbox }

    /// Serves until a stop is requested, or the side or the service cannot go on. Returns with the outputs off.
    func run(_ faces: Service.Faces) {
        let slot: VirtualEdges.Slot?
        do throws(ServiceFailure) { slot = try virtualSlot() } catch { return roster.end(error) }
        let face = faces(side, slot.map { CardHand(slot: $0, mailbox: mailbox) })
        let keypad = takeKeypad()
        defer { keypad?.stop() }
        var lastOfPump: ServiceFailure?
        // What flowed is settled: a stop behind a pump's failure asks for no more than outputs that are off.
        defer { if let lastOfPump, reached.drivesOutputs { roster.end(lastOfPump) } }
        while true {
            do throws(Failure) { return try serve(face, slot, keypad) } catch {
                switch error {
                case .ofService(let failure): return roster.end(failure)
                case .ofConsole(let failure):
                    if roster.leaves(side.number, failure, triesAgain: false) {
                        log.error(.refusal(.consoleGone), "\(failure.reason)")
                    }
                    return
                case .ofPump(let failure):
                    let final = failure.of(side, on: service.configuration)
                    lastOfPump = final
                    guard !service.stopControl.isRequested, roster.leaves(side.number, final, triesAgain: true) else {
                        return
                    }
                    face.display.show(.inoperative, .pumpMissing(failure.reason, cause: failure.pumpCode))
                    if stopComes(before: MonotonicClock.nanoseconds + Self.retryNanoseconds) { return }
                }
            }
        }
    }

    private func serve(_ face: SideFace, _ slot: VirtualEdges.Slot?, _ keypad: Keypad?) throws(Failure) {
        let customer = service.customer(at: side)
        customer?.console.watch { [mailbox] key in
            if key == Self.identificationKey { mailbox.post(.identificationAsked) }
        }
        guard var set = try awaitParameters(face.display), var pump = try startPump(face.display, set.meter) else {
            return
        }
        reached.takes(pump.thread)
        defer {
            pump.thread.stop()
            reached.takesNoPump()
        }
        customer?.console.watch { [mailbox] in mailbox.post(.consoleLost) }
        var reader: any CardReader
        var monitor: ReaderMonitor?
        defer { monitor?.stop() }
        switch side.card {
        case .pcsc(let name, let port):
            let choice = ReaderChoice(name, at: port, of: service.readers) { [log] in
                log.notice(.card(.cardReader), "card reader", metadata: ["name": "\($0)"])
            }
            reader = PCSCReader(choice)
            let watching = ReaderMonitor(choice) { [mailbox] in mailbox.post(.reader($0)) }
            monitor = watching
            // Without it no card comes or goes; a delivery that goes on needs neither.
            service.loops.add(
                WatchedLoop(
                    "position \(side.number): the card reader's thread",
                    watching.progress,
                    workingNanosecondsMax: WatchedLoop.callNanosecondsMax,
                    inFlowNanosecondsMax: WatchedLoop.inFlowNanosecondsMax
                )
            )
        case .virtual:
            guard let slot else { preconditionFailure("made above") }
            reader = slot.reader
            CardHand(slot: slot, mailbox: mailbox).insert()
        }
        reader = WatchedReader(reader, reached.cardCall)
        if let trace = face.trace { reader = TracingReader(reader, print: trace) }
        do throws(ServiceFailure) { try service.beginRun(journal) } catch { throw .ofService(error) }
        var before: Side?
        while true {
            let next = begin(face, reader, pinEntry(customer, keypad), set, pump, after: before)
            try serve(next)
            if next.priceIsNew, !next.parametersAreNew {
                before = next
                continue
            }
            guard next.parametersAreNew else { return }
            pump.thread.stop()
            reached.takesNoPump()
            guard let found = try awaitParameters(face.display),
                let other = try startPump(face.display, found.meter)
            else { return }
            (before, set, pump) = (next, found, other)
            reached.takes(pump.thread)
        }
    }

    private func begin(
        _ face: SideFace,
        _ reader: any CardReader,
        _ pin: any PINEntry,
        _ set: ParameterSet,
        _ pump: StartedPump,
        after before: Side?
    ) -> Side {
        let edges = SideEdges(
            module: module,
            journal: journal,
            reader: reader,
            pump: pump.thread,
            pin: pin,
            clock: SystemClock(),
            events: mailbox,
            display: pump.customer?(face.display) ?? face.display,
            remark: Language.technical.vocabulary.words
        )
        roster.serves(side.number)
        log.info(.service(.ready), "ready")
        var settings = side.settings(under: set.meter)
        settings.identification = service.identification(under: set)
        if let order = orders.price(of: side.number, at: SystemClock().now) {
            (settings.unitPrice, settings.priceUser) = (order.price, order.user)
        }
        return Side(settings: settings, edges: edges, after: board, goingOnFrom: before)
    }

    private func serve(_ side: Side) throws(Failure) {
        do throws(SideFailure) { try side.run() } catch {
            switch error {
            case .storage: throw .ofService(ServiceFailure(error))
            case .pump: throw .ofPump(ServiceFailure(error))
            }
        }
        guard side.consoleIsGone && !side.stopIsRequested else { return }
        throw .ofConsole(
            ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "the console is gone, and with it the customer: start the service at a console again",
                code: .refusal(.consoleGone)
            )
        )
    }

    // MARK: - Parts

    private typealias StartedPump = (thread: PumpThread, customer: ((any SideDisplay) -> any SideDisplay)?)

    private func virtualSlot() throws(ServiceFailure) -> VirtualEdges.Slot? {
        switch side.card {
        case .pcsc: return nil
        case .virtual(let state):
            do throws(VirtualEdges.Fault) { return try service.virtual?.slot(state, index) } catch {
                throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
            }
        }
    }

    /// This program's alone until the side ends, whatever the side waits for.
    private func takeKeypad() -> Keypad? {
        guard case .keypad(let device) = side.pin else { return nil }
        let keypad = Keypad(device) { [log, mailbox] event in
            switch event {
            case .taken(let name):
                log.notice(
                    .pump(.keypadTaken),
                    "keypad",
                    metadata: ["name": "\(name)", "device": "\(device)"]
                )
                mailbox.post(.keypadBack)
            case .lost(let fault):
                log.warning(.pump(fault.code), "\(fault)")
                mailbox.post(.keypadLost("\(fault)"))
            }
        }
        service.loops.add(WatchedLoop("position \(side.number): the keypad's thread", keypad.progress))
        return keypad
    }

    private func pinEntry(_ customer: Customer?, _ keypad: Keypad?) -> any PINEntry {
        switch side.pin {
        case .fixed: return DemonstrationPINEntry(mailbox: mailbox)
        case .terminal:
            guard let customer else { preconditionFailure("refused when the service was made") }
            return ConsolePINEntry(customer, mailbox: mailbox)
        case .keypad:
            guard let keypad else { preconditionFailure("taken for such a side") }
            return KeypadPINEntry(keypad, customer, mailbox: mailbox)
        }
    }

    /// - Returns: nil when a stop was requested while the lines were waited for.
    private func startPump(_ display: any SideDisplay, _ meter: MeterParameters) throws(Failure) -> StartedPump? {
        switch side.pump {
        case .gpio(let wiring):
            guard let lines = awaitLines(wiring, display) else { return nil }
            let wired = lines.wired.map { "\($0.role.rawValue) \($0.line)" }.joined(separator: ", ")
            log.info(
                .pump(.pumpTaken),
                "pump on \(lines.chip.name)",
                metadata: ["label": "\(lines.chip.label)", "lines": "\(wired)"]
            )
            if wiring.chipIsNumber {
                log.warning(
                    .pump(.chipByNumber),
                    "chip = \"\(wiring.chip)\" may be another chip after an update: name it by its label, \(lines.chip.label)"
                )
            }
            // What was noted of the others stands: they go on.
            do throws(ServiceFailure) { try service.note(lines.held, of: side.number) } catch { throw .ofPump(error) }
            return (try pumpThread(lines, meter), nil)
        case .simulated(let flow):
            guard let virtual = service.virtual else { preconditionFailure("refused when the service was made") }
            let pump = virtual.pump(flow, meter.calibration, meter.pulser)
            return (try pumpThread(pump.lines, meter), pump.customer)
        }
    }

    private func pumpThread(
        _ lines: sending any PumpLines,
        _ meter: MeterParameters
    ) throws(Failure) -> PumpThread {
        do throws(PumpFault) {
            let thread = try PumpThread(
                name: "pump-\(side.nozzle)",
                lines: lines,
                calibration: meter.calibration,
                kind: meter.pulser,
                limits: side.limits(under: meter)
            ) { [mailbox] in mailbox.post($0) }
            if !thread.isRealTime {
                log.warning(
                    .pump(.pumpWithoutRealTime),
                    "the pump's thread has no real-time priority: allow it (LimitRTPRIO or CAP_SYS_NICE)"
                )
            }
            return thread
        } catch {
            throw .ofPump(
                ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "pump: \(error.reason)",
                    code: .pump(.pumpFailed)
                )
            )
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
