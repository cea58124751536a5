import Simulation
import Testing

@Suite struct StationSimulationTests {
    @Test("no rule is broken, and every kind of fault of the profile strikes", arguments: FaultProfile.allCases)
    func rulesHold(profile: FaultProfile) throws {
        var simulation = StationSimulation(seed: 20_261_121, profile: profile, ownsArena: false)
        let violation = simulation.run(sales: profile == .full ? 2_000 : 500)
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
        let met = Set(simulation.tally.faultsMet.keys)
        #expect((simulation.tally.tests > 0) == (profile == .power || profile == .full))
        switch profile {
        case .none: #expect(met == [.visitedElsewhere, .terminalRenumbered, .zoneChange])
        case .card:
            #expect(met.isSuperset(of: [.cardPulledAfter, .answerLost, .answerCorrupted, .readerGone, .pinWrong]))
        case .power:
            #expect(
                met.isSuperset(of: [.powerCutBefore, .powerCutDuring, .diskFull, .slowDisk, .clockJump, .zoneChange])
            )
        case .pump: #expect(met.isSuperset(of: [.pulseMissed, .pulseBounced, .pulsesReversed, .frozen, .pulsesLost]))
        case .attack:
            #expect(met.isSuperset(of: [.answerReplayed, .answerForged, .statusForged, .commandKept, .askedAhead]))
        case .meter: #expect(met == [.visitedElsewhere])
        case .full:
            let all = Set(FaultKind.allCases).subtracting(FaultKind.ofParameters)
            #expect(met == all, "\(all.subtracting(met))")
        }
    }

    @Test("the same seed plays the same, and a station's seed that station first")
    func isDeterministic() {
        func tally(_ seed: UInt64, sales: Int) -> StationSimulation.Tally {
            var simulation = StationSimulation(seed: seed, profile: .full, ownsArena: false)
            #expect(simulation.run(sales: sales) == nil)
            return simulation.tally
        }
        #expect(tally(7, sales: 300) == tally(7, sales: 300))
        #expect(tally(7, sales: 300) != tally(8, sales: 300))
        let second = StationSimulation.seed(ofStation: 1, seed: 7)
        var both = tally(7, sales: 1)
        both.add(tally(second, sales: 1))
        #expect(both == tally(7, sales: both.sales))
    }
}
