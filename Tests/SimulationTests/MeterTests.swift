import PulseSignals
import Simulation
import Testing

/// Stations whose pulsers lie.
@Suite struct MeterTests {
    private static func tallies(sales: Int, sides: Int) -> [PulseFaultKind: LieTally] {
        var simulation = StationSimulation(seed: 20_261_127, profile: .meter, sides: sides, ownsArena: false)
        let violation = simulation.run(sales: sales)
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
        return simulation.tally.lies
    }

    @Test("what is charged is what was proven, however the pulser lies, and the position closes when it must")
    func chargesWhatWasProven() throws {
        let tallies = Self.tallies(sales: 1_500, sides: 1)
        #expect(Set(tallies.keys) == Set(PulseFaultKind.allCases))
        for (kind, tally) in tallies {
            #expect(tally.over == 0, "\(kind.rawValue)")
            #expect(kind.isHarmless || tally.faults > 10, "\(kind.rawValue)")
        }
        for kind in [PulseFaultKind.clean, .jog, .bounce, .noise] {
            #expect(tallies[kind]?.short == 0, "\(kind.rawValue)")
        }
        for kind in [PulseFaultKind.clean, .jog, .stuck] { #expect(tallies[kind]?.closed == 0, "\(kind.rawValue)") }
        for kind in [PulseFaultKind.swapped, .deadLeg] {
            let tally = try #require(tallies[kind])
            #expect(tally.closed * 10 > tally.sales * 9, "\(kind.rawValue)")
        }
    }

    @Test("the same at three sides, which sell at once")
    func chargesWhatWasProvenAtThreeSides() {
        #expect(Set(Self.tallies(sales: 500, sides: 3).keys) == Set(PulseFaultKind.allCases))
    }
}
