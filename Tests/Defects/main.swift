import Simulation

// `defects SALES`: prints how many sales it took to see that a rule was broken, and which; or that none was.
// `defects exhaustive`: the same of every power cut and every pair of them.

guard CommandLine.arguments.count == 2 else { fatalError("usage: defects SALES|exhaustive") }
let sales = Int(CommandLine.arguments[1])
var found: String?
if let sales {
    var simulation = StationSimulation(seed: 1, profile: .full, ownsArena: true)
    found = simulation.run(sales: sales).map { "\(simulation.tally.sales) \($0.reason)" }
} else {
    for scenario in ExhaustiveCuts.Scenario.allCases where found == nil {
        let (tally, violation) = ExhaustiveCuts(scenario).run()
        found = violation.map { "\(tally.singles) \($0.reason)" }
    }
}
print(found ?? "none")
