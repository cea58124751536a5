import Codes
import Configuration
import Console
import Dispenser
import GPIO
import Logging
package import Threads
import Words

/// A program that serves until it is told to stop: the service on a board, or the same with virtual edges.
package struct ServiceProgram {
    let name: String
    private let virtual: VirtualEdges?

    /// - Parameters:
    ///   - name: the program's, in its log and before its last word.
    ///   - virtual: nil where only a real reader and real lines serve.
    package init(_ name: String, virtual: VirtualEdges? = nil) {
        self.name = name
        self.virtual = virtual
    }

    /// Reads the configuration at `path` and serves.
    ///
    /// - Throws: what has been said already; the program ends with its exit status.
    package func serve(configuration path: String) throws(ServiceFailure) {
        SignalWatch.hold()
        let streams = ServiceStreams()
        let log = streams.logger(name)
        try saying(streams) { () throws(ServiceFailure) in
            if let end = try TamperEnd(begunFor: path) { throw finish(end, path, streams) }
        }
        let supervisor = Supervisor()
        // What nobody begins anew goes on as it is.
        let check = virtual == nil ? ["--config", path, "--check"] : nil
        let renewal = supervisor.map { _ in Renewal(path, check: check, log: log) }
        let (stop, signals) = watchSignals(
            streams,
            awaits: "the next start settles what is open",
            hangUp: { renewal?.ask() ?? log.notice(.service(.nothingNew), "SIGHUP: the service goes on") },
            valvesAreOff: { nanoseconds in
                log.notice(
                    .service(.toldToStop),
                    "stopping",
                    metadata: ["valves-off-after-ms": "\(nanoseconds / 1_000_000)"]
                )
            }
        )
        try saying(streams) { () throws(ServiceFailure) in
            let configuration = try Service.configuration(at: path)
            try ProcessHardening.apply(log: log)
            let tamper = try watchTamper(configuration, path, stop, streams)
            defer { tamper?.stop() }
            let customer = try streams.takeConsole(for: configuration).map {
                Customer(console: $0, language: configuration.language)
            }
            defer { streams.finish() }
            let service = try Service(
                configuration: configuration,
                log: log,
                level: streams.level,
                customer: customer,
                stop: stop,
                virtual: virtual
            )
            for loop in streams.loops { service.loops.add(loop) }
            service.loops.add(WatchedLoop("the signals' thread", signals))
            if let tamper { service.loops.add(WatchedLoop("the tamper line's thread", tamper.progress)) }
            try service.run(supervisor: supervisor, renewal: renewal) { side, _ in
                var displays: [any SideDisplay] = [LogDisplay(log: log.naming(side.number))]
                if let customer = service.customer(at: side) { displays.append(CustomerDisplay(customer)) }
                return SideFace(SharedDisplay(displays))
            }
            if let failure = tamper?.failure { throw failure }
        }
    }

    /// No key is read before the line is looked after.
    ///
    /// - Returns: nil where there is none.
    private func watchTamper(
        _ configuration: Configuration,
        _ path: String,
        _ stop: StopControl,
        _ streams: ServiceStreams
    ) throws(ServiceFailure) -> TamperWatch? {
        guard let wiring = configuration.keys?.tamper else { return nil }
        let (line, isActive): (TamperLine, Bool)
        do throws(GPIOFault) {
            line = try TamperLine(wiring)
            isActive = try line.isActive()
        } catch {
            throw ServiceFailure(ofTamperLine: error)
        }
        guard !isActive else { throw finish(TamperEnd(atStartOf: configuration), path, streams) }
        return TamperWatch(line, try NextProgram(configuration), stop, giveBack: streams.giveBack)
    }

    private func finish(_ end: TamperEnd, _ path: String, _ streams: ServiceStreams) -> ServiceFailure {
        let failure = end.run(streams.logger(name)) {
            let closing = ValveClosing(configuration: path, held: HeldOutputsFile()) { line in
                streams.say(name, line)
            }
            do throws(ServiceFailure) { try closing.run() } catch { streams.say(name, error.reason, error.code) }
        }
        // Whoever stands there reads the litres of a moment ago.
        do throws(ServiceFailure) {
            if let console = try streams.takeConsole(for: end.configuration) {
                CustomerDisplay(Customer(console: console, language: end.configuration.language))
                    .show(.inoperative, .notArmed)
            }
        } catch {
            streams.say(name, error.reason, error.code)
        }
        streams.finish()
        return failure
    }

    /// Switches the pump's outputs off and ends.
    ///
    /// - Throws: as ``serve(configuration:)``.
    package func closeValves(configuration path: String) throws(ServiceFailure) {
        SignalWatch.hold()
        let streams = ServiceStreams()
        _ = watchSignals(streams, awaits: "what is not said to be closed may be on", valvesAreOff: { _ in })
        try saying(streams) { () throws(ServiceFailure) in
            try ValveClosing(configuration: path, held: HeldOutputsFile()) { line in
                streams.say(name, line)
            }.run()
            streams.drain()
        }
    }

    private func saying(
        _ streams: ServiceStreams,
        _ work: () throws(ServiceFailure) -> Void
    ) throws(ServiceFailure) {
        do throws(ServiceFailure) { try work() } catch {
            streams.say(name, error.reason, error.code)
            streams.drain()
            throw error
        }
    }

    /// Before anything is read: a file that does not answer keeps no stop waiting.
    private func watchSignals(
        _ streams: ServiceStreams,
        awaits what: String,
        hangUp: @escaping @Sendable () -> Void = {},
        valvesAreOff: @escaping @Sendable (UInt64) -> Void
    ) -> (StopControl, LoopProgress) {
        let log = streams.logger(name)
        let stop = StopControl()
        stop.endProcessAtDeadline(
            valvesAreOff: valvesAreOff,
            lastWords: { awaited in
                log.warning(.service(.stoppedUnfinished), "stopped, but not finished: \(awaited); \(what)")
                streams.breakOff()
            }
        )
        let signals = SignalWatch.start(
            stop.request,
            hangUp: hangUp,
            continued: streams.continued
        )
        return (stop, signals)
    }
}
