import ArgumentParser
import Console
import Station

@main
struct Greylock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greylock",
        abstract: "Tools for a fuel dispenser that locks the card before fuel flows.",
        version: "greylock \(Release.version)",
        subcommands: [
            Demo.self, RunStation.self, Simulate.self, Card.self, Keys.self, Audit.self, CounterTool.self,
            Records.self, PositionTool.self, ParametersTool.self, Identify.self, Setup.self, Lines.self,
            Doctor.self, Pulses.self, Calibrate.self,
            StationTool.self, Drain.self, Undrain.self, Health.self, Explain.self, SupportReport.self,
        ]
    )

    static func main() {
        StandardOutput.runProgram("greylock") {
            var command = try parseAsRoot()
            try command.run()
        } explain: { error in
            (withBench(CommandLineHint.added(to: fullMessage(for: error))), exitCode(for: error).rawValue)
        }
    }

    /// Benches go to no board.
    ///
    /// - Returns: the message, with where the benches are when they were asked for.
    private static func withBench(_ message: String) -> String {
        guard CommandLine.arguments.dropFirst().first == "bench" else { return message }
        return "\(message)\nThe benches are a program of their own: greylock-bench"
    }
}

struct Card: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cards: make and serve virtual ones, look at any.",
        subcommands: [
            CardNew.self, CardShow.self, CardStatus.self, CardAPDU.self, CardScript.self, CardServe.self,
            CardFuzzCommand.self,
        ]
    )
}
