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
            that it needs is missing, 74 when the journal or the pump failed, 75 when it was told to stop and something \
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
            (fullMessage(for: error), exitCode(for: error).rawValue)
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
        do throws(ServiceFailure) {
            if closeValves {
                return try ValveClosing(configuration: config, held: HeldOutputsFile()) { line in
                    streams.say("greylockd: \(line)")
                }.run()
            }
            let configuration = try Service.configuration(at: config)
            try serve(configuration, streams)
        } catch {
            streams.say("greylockd: \(error.reason)")
            streams.drain()
            throw ExitCode(error.exitStatus)
        }
    }

    private func serve(_ configuration: Configuration, _ streams: ServiceStreams) throws(ServiceFailure) {
        let log = streams.logger("greylockd")
        try ProcessHardening.apply(log: log)
        let console = try ServiceStreams.console(for: configuration)
        defer { streams.finish(console) }
        let service = try Service(configuration: configuration, log: log, console: console)
        let whatStands = service.whatStands
        service.stopControl.endProcessAtDeadline(
            valvesAreOff: { log.notice("stopping", metadata: ["valves-off-after-ms": "\($0 / 1_000_000)"]) },
            lastWords: {
                log.warning("stopped, but not finished: \(whatStands()); the next start settles what is open")
                streams.drain()
                console?.giveBack()
            }
        )
        SignalWatch.start(
            service.stop,
            hangUp: { log.notice("SIGHUP: the service goes on") },
            continued: { console?.becomeSilentAgain() }
        )
        var displays: [any PositionDisplay] = [LogDisplay(log: log)]
        if let console { displays.append(CustomerDisplay(console: console)) }
        try service.run(display: SharedDisplay(displays), supervisor: Supervisor())
    }
}
