import Foundation
import Metering
import Testing

/// A shaft with a mass, a meter that bends with its fuel, sensors that are a little off: whatever a hand does at the nozzle,
/// nothing of it is a fault.
@Suite struct CleanPulserTests {
    /// 400 counts a litre.
    private static func countsPerSecond(_ litresPerMinute: Double) -> Double { litresPerMinute * 400 / 60 }

    /// Any customer: opens, holds, changes, lets go, all with the hammer that a closing valve makes.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func aCleanPulserNeverAlarms(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var shaft = HeavyShaft(seed: seed)
        let most = Double(Int.random(in: 1...200, using: &generator))
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0, 1: shaft.turn(Self.countsPerSecond(most), seconds: min(4, 1_500 / Self.countsPerSecond(most)))
            case 2: shaft.turn(Self.countsPerSecond(most * .random(in: 0.05...1, using: &generator)), seconds: 0.8)
            case 3:
                shaft.hammer(
                    counts: .random(in: 0...6, using: &generator),
                    hertz: .random(in: 4...30, using: &generator)
                )
            case _:
                shaft.jog(
                    counts: .random(in: 0.5...5, using: &generator),
                    times: Int.random(in: 1...8, using: &generator)
                )
            }
            shaft.rest(seconds: .random(in: 0.1...2, using: &generator))
        }
        for security in PulserSecurity.allCases {
            let pulser = shaft.signal.decoded(.quadrature(security), levels: shaft.startLevels)
            #expect(pulser.faults == PulserFaults(), "seed \(seed)")
            #expect(pulser.counts == shaft.highWater, "seed \(seed)")
        }
    }

    /// With the limits of the configuration's default, 200 L/min.
    @Test(arguments: [1, 2, 5, 10, 12, 20, 35, 50, 75, 90, 130, 200])
    func aSteadyFlowWithFivePercentJitterNeverAlarms(litresPerMinute: Int) {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
        )
        let limits = MeterLimits(calibration: calibration, litresPerMinuteMax: 200, reverseCentilitresMax: 20)
        var generator = SeededGenerator(seed: UInt64(litresPerMinute))
        let step = PulserSignal.stepNanoseconds(litresPerMinute: litresPerMinute)
        for _ in 0..<20 {
            var signal = PulserSignal.flow(counts: 2_000, stepNanoseconds: step)
            for index in signal.edges.indices {
                signal.edges[index].time += UInt64.random(in: 0...step / 10, using: &generator)
            }
            let pulser = signal.decoded(limits: limits)
            #expect(pulser.faults == PulserFaults() && pulser.counts == 2_000)
        }
    }

    /// A nozzle knocked again and again: the shaft rocks over one edge, or over a few, at any speed.
    @Test(arguments: 1...6, [100_000, 1_000_000, 20_000_000] as [UInt64])
    func aJogAtRestNeverAlarms(amplitude: Int, stepNanoseconds: UInt64) {
        for phase in 0..<4 {
            var shaft = Shaft(side: phase)
            shaft.stepNanoseconds = stepNanoseconds
            var pulser = Pulser(kind: .quadrature(.correct), levels: shaft.levels)
            for _ in 0..<12 {
                for _ in 0..<amplitude { pulser.take(shaft.step(1)) }
                for _ in 0..<amplitude { pulser.take(shaft.step(-1)) }
                shaft.time += 300_000_000
            }
            #expect(pulser.faults == PulserFaults() && pulser.counts == amplitude)
        }
    }

    /// Three rests within a cup of fuel, and at each of them the nozzle is knocked on the same edge.
    @Test(arguments: [100_000, 1_000_000, 12_000_000] as [UInt64], PulserSecurity.allCases)
    func aJogBetweenShortFlowsNeverAlarms(stepNanoseconds: UInt64, security: PulserSecurity) {
        for phase in 0..<4 {
            var shaft = Shaft(side: phase)
            var pulser = Pulser(kind: .quadrature(security), levels: shaft.levels)
            for _ in 0..<20 {
                shaft.stepNanoseconds = stepNanoseconds
                for _ in 0..<40 { pulser.take(shaft.step(1)) }
                shaft.stepNanoseconds = stepNanoseconds * 11
                for _ in 0..<4 {
                    shaft.time += 300_000_000
                    pulser.take(shaft.step(1))
                    pulser.take(shaft.step(-1))
                }
                shaft.time += 300_000_000
            }
            #expect(pulser.faults == PulserFaults() && pulser.counts - pulser.reverse == 20 * 40)
        }
    }
}

