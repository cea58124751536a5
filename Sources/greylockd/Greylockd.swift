import ArgumentParser
import Dispenser
import Logging
import Terminal

@main
struct Greylockd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greylockd",
        abstract: "The dispenser's service: one fuelling side, its card reader and its pump.",
        discussion: """
            Exit status: 0 when it was told to stop (SIGTERM, SIGINT), 64 for a wrong command line, 69 when something \
            that it needs is missing, 71 when the system refuses what it needs (core dumps must be forbidden), 74 when the \
            journal or the pump failed, or the configuration cannot be read, 75 when it was told to stop and something \
            did not answer, 78 for a wrong configuration. Only 64 and 78 need somebody: every other cause can pass, and a \
            new start is worth while.
            """,
        version: "greylockd \(Release.version)"
    )

    static func main() {
        StandardOutput.runProgram("greylockd") {
            var command = try parseAsRoot()
            try command.run()
        } explain: { error in
            (CommandLineHint.added(to: fullMessage(for: error)), exitCode(for: error).rawValue)
        }
    }

    @Option(help: ArgumentHelp("The configuration, see board/greylock.toml.", valueName: "FILE"))
    var config: String

    @Flag(
        help: """
            Only switch the pump's outputs off and end: the unit's stop action after the service was killed. What the \
            service noted in its runtime folder counts first, and a wrong configuration does no harm.
            """
    )
    var closeValves = false

    func run() throws {
        SignalWatch.hold()
        let streams = ServiceStreams()
        let stop = watchSignals(streams)
        do throws(ServiceFailure) {
            if closeValves {
                try ValveClosing(configuration: config, held: HeldOutputsFile()) { line in
                    streams.say("greylockd: \(line)")
                }.run()
                return streams.drain()
            }
            let configuration = try Service.configuration(at: config)
            try serve(configuration, streams, stop)
        } catch {
            streams.say("greylockd: \(error.reason)")
            streams.drain()
            throw ExitCode(error.exitStatus)
        }
    }

    /// Before anything is read: a file that does not answer keeps no stop waiting.
    private func watchSignals(_ streams: ServiceStreams) -> StopControl {
        let log = streams.logger("greylockd")
        let stop = StopControl()
        let what = closeValves ? "what is not said to be closed may be on" : "the next start settles what is open"
        let closesValves = closeValves
        stop.endProcessAtDeadline(
            valvesAreOff: { nanoseconds in
                guard !closesValves else { return }
                log.notice("stopping", metadata: ["valves-off-after-ms": "\(nanoseconds / 1_000_000)"])
            },
            lastWords: { awaited in
                log.warning("stopped, but not finished: \(awaited); \(what)")
                streams.breakOff()
            }
        )
        SignalWatch.start(
            stop.request,
            hangUp: { log.notice("SIGHUP: the service goes on") },
            continued: streams.continued
        )
        return stop
    }

    private func serve(
        _ configuration: Configuration,
        _ streams: ServiceStreams,
        _ stop: StopControl
    ) throws(ServiceFailure) {
        let log = streams.logger("greylockd")
        try ProcessHardening.apply(log: log)
        let console = try streams.takeConsole(for: configuration)
        defer { streams.finish() }
        let service = try Service(configuration: configuration, log: log, console: console, stop: stop)
        var displays: [any PositionDisplay] = [LogDisplay(log: log)]
        if let console { displays.append(CustomerDisplay(console: console)) }
        try service.run(display: SharedDisplay(displays), supervisor: Supervisor())
    }
}
