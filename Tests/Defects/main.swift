import PulseSignals
import Simulation
import TestCounters
import TestSeals

// `defects SALES [SIDES]`: prints how many sales it took to see that a rule was broken, and which; or that none was.
// `defects "PROFILE SALES"`: the same with another profile of faults than the full one.
// `defects "sealed SALES"`: the same of the full profile, where meters are calibrated and sets of parameters come meanwhile.
// `defects exhaustive`: the same of every power cut and every pair of them.
// `defects counter`: the same of the issuer's counter, its power cut everywhere.
// `defects seal`: the same of what somebody does to a book of parameters.
// `defects pulses`: the same of a decoder and each kind of fault of a pulser.
// `defects SCENARIO`: the same of an attacker's known way, of what the field does, or of presets at slow valves, by the name of
// its case.

guard (2...3).contains(CommandLine.arguments.count) else {
    fatalError("usage: defects SALES [SIDES]|\"PROFILE|sealed SALES\"|exhaustive|counter|seal|pulses|SCENARIO")
}

func profileAndSales(_ words: String) -> (FaultProfile, Int)? {
    let words = words.split(separator: " ")
    guard words.count == 2, let profile = FaultProfile(rawValue: String(words[0])), let sales = Int(words[1]) else {
        return nil
    }
    return (profile, sales)
}

func sealedSales(_ words: String) -> Int? {
    guard words.hasPrefix("sealed ") else { return nil }
    return Int(words.dropFirst("sealed ".count))
}

let sales = Int(CommandLine.arguments[1])
var found: String?
if let sales {
    guard let sides = Int(CommandLine.arguments.dropFirst(2).first ?? "1"),
        (1...StationSimulation.sidesMax).contains(sides)
    else { fatalError("no number of sides") }
    var simulation = StationSimulation(seed: 1, profile: .full, sides: sides, ownsArena: true)
    found = simulation.run(sales: sales).map { "\(simulation.tally.sales) \($0.reason)" }
} else if let (profile, sales) = profileAndSales(CommandLine.arguments[1]) {
    var simulation = StationSimulation(seed: 1, profile: profile, ownsArena: true)
    found = simulation.run(sales: sales).map { "\(simulation.tally.sales) \($0.reason)" }
} else if let sales = sealedSales(CommandLine.arguments[1]) {
    var simulation = StationSimulation(
        seed: 1,
        profile: .full,
        ownsArena: true,
        seal: { .demonstration(version: "defects") }
    )
    found = simulation.run(sales: sales).map { "\(simulation.tally.sales) \($0.reason)" }
} else if CommandLine.arguments[1] == "counter" {
    var walk = CounterWalk()
    found = try walk.run().map { "\(walk.ways) \($0)" }
} else if CommandLine.arguments[1] == "seal" {
    var walk = SealWalk()
    found = try walk.run().map { "\(walk.ways) \($0)" }
} else if CommandLine.arguments[1] == "pulses" {
    var cells = 0
    for kind in PulseFaultKind.allCases where found == nil {
        for rate in PulseCell.edgesPerSecond where found == nil {
            cells += 1
            found = PulseCell(kind: kind, edgesPerSecond: rate, edges: 20_000, seed: 1).brokenRules.first.map {
                "\(cells) \($0)"
            }
        }
    }
} else if let attack = AttackScenario.allCases.first(where: { "\($0)" == CommandLine.arguments[1] }) {
    found = attack.run().map { "1 \($0.reason)" }
} else if let field = FieldScenario.allCases.first(where: { "\($0)" == CommandLine.arguments[1] }) {
    found = field.run().0.map { "1 \($0.reason)" }
} else if let valves = ValveScenario.allCases.first(where: { "\($0)" == CommandLine.arguments[1] }) {
    found = valves.run().map { "1 \($0)" }
} else {
    precondition(CommandLine.arguments[1] == "exhaustive", "no such scenario")
    for scenario in ExhaustiveCuts.Scenario.allCases where found == nil {
        let (tally, violation) = ExhaustiveCuts(scenario).run()
        found = violation.map { "\(tally.singles) \($0.reason)" }
    }
}
print(found ?? "none")