/// A shaft whose side is worked out in small steps of time. Its channels switch a little beside their places.
private struct HeavyShaft {
    private(set) var signal = PulserSignal()
    let startLevels: (Bool, Bool) = (false, false)
    /// In whole counts.
    private(set) var highWater = 0
    private var generator: SeededGenerator
    private var side = 0.5
    private var speed = 0.0
    private var time = 1.0
    private var count = 0
    private let phaseError: Double

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed ^ 0xC1EA)
        phaseError = .random(in: -0.2...0.2, using: &generator)
    }

    /// Gets up to `target` counts a second like a pump does, and holds it.
    mutating func turn(_ target: Double, seconds: Double) {
        let constant = Double.random(in: 0.04...0.2, using: &generator)
        move(seconds: seconds, most: target) { _, speed, step in speed + (target - speed) * step / constant }
    }

    mutating func rest(seconds: Double) {
        let constant = Double.random(in: 0.003...0.05, using: &generator)
        move(seconds: max(seconds, 8 * constant), most: speed) { _, speed, step in speed - speed * step / constant }
        speed = 0
    }

    /// A valve shuts at once, and the column of fuel swings.
    mutating func hammer(counts: Double, hertz: Double) {
        let angle = 2 * Double.pi * hertz
        move(seconds: 0.4, most: counts * angle) { now, _, _ in -counts * angle * sin(angle * now) * exp(-now * 12) }
        speed = 0
    }

    mutating func jog(counts: Double, times: Int) {
        for _ in 0..<times {
            let seconds = Double.random(in: 0.05...0.4, using: &generator)
            let angle = 2 * Double.pi / seconds
            move(seconds: seconds, most: counts * angle) { now, _, _ in counts / 2 * angle * sin(angle * now) }
        }
        speed = 0
    }

    /// - Parameter law: the speed at a time since the beginning, from the last speed and the step in seconds.
    private mutating func move(seconds: Double, most: Double, _ law: (Double, Double, Double) -> Double) {
        let step = min(0.000_5, 1 / max(1, most * 25))
        var now = 0.0
        while now < seconds {
            speed = law(now, speed, step)
            let before = side
            side += speed * step
            emit(from: before, seconds: step)
            now += step
            time += step
        }
    }

    /// Count n ends where the shaft passes n + 1, channel B's a little beside it. A sensor lets go a little after the place
    /// at which it took.
    private mutating func emit(from before: Double, seconds: Double) {
        func place(_ count: Int) -> Double { Double(count) + (count % 2 == 0 ? phaseError : 0) }
        while side >= place(count + 1) {
            count += 1
            highWater = max(highWater, count)
            append(count - 1, isForward: true, (place(count) - before) / (side - before) * seconds)
        }
        while side < place(count) - 0.1 {
            append(count - 1, isForward: false, (before - place(count) + 0.1) / (before - side) * seconds)
            count -= 1
        }
    }

    /// The edge between `count` and the next one.
    private mutating func append(_ count: Int, isForward: Bool, _ offset: Double) {
        let phase = (count % 4 + 4) % 4
        let jitter = abs(speed) > 0 ? Double.random(in: -0.05...0.05, using: &generator) / abs(speed) : 0
        let nanoseconds = UInt64((time + min(max(0, offset), 1) + min(jitter, 0.002)) * 1_000_000_000)
        signal.edges.append(
            PulserSignal.Edge(
                channel: phase % 2 == 0 ? .a : .b,
                rising: (phase < 2) == isForward,
                time: max(nanoseconds, (signal.edges.last?.time ?? 0) + 60_000)
            )
        )
    }
}
