import Simulation
import Testing

/// Stations with several sides, which sell at once.
@Suite struct SidesTests {
    @Test(
        "no rule is broken at three sides, and every kind of fault strikes",
        arguments: [FaultProfile.full, .none, .attack]
    )
    func rulesHold(profile: FaultProfile) {
        var simulation = StationSimulation(seed: 20_261_126, profile: profile, sides: 3, ownsArena: false)
        let violation = simulation.run(sales: profile == .full ? 2_000 : 500)
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
        if profile == .full {
            #expect(Set(simulation.tally.faultsMet.keys) == Set(FaultKind.allCases).subtracting(FaultKind.ofParameters))
        }
    }

    @Test("no rule is broken at as many sides as a board has", arguments: [2, StationSimulation.sidesMax])
    func rulesHold(sides: Int) {
        var simulation = StationSimulation(seed: 7, profile: .full, sides: sides, ownsArena: false)
        let violation = simulation.run(sales: 500)
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
    }

    @Test("the same seed plays the same, on however many threads", arguments: [1, 3])
    func isDeterministic(sides: Int) {
        func tally(jobs: Int) -> StationSimulation.Tally {
            var simulation = StationSimulation(seed: 7, profile: .full, sides: sides, ownsArena: false)
            #expect(simulation.run(sales: 300, jobs: jobs) == nil)
            return simulation.tally
        }
        let alone = tally(jobs: 1)
        #expect(tally(jobs: 1) == alone)
        #expect(tally(jobs: 3) == alone)
    }
}
