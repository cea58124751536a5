import Metering
import Testing

struct PulserTests {
    @Test(arguments: 0..<4) func forwardCountsEachEdge(phase: Int) {
        var shaft = Shaft(side: phase)
        var pulser = Pulser(kind: .quadrature(.alarm), levels: shaft.levels)
        for count in 1...1_000 {
            #expect(pulser.take(shaft.step(1)) == 1)
            #expect(pulser.counts == count)
        }
        #expect(pulser.reverse == 0 && pulser.faults == PulserFaults())
    }

    @Test(arguments: 0..<4) func reverseIsWorkedOffBeforeForwardCounts(phase: Int) {
        var shaft = Shaft(side: phase)
        var pulser = Pulser(kind: .quadrature(.correct), levels: shaft.levels)
        for _ in 0..<10 { pulser.take(shaft.step(1)) }
        for _ in 0..<7 { #expect(pulser.take(shaft.step(-1)) == 0) }
        #expect(pulser.counts == 10 && pulser.reverse == 7)
        for _ in 0..<7 { #expect(pulser.take(shaft.step(1)) == 0) }
        #expect(pulser.counts == 10 && pulser.reverse == 0)
        #expect(pulser.take(shaft.step(1)) == 1)
        #expect(pulser.faults.total == 0)
    }

    /// The high-water rule: the counts are the furthest that the shaft ever was, the reverse counts what it is short of
    /// that.
    @Test(arguments: 0..<200 as Range<UInt64>) func anyWalkCountsItsHighWater(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let start = Int.random(in: -8...8, using: &generator)
        let forwardShare = Int.random(in: 1...9, using: &generator)
        var shaft = Shaft(side: start)
        let security: PulserSecurity = seed % 2 == 0 ? .alarm : .correct
        var pulser = Pulser(kind: .quadrature(security), levels: shaft.levels)
        var highWater = 0
        var gained = 0
        for _ in 0..<2_000 {
            let direction = Int.random(in: 0..<10, using: &generator) < forwardShare ? 1 : -1
            gained += pulser.take(shaft.step(direction))
            highWater = max(highWater, shaft.side - start)
            guard pulser.counts == highWater, pulser.reverse == highWater - (shaft.side - start) else { break }
        }
        #expect(pulser.counts == highWater && gained == highWater)
        #expect(pulser.reverse == highWater - (shaft.side - start))
        #expect(pulser.faults.missedEdges == [0, 0] && pulser.faults.bothTogether == 0)
        #expect(pulser.faults.sequenceGaps == [0, 0])
    }

    // MARK: - Lost edges

    /// One edge of a steady flow is lost below the queue: its number does not show it, the levels do.
    @Test(arguments: 4..<20, [1, -1]) func levelARecoversOneLostEdge(lost: Int, direction: Int) {
        let (pulser, shaft) = run(.quadrature(.correct), losing: [lost], direction)
        #expect(pulser.counts - pulser.reverse == shaft.side)
        #expect(pulser.counts == max(0, shaft.side))
        #expect(pulser.faults.missedEdges.reduce(0, +) == 1 && pulser.faults.total == 1)
    }

    @Test(arguments: 4..<20) func levelARecoversLostEdgesThatAreApart(lost: Int) {
        let (pulser, shaft) = run(.quadrature(.correct), losing: [lost, lost + 9, lost + 20], 1)
        #expect(pulser.counts == shaft.side && pulser.reverse == 0)
        #expect(pulser.faults.missedEdges.reduce(0, +) == 3)
    }

    /// Level B alarms and counts what it saw, which is never more than what flowed.
    @Test(arguments: 4..<20) func levelBAlarmsAndDoesNotGuess(lost: Int) {
        let (pulser, shaft) = run(.quadrature(.alarm), losing: [lost], 1)
        #expect(pulser.counts == shaft.side - 4)
        #expect(pulser.faults.missedEdges.reduce(0, +) == 1)
    }

    /// Any edges lost from a forward flow: the counts never exceed what flowed, and every loss that shows is counted.
    @Test(arguments: 0..<100 as Range<UInt64>, PulserSecurity.allCases)
    func lostEdgesNeverAddCounts(seed: UInt64, security: PulserSecurity) {
        var generator = SeededGenerator(seed: seed)
        let lost = Set((0..<20).map { _ in Int.random(in: 4..<390, using: &generator) })
        let (pulser, shaft) = run(.quadrature(security), losing: lost, 1)
        #expect(pulser.counts <= shaft.side)
        #expect(pulser.faults.total > 0)
    }

    // MARK: - Other faults

    @Test(arguments: PulserChannel.allCases) func aStillLegIsDead(alive: PulserChannel) {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.correct), levels: shaft.levels)
        for edge in 1...Pulser.stillLegEdgesMax * 2 {
            #expect(pulser.faults.deadLegs.reduce(0, +) == (edge - 1) / Pulser.stillLegEdgesMax)
            pulser.take(shaft.edge(alive, rising: edge % 2 == 1))
        }
        #expect(pulser.faults.deadLegs == (alive == .a ? [0, 2] : [2, 0]))
        #expect(pulser.counts <= 1)
    }

