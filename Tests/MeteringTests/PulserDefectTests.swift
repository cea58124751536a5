import Metering
import Testing

/// What reaches the decoder from a broken pulser, a broken cable or a kernel that merges edges: 4,000 counts truly turned, at
/// both security levels. Each defect is a fault, and none adds a count.
@Suite struct PulserDefectTests {
    private static let counts = 4_000
    private static let securities = PulserSecurity.allCases
    /// In litres a minute, of 400 counts: what time shows it shows from 12 L/min on.
    private static let rates = [12, 20, 50, 90, 200]

    private func flow(_ rate: Int) -> PulserSignal {
        PulserSignal.flow(
            counts: Self.counts,
            stepNanoseconds: PulserSignal.stepNanoseconds(litresPerMinute: rate)
        )
    }

    // MARK: - Seen by time

    @Test(arguments: PulserChannel.allCases, securities)
    func twoSuccessiveEdgesOfOneChannelAreTwoFaults(channel: PulserChannel, security: PulserSecurity) {
        for rate in Self.rates {
            for first in 900..<904 {
                let pulser = flow(rate).losing { $1 == channel && (first...first + 1).contains($2) }
                    .decoded(.quadrature(security))
                #expect(pulser.faults.silentEdges[channel.rawValue] == 2, "\(rate) L/min")
                #expect(pulser.faults.total == 2 && pulser.counts == 3_996)
            }
        }
    }

    @Test(arguments: PulserChannel.allCases, securities)
    func onePulseLostInTenCyclesIsSeenEachTime(channel: PulserChannel, security: PulserSecurity) {
        for rate in Self.rates {
            let pulser = flow(rate).losing { $1 == channel && $2 % 20 >= 18 }.decoded(.quadrature(security))
            // What is lost last has no edge after it.
            #expect((3_600...3_601).contains(pulser.counts))
            // A hundred times; what ends with the signal has no step after it that shows it.
            #expect(pulser.faults.silentEdges[channel.rawValue] >= 198, "\(rate) L/min")
        }
    }

    @Test(arguments: PulserChannel.allCases, [4, 6])
    func moreEdgesOfOneChannelWeighWhatTheyAre(channel: PulserChannel, lost: Int) {
        for security in Self.securities {
            let pulser = flow(50).losing { $1 == channel && (900..<900 + lost).contains($2) }
                .decoded(.quadrature(security))
            #expect(pulser.faults.silentEdges[channel.rawValue] == lost && pulser.faults.total == lost)
            #expect(pulser.counts == 4_000 - 2 * lost)
        }
    }

    /// Every second pulse from the first edge on: no pace is ever found.
    @Test(arguments: PulserChannel.allCases, securities)
    func aChannelThatLosesEverySecondPulseIsSeenWithoutAPace(channel: PulserChannel, security: PulserSecurity) {
        for rate in [1, 5] + Self.rates {
            let pulser = flow(rate).losing { $1 == channel && $2 % 4 >= 2 }.decoded(.quadrature(security))
            #expect(pulser.counts <= 2_001)
            #expect(pulser.faults.silentEdges[channel.rawValue] > 700, "\(rate) L/min")
        }
    }

    @Test(arguments: securities, [1, 2])
    func wholeCyclesOfBothChannelsAreAFault(security: PulserSecurity, cycles: Int) {
        for rate in Self.rates where rate > 12 || cycles == 1 {
            for first in 1_000..<1_004 {
                let pulser = flow(rate).losing { index, _, _ in (first..<first + 4 * cycles).contains(index) }
                    .decoded(.quadrature(security))
                #expect(pulser.faults.flowGaps == 1 && pulser.faults.total == 1, "\(rate) L/min")
                #expect(pulser.counts == 4_000 - 4 * cycles)
            }
        }
    }

