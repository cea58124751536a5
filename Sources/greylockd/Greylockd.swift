import ArgumentParser
import Glibc
import Logging
import Terminal

@main
struct Greylockd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greylockd",
        abstract: "The dispenser's service: one fuelling side, its card reader and its pump.",
        discussion: """
            Exit status: 0 when it was told to stop (SIGTERM, SIGINT), 64 for a wrong command line, 69 when something \
            that it needs is missing, 74 when the journal or the pump failed, 78 for a wrong configuration.
            """
    )

    @Option(help: ArgumentHelp("The configuration, see board/greylock.toml.", valueName: "FILE"))
    var config: String

    @Flag(help: "Only switch the pump's outputs off and end: the unit's stop action after the service was killed.")
    var closeValves = false

    func run() throws {
        let log = Logger(label: "greylockd") { _ in LineLogHandler() }
        do throws(ServiceFailure) {
            let configuration = try Service.configuration(at: config)
            if closeValves { return try Service.closeValves(configuration) }
            try ProcessHardening.apply(log: log)
            let service = try Service(configuration: configuration, log: log)
            SignalWatch.start(service.stop)
            try service.run(display: LogDisplay(log: log))
        } catch {
            standardError("greylockd: \(error.reason)")
            throw ExitCode(error.exitStatus)
        }
    }
}
