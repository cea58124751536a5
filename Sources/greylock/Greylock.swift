import ArgumentParser

@main
struct Greylock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greylock",
        abstract: "Tools for a fuel dispenser that locks the card before fuel flows.",
        subcommands: [Demo.self, Card.self, Records.self, PositionTool.self, Bench.self]
    )
}

struct Card: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The virtual card.",
        subcommands: [CardServe.self]
    )
}
