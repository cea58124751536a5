import ArgumentParser
import Console
import Station
import Threads
import VirtualStation

struct RunStation: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "The service with virtual edges where the configuration names them.",
        discussion: """
            For demonstrations and tests on a desk: a side's `card.kind = "virtual"` is a card in this process, its `pump.kind = \
            "simulated"` a customer at simulated lines. Everything else is what greylockd does, which has no virtual edges.

            Exit status: as greylockd: 0 when it was told to stop, 69 when something that it needs is missing, 74 when the \
            journal or the pump failed, or the configuration cannot be read, 75 when it was told to stop and something \
            did not answer, 77 when the housing was opened and the keys are destroyed, 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The configuration, see greylock.toml of the examples.", valueName: "FILE"))
    var config: String

    func run() throws {
        do throws(ServiceFailure) {
            try ServiceProgram("greylock run", virtual: .inProcess).serve(configuration: config)
        } catch {
            throw ExitCode(error.exitStatus)
        }
    }
}