    /// From the first cycle on, too: the few steps between two losses make a pace.
    @Test(arguments: [2, 3, 4, 10])
    func aCycleLostInEachFewCyclesIsSeenEachTime(each: Int) {
        let fromBegin = flow(50).losing { index, _, _ in index / 4 % each == each - 1 }.decoded()
        #expect(fromBegin.faults.flowGaps >= 990 / each - 3)
        let pulser = flow(50).losing { index, _, _ in index >= 40 && index / 4 % each == 0 }.decoded()
        #expect(pulser.faults.flowGaps >= 990 / each - 1)
    }

    @Test(arguments: PulserChannel.allCases, securities)
    func aChannelThatDiesInFlowIsDeadAfterEightEdges(channel: PulserChannel, security: PulserSecurity) {
        for rate in Self.rates {
            let signal = flow(rate).losing { $1 == channel && $2 >= 500 }
            let pulser = PulserSignal(edges: Array(signal.edges.prefix(1_010))).decoded(.quadrature(security))
            #expect(pulser.faults.deadLegs[channel.rawValue] == 1, "\(rate) L/min")
            #expect(pulser.faults.total == 1)
            let whole = signal.decoded(.quadrature(security))
            #expect(whole.counts <= 1_002 && whole.faults.total > 150)
        }
    }

    // MARK: - Rates and disturbances

    @Test(arguments: securities)
    func aMillionEdgesASecondAreFaultsAndNoCounts(security: PulserSecurity) {
        let pulser = PulserSignal.flow(counts: Self.counts, stepNanoseconds: 1_000).decoded(.quadrature(security))
        #expect(pulser.counts <= 1 && pulser.faults.total >= 3_999)
    }

