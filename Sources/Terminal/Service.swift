import CardCryptography
package import Dispenser
import FuelPassbook
import GPIO
import ISO7816
import Journal
package import Logging
import Metering
import PCSC
import SecurityModule
import Simulation

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
}

/// One fuelling side, assembled as its configuration says. The thread that calls `run` is the position's own.
package final class Service {
    private let configuration: Configuration
    private let log: Logger
    private let mailbox = Mailbox()
    private let virtualSlot: VirtualSlot?

    package init(configuration: Configuration, log: Logger) throws(ServiceFailure) {
        if let unmet = configuration.unmet {
            throw ServiceFailure(exitStatus: ServiceFailure.configuration, reason: unmet.description)
        }
        self.configuration = configuration
        self.log = log
        switch configuration.card.edge {
        case .pcsc: virtualSlot = nil
        case .virtual(let state): virtualSlot = try VirtualSlot(state: state, mailbox: mailbox)
        }
    }

    package static func configuration(at path: String) throws(ServiceFailure) -> Configuration {
        do throws(ConfigurationError) {
            return try Configuration.load(path: path)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.configuration, reason: error.description)
        }
    }

    /// Takes the pump's lines, which switches the outputs off, and lets them go. A chip may keep the last level of a
    /// line whose holder was killed.
    package static func closeValves(_ configuration: Configuration) throws(ServiceFailure) {
        guard case .gpio(let wiring) = configuration.pump.edge else { return }
        _ = try gpioLines(wiring)
    }

    /// Ends `run`, from any thread.
    package var stop: @Sendable () -> Void {
        { [mailbox] in mailbox.post(.stopRequested) }
    }

    /// On the position's thread, for a virtual card.
    package func insertVirtualCard() { virtualSlot?.insert() }

    /// On the position's thread, for a virtual card.
    package func pullVirtualCard() { virtualSlot?.pull() }

    /// Serves until a stop is requested. Returns with the outputs off and everything on disk.
    ///
    /// - Parameters:
    ///   - display: where the position speaks.
    ///   - trace: takes each exchange with the card in words; nil for none.
    package func run(display: any PositionDisplay, trace: ((String) -> Void)? = nil) throws(ServiceFailure) {
        let journal = try openJournal()
        let pump = try startPump()
        defer { pump.thread.stop() }
        var reader: any CardReader
        var monitor: ReaderMonitor?
        defer { monitor?.stop() }
        switch configuration.card.edge {
        case .pcsc(let name):
            reader = PCSCReader(name: name)
            monitor = ReaderMonitor(name: name) { [mailbox] in mailbox.post($0) }
        case .virtual:
            guard let virtualSlot else { preconditionFailure("made with the service") }
            reader = virtualSlot.reader
            virtualSlot.insert()
        }
        if let trace { reader = TracingReader(reader, print: trace) }
        let edges = PositionEdges(
            module: securityModule(),
            journal: journal,
            reader: reader,
            pump: pump.thread,
            pin: try pinEntry(),
            clock: SystemClock(),
            events: mailbox,
            display: pump.simulated.map { SimulatedCustomer(display, lines: $0) } ?? display
        )
        log.info("ready", metadata: ["position": "\(configuration.terminal.position)"])
        do throws(PositionFailure) {
            try Position(settings: configuration.positionSettings, edges: edges).run()
        } catch {
            switch error {
            case .storage(let fault): throw inputOutput("\(fault)")
            case .pump(let fault): throw inputOutput("pump: \(fault.reason)")
            }
        }
        if let damage = journal.damage { throw inputOutput("\(configuration.journal.path): \(damage)") }
    }

    // MARK: - Parts

    private func inputOutput(_ reason: String) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
    }

    private func openJournal() throws(ServiceFailure) -> SQLiteJournal {
        do throws(StorageFault) {
            return try SQLiteJournal(
                path: configuration.journal.path,
                capacity: configuration.journal.capacity,
                damageFound: stop
            )
        } catch {
            throw inputOutput("\(configuration.journal.path): \(error)")
        }
    }

    private func securityModule() -> SecurityModule {
        var masterKeys = MasterKeys()
        masterKeys.load(
            Demonstration.MasterKey.purchase.raw,
            as: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        )
        return SecurityModule(
            terminal: configuration.terminal.id,
            masterKeys: masterKeys,
            random: SystemRandom()
        )
    }

    private func pinEntry() throws(ServiceFailure) -> any PINEntry {
        switch configuration.pin {
        case .fixed: return DemonstrationPINEntry(mailbox: mailbox)
        case .terminal:
            guard TerminalPINEntry.isAvailable else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "pin.kind is \"terminal\", but there is no terminal: start the service at a console"
                )
            }
            return TerminalPINEntry(mailbox: mailbox)
        }
    }

    private func startPump() throws(ServiceFailure) -> (thread: PumpThread, simulated: SimulatedPumpLines?) {
        switch configuration.pump.edge {
        case .gpio(let wiring):
            return (try pumpThread(Self.gpioLines(wiring)), nil)
        case .simulated(let flow):
            let lines = SimulatedPumpLines(flow.script(configuration.pump.calibration, configuration.pump.pulser))
            return (try pumpThread(lines), lines)
        }
    }

    private static func gpioLines(_ wiring: Configuration.Wiring) throws(ServiceFailure) -> sending GPIOPumpLines {
        do throws(GPIOFault) {
            return try GPIOPumpLines(wiring.lines)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "pump: \(error)")
        }
    }

    private func pumpThread(_ lines: sending any PumpLines) throws(ServiceFailure) -> PumpThread {
        do throws(PumpFault) {
            let thread = try PumpThread(
                name: "pump-\(configuration.pump.nozzle)",
                lines: lines,
                calibration: configuration.pump.calibration,
                kind: configuration.pump.pulser
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

extension Configuration.SimulatedPump {
    fileprivate func script(_ calibration: Calibration, _ pulser: PulserKind) -> SimulatedPumpLines.Script {
        var script = SimulatedPumpLines.Script(
            countsPerLitre: calibration.countsPerLitre,
            centilitres: centilitres,
            litresPerMinute: litresPerMinute
        )
        script.hasChannelB = pulser != .single
        script.speed = speed
        return script
    }
}

extension Configuration.Wiring {
    fileprivate var lines: GPIOWiring {
        func input(_ line: Line, _ offset: Int) -> GPIOWiring.Input {
            GPIOWiring.Input(offset: offset, isActiveLow: activeLow.contains(line))
        }
        func output(_ line: Line, _ offset: Int) -> GPIOWiring.Output {
            GPIOWiring.Output(offset: offset, isActiveLow: activeLow.contains(line))
        }
        return GPIOWiring(
            chip: chip,
            pulserA: input(.a, a),
            pulserB: b.map { input(.b, $0) },
            nozzle: input(.nozzle, nozzle),
            emergency: emergency.map { input(.emergency, $0) },
            motor: output(.motor, motor),
            mainValve: output(.mainValve, mainValve),
            slowValve: slowValve.map { output(.slowValve, $0) },
            debounceMicroseconds: debounceMilliseconds * 1_000
        )
    }
}