    @Test func aGapInTheKernelsNumbersIsCountedPerChannel() {
        var pulser = Pulser(kind: .quadrature(.alarm), levels: (false, false))
        pulser.edge(.a, rising: true, time: 100_000, sequence: 1)
        pulser.edge(.b, rising: true, time: 200_000, sequence: 1)
        pulser.edge(.a, rising: false, time: 300_000, sequence: 2)
        pulser.edge(.b, rising: false, time: 400_000, sequence: 2)
        #expect(pulser.faults.sequenceGaps == [0, 0])
        pulser.edge(.a, rising: true, time: 500_000, sequence: 4)
        pulser.edge(.b, rising: true, time: 600_000, sequence: 2)
        #expect(pulser.faults.sequenceGaps == [1, 1])
        #expect(pulser.counts == 6)
    }

    /// Nothing was heard of the line before: its first number alone tells.
    @Test(arguments: PulserChannel.allCases) func whatIsLostBeforeALinesFirstEdgeIsCounted(channel: PulserChannel) {
        var pulser = Pulser(kind: .quadrature(.alarm), levels: (false, false))
        pulser.edge(channel == .a ? .b : .a, rising: true, time: 100_000, sequence: 1)
        pulser.edge(channel, rising: true, time: 200_000, sequence: 11)
        #expect(pulser.faults.sequenceGaps == (channel == .a ? [10, 0] : [0, 10]))
    }

    @Test func bothChannelsTogetherAreAFaultBelowTheLimit() {
        // A quarter of a step at the design rate.
        for (gap, faults) in [(0, 1), (2_000, 1), (12_499, 1), (12_500, 0)] as [(UInt64, Int)] {
            var shaft = Shaft()
            var pulser = Pulser(kind: .quadrature(.alarm), levels: shaft.levels)
            pulser.take(shaft.edge(.a, rising: true))
            pulser.take(shaft.edge(.b, rising: true, after: gap))
            #expect(pulser.faults.bothTogether == faults, "\(gap) ns")
            #expect(pulser.counts - pulser.reverse == (faults == 0 ? 2 : 0), "\(gap) ns")
        }
    }

    /// A disturbance that raises and lowers both lines, in either order, again and again: no fuel flows, and at most
    /// the first edge of the first one is ever shown.
    @Test(arguments: PulserChannel.allCases, PulserSecurity.allCases)
    func disturbancesOfBothChannelsDoNotAddUp(first: PulserChannel, security: PulserSecurity) {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(security), levels: shaft.levels)
        let second: PulserChannel = first == .a ? .b : .a
        for _ in 0..<1_000 {
            for level in [true, false] {
                pulser.take(shaft.edge(first, rising: level))
                pulser.take(shaft.edge(second, rising: level, after: 100))
            }
        }
        #expect(pulser.counts <= 1 && pulser.counts - pulser.reverse == 0)
        #expect(pulser.faults.bothTogether == 2_000)
        for _ in 0..<40 { pulser.take(shaft.step(1)) }
        #expect(pulser.counts == 40)
    }

    @Test func oneChannelCountsItsEdgesAndSeesALostOne() {
        var shaft = Shaft()
        var pulser = Pulser(kind: .single, levels: shaft.levels)
        for edge in 1...100 { #expect(pulser.take(shaft.edge(.a, rising: edge % 2 == 1)) == 1) }
        #expect(pulser.take(shaft.edge(.a, rising: false)) == 0)
        #expect(pulser.counts == 100 && pulser.faults.missedEdges == [1, 0])
        #expect(pulser.faults.total == 1)
    }

    @Test func countsPerPulse() {
        #expect(PulserKind.quadrature(.alarm).countsPerPulse == 4)
        #expect(PulserKind.single.countsPerPulse == 2)
    }

    /// 400 steps in one direction; the edges of the given steps do not arrive.
    private func run(_ kind: PulserKind, losing lost: Set<Int>, _ direction: Int) -> (Pulser, Shaft) {
        var shaft = Shaft()
        var numbers: [PulserChannel: UInt32] = [.a: 0, .b: 0]
        var limits = MeterLimits()
        limits.reverseCountsMax = 1_000
        var pulser = Pulser(kind: kind, levels: shaft.levels, limits: limits)
        for step in 0..<400 {
            let edge = shaft.step(direction)
            guard !lost.contains(step) else { continue }
            let number = numbers[edge.channel, default: 0] + 1
            numbers[edge.channel] = number
            pulser.edge(edge.channel, rising: edge.rising, time: edge.time, sequence: number)
        }
        return (pulser, shaft)
    }
}