    /// Twice the meter's largest flow, which is no disturbance: what it may make counts, the rest is faults.
    @Test func twiceTheLargestFlowIsSeen() {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
        )
        let limits = MeterLimits(calibration: calibration, litresPerMinuteMax: 90, reverseCentilitresMax: 20)
        #expect(limits.edgesPerSecondMax == 600)
        #expect(flow(90).decoded(limits: limits).faults.total == 0)
        let pulser = flow(180).decoded(limits: limits)
        #expect(pulser.faults.tooFast.reduce(0, +) > 1_000)
        #expect(pulser.counts + pulser.faults.total == Self.counts)
    }

    /// A hundred pulses of 10 ms on both lines, the second 2 us after the first: nothing turned.
    @Test(arguments: [0, 500, 2_000, 10_000] as [UInt64], PulserChannel.allCases)
    func commonModePulsesAtRestCountNothing(apart: UInt64, first: PulserChannel) {
        for security in Self.securities {
            var shaft = Shaft()
            var pulser = Pulser(kind: .quadrature(security), levels: shaft.levels)
            let second: PulserChannel = first == .a ? .b : .a
            for _ in 0..<100 {
                for level in [true, false] {
                    pulser.take(shaft.edge(first, rising: level, after: 10_000_000))
                    pulser.take(shaft.edge(second, rising: level, after: apart))
                }
            }
            #expect(pulser.counts == 0 && pulser.reverse == 0)
            #expect(pulser.faults.bothTogether == 200 && pulser.faults.total == 200)
        }
    }

    /// Pulses shorter than the time between the lines: four edges within 6 us.
    @Test func shortCommonModePulsesCountNothing() {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.correct), levels: shaft.levels)
        for _ in 0..<100 {
            for (channel, level) in [(PulserChannel.a, true), (.b, true), (.a, false), (.b, false)] {
                pulser.take(shaft.edge(channel, rising: level, after: channel == .a && level ? 5_000_000 : 2_000))
            }
        }
        #expect(pulser.counts == 0 && pulser.reverse == 0 && pulser.faults.bothTogether == 300)
    }

    /// A contact that bounces two to six times at each edge, 3 us apart: the edges are counted once, the bounces are faults.
    @Test(arguments: PulserChannel.allCases)
    func chatterOnOneChannelIsFaultsAndCountsEachEdgeOnce(channel: PulserChannel) {
        var chattering = PulserSignal()
        for (index, edge) in flow(50).edges.enumerated() {
            chattering.edges.append(edge)
            guard edge.channel == channel else { continue }
            for bounce in 1...2 + 2 * (index % 3) {
                var again = edge
                again.rising = edge.rising != (bounce % 2 == 1)
                again.time += 3_000 * UInt64(bounce)
                chattering.edges.append(again)
            }
        }
        let pulser = chattering.decoded()
        #expect(pulser.counts == Self.counts)
        #expect(pulser.faults.noise[channel.rawValue] == pulser.faults.total && pulser.faults.total > 4_000)
    }

    /// A short circuit between A and B: each follows the other within a microsecond.
    @Test func aChannelThatFollowsTheOtherCountsNothing() {
        var shorted = PulserSignal()
        for edge in flow(50).edges where edge.channel == .a {
            shorted.edges.append(edge)
            shorted.edges.append(PulserSignal.Edge(channel: .b, rising: edge.rising, time: edge.time + 800))
        }
        let pulser = shorted.decoded()
        #expect(pulser.counts == 0 && pulser.faults.bothTogether == 2_000)
    }

    /// B's phase slides by a whole step within 4,000 counts, and on to a step behind A.
    @Test func aChannelThatDriftsOutOfPhaseIsSeen() {
        var drifting = flow(50)
        for index in drifting.edges.indices where drifting.edges[index].channel == .b {
            drifting.edges[index].time -= UInt64(index) * 1_500
        }
        drifting.edges.sort { $0.time < $1.time }
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
        )
        let limits = MeterLimits(calibration: calibration, litresPerMinuteMax: 200, reverseCentilitresMax: 20)
        let pulser = drifting.decoded(limits: limits)
        #expect(pulser.faults.bothTogether > 100 && pulser.faults.reversed > 0)
        #expect(pulser.counts <= Self.counts)
    }

    // MARK: - Direction

    @Test(arguments: securities)
    func swappedChannelsAreReversedFlow(security: PulserSecurity) {
        let pulser = flow(50).swapped(from: 0).decoded(.quadrature(security))
        #expect(pulser.counts == 0 && pulser.reverse == Self.counts)
        // 20 cL are 80 counts.
        #expect(pulser.faults.reversed == 50 && pulser.faults.total == 50)
    }

    @Test(arguments: 1_000..<1_004, securities)
    func channelsSwappedWhileFuelFlowsAreReversedFlow(index: Int, security: PulserSecurity) {
        let pulser = flow(50).swapped(from: index).decoded(.quadrature(security))
        #expect(pulser.faults.reversed >= 36 && pulser.counts <= index)
    }

    @Test func whatFlowsBackWithinTheLimitIsNoFault() {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.alarm), levels: shaft.levels)
        for _ in 0..<100 { pulser.take(shaft.step(1)) }
        for _ in 0..<10 {
            for _ in 0..<79 { pulser.take(shaft.step(-1)) }
            for _ in 0..<79 { pulser.take(shaft.step(1)) }
        }
        #expect(pulser.faults.total == 0 && pulser.counts == 100)
        for _ in 0..<80 { pulser.take(shaft.step(-1)) }
        #expect(pulser.faults.reversed == 1)
    }

    // MARK: - Numbers

    /// What the queue drops has its numbers: as many faults as lost edges, per channel, at any time of the flow.
    @Test(arguments: [1, 2, 3, 10, 1_024, 3_000], securities)
    func aLossThatNumbersShowWeighsWhatItIs(lost: Int, security: PulserSecurity) {
        var numbers: [UInt32] = [0, 0]
        var pulser = Pulser(kind: .quadrature(security), levels: (false, false))
        for (index, edge) in flow(50).edges.enumerated() {
            numbers[edge.channel.rawValue] += 1
            guard !(500..<500 + lost).contains(index) else { continue }
            pulser.edge(edge.channel, rising: edge.rising, time: edge.time, sequence: numbers[edge.channel.rawValue])
        }
        #expect(pulser.faults.sequenceGaps == [(lost + 1) / 2, lost / 2])
        #expect(pulser.faults.total == lost)
        #expect(pulser.counts <= Self.counts && pulser.counts >= Self.counts - lost - 4)
    }

    /// The same edges again, or a batch that came late: nothing is counted twice.
    @Test func eventsThatComeTwiceCountOnce() {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.correct), levels: shaft.levels)
        for _ in 0..<400 {
            let edge = shaft.step(1)
            pulser.take(edge)
            pulser.take(edge)
        }
        #expect(pulser.counts == 400 && pulser.faults.sequenceGaps == [200, 200])
        #expect(pulser.faults.total == 400)
    }

    /// Two losses bring each line there, as large as numbers can show.
    @Test func numbersGoOnPastTheirEnd() {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.alarm), levels: shaft.levels)
        let numbers: [UInt32] = [0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF, 0, 1]
        for (index, number) in numbers.enumerated() {
            for _ in PulserChannel.allCases {
                let edge = shaft.step(1)
                pulser.edge(edge.channel, rising: edge.rising, time: edge.time, sequence: number)
            }
            let lost = 0x7FFF_FFFE * min(2, index + 1)
            #expect(pulser.faults.sequenceGaps == [lost, lost])
        }
        #expect(pulser.counts == 10)
    }

    /// The kernel took two lines' edges the wrong way round and stamped them so.
    @Test func edgesStampedBackwardsAreFaults() {
        var signal = flow(50)
        let later = signal.edges[1_001].time
        signal.edges[1_001].time = signal.edges[1_000].time
        signal.edges[1_000].time = later
        let pulser = signal.decoded()
        #expect(pulser.faults.bothTogether >= 1 && pulser.counts <= Self.counts)
    }

    // MARK: - One channel

    @Test func aSingleChannelSeesItsLosses() {
        func single(_ rate: Int) -> PulserSignal {
            var signal = PulserSignal()
            for index in 0..<Self.counts {
                let time = 1_000_000_000 + UInt64(index) * 2 * PulserSignal.stepNanoseconds(litresPerMinute: rate)
                signal.edges.append(PulserSignal.Edge(channel: .a, rising: index % 2 == 0, time: time))
            }
            return signal
        }
        for rate in Self.rates {
            #expect(single(rate).decoded(.single).faults.total == 0)
            #expect(single(rate).losing { index, _, _ in index == 900 }.decoded(.single).faults.missedEdges == [1, 0])
            let pulse = single(rate).losing { index, _, _ in (900...901).contains(index) }.decoded(.single)
            #expect(pulse.faults.flowGaps == 1 && pulse.faults.total == 1, "\(rate) L/min")
        }
        var glitching = single(50)
        for index in 0..<100 {
            let time = glitching.edges[index * 10].time + 2_000_000
            let level = glitching.edges[index * 10].rising
            glitching.edges += [!level, level].enumerated().map {
                PulserSignal.Edge(channel: .a, rising: $0.element, time: time + UInt64($0.offset) * 5_000)
            }
        }
        glitching.edges.sort { $0.time < $1.time }
        let pulser = glitching.decoded(.single)
        #expect(pulser.counts == Self.counts && pulser.faults.noise == [100, 0])
    }

    // MARK: - What is proven

    /// A lost edge at a step where the flow changes proves nothing of the volume: level A then counts what it saw.
    @Test func levelACorrectsOnlyWhatThePaceProves() {
        var signal = PulserSignal.flow(counts: 100, stepNanoseconds: 3_000_000)
        // A steady flow stops for a second just after the lost edge, and goes on.
        for index in signal.edges.indices where index > 52 { signal.edges[index].time += 1_000_000_000 }
        let pulser = signal.losing { index, _, _ in index == 52 }.decoded(.quadrature(.correct))
        #expect(pulser.faults.missedEdges.reduce(0, +) == 1)
        #expect(pulser.counts == 96)
    }
}
