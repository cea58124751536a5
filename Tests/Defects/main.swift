import Simulation

// `defects SALES`: prints how many sales it took to see that a rule was broken, and which; or that none was.
// `defects exhaustive`: the same of every power cut and every pair of them.
// `defects SCENARIO`: the same of an attacker's known way, by the name of its case.

guard CommandLine.arguments.count == 2 else { fatalError("usage: defects SALES|exhaustive|SCENARIO") }
let sales = Int(CommandLine.arguments[1])
var found: String?
if let sales {
    var simulation = StationSimulation(seed: 1, profile: .full, ownsArena: true)
    found = simulation.run(sales: sales).map { "\(simulation.tally.sales) \($0.reason)" }
} else if let attack = AttackScenario.allCases.first(where: { "\($0)" == CommandLine.arguments[1] }) {
    found = attack.run().map { "1 \($0.reason)" }
} else {
    precondition(CommandLine.arguments[1] == "exhaustive", "no such scenario")
    for scenario in ExhaustiveCuts.Scenario.allCases where found == nil {
        let (tally, violation) = ExhaustiveCuts(scenario).run()
        found = violation.map { "\(tally.singles) \($0.reason)" }
    }
}
print(found ?? "none")
