import Metering
import Testing

@Suite struct PulserHealthTests {
    /// Four places of a cycle, as shares of a step of 750 us: 1,333 edges a second, the meter's largest flow.
    private struct WornPulser {
        static let step = 750_000.0
        var generator = SeededGenerator(seed: 1)
        var shifts = [0.0, 0.0, 0.0, 0.0]
        var jitter = 0.0
        private(set) var edges = 0
        private(set) var pulser: Pulser

        init(_ kind: PulserKind = .quadrature(.alarm)) {
            var limits = MeterLimits()
            limits.edgesPerSecondMax = 1_334
            pulser = Pulser(kind: kind, levels: (false, false), limits: limits)
        }

        /// A rises, B rises, A falls, B falls.
        mutating func turn(_ count: Int) {
            for _ in 0..<count {
                let place = edges % 4
                let beside = shifts[place] + (jitter == 0 ? 0 : .random(in: -jitter...jitter, using: &generator))
                pulser.edge(
                    place % 2 == 0 ? .a : .b,
                    rising: place < 2,
                    time: UInt64((Double(edges) + 10 + beside) * Self.step),
                    sequence: UInt32(edges / 2 + 1)
                )
                edges += 1
            }
        }
    }

    @Test func aPerfectPulserHasAllItsMargin() throws {
        var worn = WornPulser()
        worn.turn(500)
        #expect(worn.pulser.health == nil)
        worn.turn(1_000)
        let channel = PulserHealth.Channel(dutyPermille: 500, jitterPermille: 0)
        #expect(worn.pulser.health == PulserHealth(a: channel, b: channel, phaseTenths: 900, marginPercent: 100))
    }

    @Test func dutyPhaseAndJitterAreWhatWasPutIn() throws {
        var worn = WornPulser()
        // A falls a fifth of a step late, B is late by a tenth.
        worn.shifts = [0, 0.1, 0.2, 0.1]
        worn.turn(2_000)
        let health = try #require(worn.pulser.health)
        #expect(abs(health.a.dutyPermille - 550) <= 1 && abs((health.b?.dutyPermille ?? 0) - 500) <= 1)
        #expect(abs((health.phaseTenths ?? 0) - 900) <= 1)
        #expect(health.a.jitterPermille == 0 && health.b?.jitterPermille == 0)
        var trembling = WornPulser()
        trembling.jitter = 0.1
        trembling.turn(2_000)
        // A tenth to either side has a deviation of 58 thousandths.
        let jitter = try #require(trembling.pulser.health).a.jitterPermille
        #expect((48...68).contains(jitter), "\(jitter)")
    }

    /// B slides by 60 degrees and A's duty grows, within three million edges: the figure warns before anything is a fault.
    @Test(arguments: [(0.8, 0.0), (0.0, 0.8), (0.5, 0.4)])
    func aWornPulserIsToldBeforeItFails(phase: Double, duty: Double) throws {
        var worn = WornPulser()
        worn.jitter = 0.02
        var warned: Int?
        var failed: Int?
        let turns = 300
        var margins: [Int] = []
        for turn in 0..<turns {
            let age = Double(turn) / Double(turns)
            worn.shifts = [0, -phase * age, duty * age, -phase * age]
            worn.turn(10_000)
            let health = try #require(worn.pulser.health)
            margins.append(health.marginPercent)
            if warned == nil, health.isWorn { warned = turn }
            if failed == nil, worn.pulser.faults.total > 0 { failed = turn }
        }
        let first = try #require(warned)
        let last = try #require(failed)
        #expect(margins[0] > 80)
        #expect(last > first + turns / 20, "warned \(first), failed \(last)")
        #expect(zip(margins, margins.dropFirst()).allSatisfy { $1 <= $0 + 3 })
    }

    @Test func aPauseAndATurnBackBeginAnew() {
        var worn = WornPulser()
        worn.turn(400)
        let signal = PulserSignal.flow(counts: 400, stepNanoseconds: 3_000_000)
        var stopping = signal
        for index in stopping.edges.indices where index >= 300 { stopping.edges[index].time += 1_000_000_000 }
        #expect(stopping.decoded().health == nil)
        #expect(PulserSignal.flow(counts: 1_000, stepNanoseconds: 3_000_000).decoded().health?.marginPercent == 100)
        #expect(PulserSignal.flow(counts: -1_000, stepNanoseconds: 3_000_000).decoded().health == nil)
    }

