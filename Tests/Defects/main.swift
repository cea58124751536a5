import Simulation

// `defects SALES`: prints how many sales it took to see that a rule was broken, and which; or that none was.

guard CommandLine.arguments.count == 2, let sales = Int(CommandLine.arguments[1]) else {
    fatalError("usage: defects SALES")
}
var simulation = StationSimulation(seed: 1, profile: .full, ownsArena: true)
if let violation = simulation.run(sales: sales) {
    print("\(simulation.tally.sales) \(violation.reason)")
} else {
    print("none")
}
