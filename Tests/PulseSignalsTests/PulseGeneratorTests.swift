import Metering
import PulseSignals
import Testing

@Suite struct PulseGeneratorTests {
    private static func edges(_ generator: inout PulseGenerator, _ count: Int) -> [PumpEdge] {
        (0..<count).map { _ in generator.next() }
    }

    @Test(arguments: PulseFaultKind.allCases)
    func theSameSeedMakesTheSameEdges(kind: PulseFaultKind) {
        func signal(_ seed: UInt64) -> [PumpEdge] {
            var generator = PulseGenerator(kind: kind, edgesPerSecond: 333, jitterPercent: 5, seed: seed)
            return Self.edges(&generator, 5_000)
        }
        #expect(signal(1) == signal(1))
        #expect(signal(1) != signal(2))
    }

    @Test(arguments: PulseFaultKind.allCases, [83, 20_000])
    func timesRiseAndNumbersAreThoseOfAKernel(kind: PulseFaultKind, rate: Int) {
        var generator = PulseGenerator(kind: kind, edgesPerSecond: rate, jitterPercent: 5, seed: 3)
        var time: UInt64 = 0
        var numbers: [UInt32] = [0, 0]
        var skipped = 0
        for _ in 0..<20_000 {
            let edge = generator.next()
            guard case .pulser(let channel) = edge.input else {
                Issue.record("an edge of another line")
                return
            }
            #expect(edge.nanoseconds >= time)
            skipped += Int(edge.sequence - numbers[channel.rawValue]) - 1
            time = edge.nanoseconds
            numbers[channel.rawValue] = edge.sequence
        }
        #expect((skipped > 0) == (kind == .dropped))
        #expect(generator.edges == 20_000)
        #expect((generator.faults > 0) == (kind != .clean))
        #expect(generator.lastFault.map { $0.edge < 20_000 && $0.kind == kind } ?? (kind == .clean))
    }

    /// Where no edge is lost on its way, a level never comes twice.
    @Test(arguments: [
        PulseFaultKind.clean, .bounce, .noise, .commonMode, .swapped, .jog, .overspeed, .stuck, .phaseDrift,
    ])
    func levelsAlternate(kind: PulseFaultKind) {
        var generator = PulseGenerator(kind: kind, edgesPerSecond: 1_333, jitterPercent: 5, seed: 4)
        var levels = [generator.levels.a, generator.levels.b]
        var same = 0
        for edge in Self.edges(&generator, 50_000) {
            guard case .pulser(let channel) = edge.input else { continue }
            if levels[channel.rawValue] == edge.rising { same += 1 }
            levels[channel.rawValue] = edge.rising
        }
        #expect(same == 0)
    }

    @Test(arguments: [83, 333, 1_333, 5_000, 20_000])
    func aCleanSignalHasItsRateAndItsCounts(rate: Int) {
        var generator = PulseGenerator(kind: .clean, edgesPerSecond: rate, seed: 5)
        let edges = Self.edges(&generator, 10_000)
        #expect(generator.trueCounts == 10_000)
        let seconds = Double(edges[9_999].nanoseconds - edges[0].nanoseconds) / 1_000_000_000
        #expect(abs(9_999 / seconds - Double(rate)) < Double(rate) / 10_000)
    }

    /// What is lost is what truly flowed and made no edge.
    @Test(arguments: [
        (PulseFaultKind.oneLostOnA, 1), (.oneLostOnB, 1), (.oneLostOnBoth, 2), (.twoLostOnA, 2), (.twoLostOnB, 2),
        (.twoLostOnBoth, 4),
    ])
    func aLossTakesSoManyEdges(kind: PulseFaultKind, lost: Int) {
        var generator = PulseGenerator(kind: kind, edgesPerSecond: 333, seed: 6)
        while generator.faults < 101 { _ = generator.next() }
        #expect(generator.lastFault?.trueCounts == (generator.lastFault?.edge ?? 0) + 100 * lost)
    }
}
