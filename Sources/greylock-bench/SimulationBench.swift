import Simulation
import Threads

/// Whole sales on a virtual clock with every fault, on one thread, with all checks: `greylock simulate`.
enum SimulationBench {
    private static let name = "simulated sales"
    private static let sales = 20_000

    static func run() -> [BenchResult] {
        var simulation = StationSimulation(seed: 1, profile: .full, ownsArena: false)
        let begun = MonotonicClock.nanoseconds
        let violation = simulation.run(sales: sales)
        let seconds = Double(MonotonicClock.nanoseconds - begun) / 1_000_000_000
        if let violation { return [.notMeasured(name: name, why: "a rule was broken: \(violation.reason)")] }
        return [
            .rate(
                name: name,
                value: Double(simulation.tally.sales) / seconds,
                unit: "sales/s",
                reference: 10_000,
                of: "aim, on one core"
            )
        ]
    }
}