    /// The last step that is measured may be the first of the next day.
    @Test func aNightBetweenAnyTwoStepsIsNoJitter() {
        let night: UInt64 = 12 * 3_600 * 1_000_000_000
        for place in 500..<1_100 {
            var signal = PulserSignal.flow(counts: 1_700, stepNanoseconds: 3_000_000)
            for index in signal.edges.indices where index >= place { signal.edges[index].time += night }
            let health = signal.decoded().health
            #expect(health?.marginPercent == 100, "\(place)")
        }
    }

    /// Each cycle half as long again as the one before, for days.
    @Test func dropsThatComeMoreAndMoreSlowlyAreNotMeasured() {
        var signal = PulserSignal.flow(counts: 300, stepNanoseconds: 3_000_000)
        var (time, step) = (signal.edges[299].time, 3_000_000.0)
        var shaft = Shaft(side: 300)
        for _ in 0..<230 {
            step *= 1.1
            time += UInt64(step)
            let edge = shaft.step(1)
            signal.edges.append(PulserSignal.Edge(channel: edge.channel, rising: edge.rising, time: time))
        }
        #expect(time > 30 * 3_600 * 1_000_000_000)
        #expect(signal.decoded().health == nil)
    }

    @Test func aSingleChannelHasADutyAndNoPhase() throws {
        var pulser = Pulser(kind: .single, levels: (false, false))
        for index in 0..<2_000 {
            let late: UInt64 = index % 2 == 0 ? 0 : 200_000
            pulser.edge(
                .a,
                rising: index % 2 == 0,
                time: 1_000_000_000 + UInt64(index) * 1_000_000 + late,
                sequence: UInt32(index + 1)
            )
        }
        let health = try #require(pulser.health)
        #expect(abs(health.a.dutyPermille - 600) <= 1 && health.b == nil && health.phaseTenths == nil)
        #expect((71...74).contains(health.marginPercent))
    }

    @Test func theHeadShowsIt() {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
        )
        var head = MeterHead(
            calibration: calibration,
            kind: .quadrature(.alarm),
            levels: (false, false),
            nozzleIsLifted: true
        )
        var shaft = Shaft()
        for _ in 0..<1_000 {
            let edge = shaft.step(1)
            _ = head.receive(
                PumpEdge(
                    input: .pulser(edge.channel),
                    rising: edge.rising,
                    nanoseconds: edge.time,
                    sequence: edge.sequence
                )
            )
        }
        #expect(head.snapshot.health?.marginPercent == 100)
    }
}

/// Common mode told from noise, by levels and order.
@Suite struct DisturbanceTests {
    /// Edges 2 us apart at rest, by the letters of their lines; each letter inverts its line.
    private func faults(of lines: String) -> PulserFaults {
        var shaft = Shaft()
        var pulser = Pulser(kind: .quadrature(.alarm), levels: shaft.levels)
        var levels: [PulserChannel: Bool] = [:]
        for (index, line) in lines.enumerated() {
            let channel: PulserChannel = line == "a" ? .a : .b
            let level = !(levels[channel] ?? false)
            levels[channel] = level
            pulser.take(shaft.edge(channel, rising: level, after: index == 0 ? 5_000_000 : 2_000))
        }
        return pulser.faults
    }

    @Test(arguments: [
        ("aa", 0, [1, 0]), ("bb", 0, [0, 1]), ("aaa", 0, [2, 0]), ("ab", 1, [0, 0]), ("abab", 3, [0, 0]),
        ("abba", 3, [0, 0]), ("aba", 0, [2, 0]), ("bab", 0, [0, 2]), ("abb", 0, [0, 2]), ("aabb", 0, [1, 2]),
        ("abaab", 4, [0, 0]),
    ])
    func edgesWithinADisturbanceAre(lines: String, together: Int, noise: [Int]) {
        let faults = faults(of: lines)
        #expect(faults.bothTogether == together && faults.noise == noise)
        #expect(faults.total == lines.count - 1)
    }
}
