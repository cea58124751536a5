/// How far a pulser's signal is from where the decoder can no longer tell it, measured over the last ``steps`` steps forward;
/// <doc:0022-what-a-decoder-can-see> says why so.
package struct PulserHealth: Equatable, Sendable {
    package struct Channel: Equatable, Sendable {
        /// How long the channel is high, of its cycle; 500 is right.
        package let dutyPermille: Int
        /// The standard deviation of an edge from its place, of a step.
        package let jitterPermille: Int

        package init(dutyPermille: Int, jitterPermille: Int) {
            self.dutyPermille = dutyPermille
            self.jitterPermille = jitterPermille
        }
    }

    /// What is measured at once.
    package static let steps = 512
    /// A pulser with less margin wants to be exchanged.
    package static let marginPercentMin = 30

    package let a: Channel
    /// Nil with a single channel, and so is the phase.
    package let b: Channel?
    /// From A's edge to B's, in tenths of a degree; 900 is right.
    package let phaseTenths: Int?
    /// 100: each step as long as the others; 0: the shortest or longest can no longer be told from a fault.
    package let marginPercent: Int

    package init(a: Channel, b: Channel?, phaseTenths: Int?, marginPercent: Int) {
        self.a = a
        self.b = b
        self.phaseTenths = phaseTenths
        self.marginPercent = marginPercent
    }

    package var isWorn: Bool { marginPercent < Self.marginPercentMin }
}

/// Measures ``PulserHealth`` as edges come: four places of a cycle, or two, each with the time of the step that ends there.
struct PulserGauge: Sendable {
    /// Of the steps that a decoder takes for steps, in thousandths of the mean: shorter ones are a disturbance at the largest
    /// flow, longer ones break the pace.
    private static let stepPermilleRange = 250...1_750
    /// Of the mean as well, two steps being half a cycle.
    private static let halfPermilleRange = 1_250...2_750
    /// Cycles until each place has a step and a cycle before it.
    private static let warmingCycles = 2
    /// Of all that is measured at once, in nanoseconds. Slower ones are the last drops of a sale, and the night after it.
    private static let timeMax = UInt64(PulserHealth.steps) * 1_000_000_000

    private(set) var health: PulserHealth?
    /// Changes with ``health``.
    private(set) var measured = 0

    private let places: Int
    private var taken: Int
    /// `taken` at which something is to be done: 0 after the first cycles, then ``PulserHealth/steps``.
    private var goal = 0
    /// The time of all steps that are in `last`.
    private var cycle: UInt64 = 0
    private var last = InlineArray<4, UInt64>(repeating: 0)
    /// The cycle that ended at each place.
    private var cycles = InlineArray<4, UInt64>(repeating: 0)
    private var sums = InlineArray<4, UInt64>(repeating: 0)
    /// How much the cycles that end at a channel's places differ from those before.
    private var differences = InlineArray<2, UInt64>(repeating: 0)

    init(kind: PulserKind) {
        places = kind.countsPerPulse
        taken = -Self.warmingCycles * places
    }

    /// The place where an edge ends a step forward: A rises, B rises, A falls, B falls.
    static func place(_ channel: PulserChannel, rising: Bool) -> Int { (rising ? 0 : 2) + channel.rawValue }

    /// What comes does not follow what was. Steps that were taken count no more.
    mutating func begin() {
        taken = -Self.warmingCycles * places
        goal = 0
    }

    /// A step forward that follows one.
    @inline(__always)
    mutating func step(_ place: Int, _ interval: UInt64) {
        let place = place & 3
        cycle = cycle &+ interval &- last[place]
        last[place] = interval
        let before = cycles[place]
        cycles[place] = cycle
        let difference = cycle > before ? cycle &- before : before &- cycle
        sums[place] &+= interval
        differences[place & 1] &+= difference
        taken &+= 1
        if taken >= goal || difference &* 2 > cycle { turn(difference) }
    }

    @inline(never)
    private mutating func turn(_ difference: UInt64) {
        if taken < goal {
            // A pause is no jitter.
            if goal > 0 { begin() }
            return
        }
        if goal > 0 {
            guard difference &* 2 <= cycle, time <= Self.timeMax else { return begin() }
            health = judged
            measured += 1
        }
        goal = PulserHealth.steps
        taken = 0
        sums = InlineArray(repeating: 0)
        differences = InlineArray(repeating: 0)
    }

    private var time: UInt64 { sums[0] &+ sums[1] &+ sums[2] &+ sums[3] }

    private var judged: PulserHealth {
        let all = Int(time)
        let perPlace = PulserHealth.steps / places
        /// In thousandths of the mean step.
        func permille(_ sum: UInt64, of samples: Int) -> Int {
            Int(sum) * PulserHealth.steps * 1_000 / max(1, all * samples)
        }
        // The second difference of a place's times: its mean is 1.954 times the deviation of one (0.798 x root of 6).
        let a = permille(differences[0], of: perPlace * 2) * 1_000 / 1_954
        guard places == 4 else {
            let high = permille(sums[2], of: perPlace)
            return PulserHealth(
                a: PulserHealth.Channel(dutyPermille: high / 2, jitterPermille: a),
                b: nil,
                phaseTenths: nil,
                marginPercent: margin([high, 2_000 - high], [], spread: 6 * a)
            )
        }
        let b = permille(differences[1], of: perPlace * 2) * 1_000 / 1_954
        let step = (0..<4).map { permille(sums[$0], of: perPlace) }
        return PulserHealth(
            a: PulserHealth.Channel(dutyPermille: (step[1] + step[2]) / 4, jitterPermille: a),
            b: PulserHealth.Channel(dutyPermille: (step[2] + step[3]) / 4, jitterPermille: b),
            phaseTenths: (step[1] + step[3]) * 900 / 2_000,
            marginPercent: margin(step, (0..<4).map { step[$0] + step[($0 + 1) & 3] }, spread: 3 * (a + b))
        )
    }

    /// - Parameter spread: three deviations of each end of a step.
    private func margin(_ steps: [Int], _ halves: [Int], spread: Int) -> Int {
        func left(_ value: Int, _ range: ClosedRange<Int>) -> Int {
            min(value - spread - range.lowerBound, range.upperBound - value - spread)
        }
        let least = steps.map { left($0, Self.stepPermilleRange) } + halves.map { left($0, Self.halfPermilleRange) }
        let full = (Self.stepPermilleRange.upperBound - Self.stepPermilleRange.lowerBound) / 2
        return max(0, min(100, least.reduce(full, min) * 100 / full))
    }
}
