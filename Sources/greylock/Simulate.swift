import ArgumentParser
import Simulation
import Terminal
import Threads

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run whole stations on a virtual clock, with everything going wrong, and check every fen.",
        discussion: """
            Nothing is attached and nothing is kept. The sales, the card, the security module and the recovery are the ones that \
            run at a pump; card reader, pulser, disk, mains and clock are replaced, and fail between any two steps. After every \
            event the books are checked: each litre is paid once, each locked card can be released. Exit status 1 and a trace \
            mean that a rule was broken; the seed that is printed with it plays the same again.
            """
    )

    @Option(help: ArgumentHelp("How many sales, 1 to 1000000000.", valueName: "N"))
    var sales = 100_000

    @Option(help: ArgumentHelp("Where the stations' chances start.", valueName: "S"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("What goes wrong: none, card, power, pump or full.", valueName: "PROFILE"))
    var faults = FaultProfile.full

    func validate() throws {
        guard (1...1_000_000_000).contains(sales) else {
            throw ValidationError("--sales: expected 1 to 1000000000 (found \(sales))")
        }
    }

    @Flag(help: "Every single power cut and every pair of them over three short scenarios, and nothing else.")
    var exhaustive = false

    func run() throws {
        if exhaustive {
            for scenario in ExhaustiveCuts.Scenario.allCases {
                let begun = MonotonicClock.nanoseconds
                let (tally, violation) = ExhaustiveCuts(scenario).run()
                print(scenario.rawValue, tally, Double(MonotonicClock.nanoseconds - begun) / 1e9)
                if let violation {
                    print(violation.reason)
                    for visit in violation.visits { print("  \(visit)") }
                    for line in violation.trace { print("  \(line)") }
                }
            }
            return
        }
        var simulation = StationSimulation(seed: seed, profile: faults, ownsArena: true)
        let begun = MonotonicClock.nanoseconds
        let violation = simulation.run(sales: sales)
        let seconds = Double(MonotonicClock.nanoseconds - begun) / 1e9
        let tally = simulation.tally
        print(
            "seed \(seed): \(tally.sales) sales at \(tally.stations) stations, \(tally.faults) faults, \(Int(Double(tally.sales) / seconds)) sales/s"
        )
        for kind in FaultKind.allCases { print("  \(tally.faultsMet[kind] ?? 0) \(kind.rawValue)") }
        print(tally.cutsByCountsLost.sorted { $0.key < $1.key })
        guard let violation else {
            print("no rule was broken")
            return
        }
        print("station \(violation.seed): \(violation.reason)")
        for visit in violation.visits { print("  \(visit)") }
        for line in violation.trace { print("  \(line)") }
        throw ExitCode(1)
    }
}

extension FaultProfile: ExpressibleByArgument {}
