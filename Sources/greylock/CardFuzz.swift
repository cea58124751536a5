import ArgumentParser
import Console
import FuelPassbook
import Simulation

struct CardFuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Send right and damaged command sequences to the card application and watch its money.",
        discussion: """
            Nothing is attached and nothing is kept: the cards live in this process and carry the demonstration keys. \
            The same seed sends the same bytes.

            Exit status: 0; 1 and a sequence when a rule was broken: money made or lost, a grey mark cleared without debit \
            or unlock, a counter filled without its rule. \(ExitStatusHelp.common)
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("How many commands to send, 1 to 1000000000.", valueName: "N"))
    var apdus = 10_000_000

    @Option(parsing: .unconditional, help: ArgumentHelp("Where the sequences start.", valueName: "S"))
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...1_000_000_000).contains(apdus) else {
            throw ValidationError("--apdus: expected 1 to 1000000000 (found \(apdus))")
        }
    }

    func run() throws {
        var fuzz = CardFuzz(seed: seed)
        let violation = fuzz.run(apdus: apdus)
        let tally = fuzz.tally
        writeLine(
            "seed \(seed): \(tally.apdus) APDUs to \(tally.cards) cards, \(tally.accepted) accepted, "
                + "\(tally.transactions) transactions, \(tally.powerCuts) power cuts, "
                + "\(tally.acceptances.count) of \(Instruction.allCases.count) commands"
        )
        guard let violation else {
            writeLine("no rule was broken")
            return
        }
        writeLine("card \(violation.card) of seed \(violation.seed): \(violation.reason)")
        for exchange in violation.exchanges { writeLine("  \(exchange)") }
        throw ExitCode(1)
    }
}
