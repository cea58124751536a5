import ArgumentParser
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
        let program = ServiceProgram("greylockd")
        do throws(ServiceFailure) {
            if closeValves {
                try program.closeValves(configuration: config)
            } else {
                try program.serve(configuration: config)
            }
        } catch {
            throw ExitCode(error.exitStatus)
        }
    }
}
