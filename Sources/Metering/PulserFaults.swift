/// One of the pulser's two channels.
package enum PulserChannel: Int, CaseIterable, Sendable {
    case a
    case b

    var other: PulserChannel {
        switch self {
        case .a: .b
        case .b: .a
        }
    }
}

/// How the pulser is wired and what is done about a missing edge (after the classes of ISO 6551).
package enum PulserKind: Sendable, Hashable {
    /// Two channels in quadrature: four counts a cycle.
    case quadrature(PulserSecurity)
    /// One channel: two counts a cycle, unverified.
    case single

    package var countsPerPulse: Int {
        switch self {
        case .quadrature: 4
        case .single: 2
        }
    }
}

package enum PulserSecurity: String, Sendable, CaseIterable {
    /// Level B: verify and alarm.
    case alarm
    /// Level A: also count what the other channel proves.
    case correct
}

/// What a meter can make. What lies beyond it is a fault and never a count.
package struct MeterLimits: Hashable, Sendable {
    /// The design rate (spec/dispenser.md, section 1).
    package static let edgesPerSecondDesign = 20_000

    /// Of both channels together, at the largest flow.
    package var edgesPerSecondMax = edgesPerSecondDesign
    /// Reverse counts that are not worked off: more of them are a fault, and close the valves.
    package var reverseCountsMax = 80

    package init() {}

    /// - Parameters:
    ///   - litresPerMinuteMax: the largest flow of the meter.
    ///   - reverseCentilitresMax: what may flow back.
    package init(calibration: Calibration, litresPerMinuteMax: Int, reverseCentilitresMax: Int) {
        precondition(litresPerMinuteMax > 0 && reverseCentilitresMax > 0)
        edgesPerSecondMax = max(1, (litresPerMinuteMax * calibration.countsPerLitre + 59) / 60)
        reverseCountsMax = max(Self.reverseAloneCountsMin, calibration.countsPerLitre * reverseCentilitresMax / 100)
    }

    /// A jog at rest and the jolt of a starting motor are less.
    static let reverseAloneCountsMin = 8

    /// Reverse counts without one forward count between them, with the valves open.
    var reverseAloneCountsMax: Int { max(Self.reverseAloneCountsMin, reverseCountsMax / 4) }
}

/// What is wrong with the pulser's signals, counted per channel and kind; <doc:0022-what-a-decoder-can-see> says what of
/// it is proven and what is seen only by time.
package struct PulserFaults: Equatable, Sendable {
    /// Proven by levels: an edge came twice in the same direction, so one between them was lost.
    package var missedEdges: [Int] {
        get { ofChannels.missedEdges.list }
        set { ofChannels.missedEdges.list = newValue }
    }
    /// So many edges on one channel while the other is still that the other is dead.
    package var deadLegs: [Int] {
        get { ofChannels.deadLegs.list }
        set { ofChannels.deadLegs.list = newValue }
    }
    /// Edges that the kernel's numbers show as lost; an edge that came twice or late is one.
    package var sequenceGaps: [Int] {
        get { ofChannels.sequenceGaps.list }
        set { ofChannels.sequenceGaps.list = newValue }
    }
    /// Common mode: edges of both channels closer to each other than a turning pulser makes them, when both lines were away
    /// from their levels at once.
    package var bothTogether = 0
    /// Seen by time: edges that this channel did not make while the other went on at its pace.
    package var silentEdges: [Int] {
        get { ofChannels.silentEdges.list }
        set { ofChannels.silentEdges.list = newValue }
    }
    /// Seen by time: a gap in steady flow as long as whole cycles.
    package var flowGaps = 0
    /// Edges at a rate that the meter cannot make.
    package var tooFast: [Int] {
        get { ofChannels.tooFast.list }
        set { ofChannels.tooFast.list = newValue }
    }
    /// Edges of this channel alone, too close for a turning pulser: a contact that bounces, a pulse that none turned.
    package var noise: [Int] {
        get { ofChannels.noise.list }
        set { ofChannels.noise.list = newValue }
    }
    /// How many times ``MeterLimits/reverseCountsMax`` flowed back.
    package var reversed = 0
    /// Edges of the nozzle and emergency lines that the kernel's numbers show as lost.
    package var switchGaps = 0

    private var ofChannels = OfChannels()

    package init() {}

    package var total: Int {
        let ofKinds = [missedEdges, deadLegs, sequenceGaps, silentEdges, tooFast, noise]
        return ofKinds.reduce(0) { $0 + $1[0] + $1[1] } + bothTogether + flowGaps + reversed + switchGaps
    }

    package static func + (left: PulserFaults, right: PulserFaults) -> PulserFaults { left.combined(with: right, +) }

    /// Not below zero: a disturbance that goes on becomes one of another kind (``Disturbance``).
    package func since(_ base: PulserFaults) -> PulserFaults { combined(with: base) { max(0, $0 - $1) } }

    private func combined(with other: PulserFaults, _ combine: (Int, Int) -> Int) -> PulserFaults {
        func both(_ kind: KeyPath<PulserFaults, [Int]>) -> [Int] {
            zip(self[keyPath: kind], other[keyPath: kind]).map(combine)
        }
        var faults = PulserFaults()
        faults.missedEdges = both(\.missedEdges)
        faults.deadLegs = both(\.deadLegs)
        faults.sequenceGaps = both(\.sequenceGaps)
        faults.silentEdges = both(\.silentEdges)
        faults.tooFast = both(\.tooFast)
        faults.noise = both(\.noise)
        faults.bothTogether = combine(bothTogether, other.bothTogether)
        faults.flowGaps = combine(flowGaps, other.flowGaps)
        faults.reversed = combine(reversed, other.reversed)
        faults.switchGaps = combine(switchGaps, other.switchGaps)
        return faults
    }
}

extension PulserFaults {
    /// In place: a snapshot is copied at each edge, and a list of its own for each kind would be counted as used and free again.
    private struct OfChannels: Equatable, Sendable {
        var missedEdges = Pair()
        var deadLegs = Pair()
        var sequenceGaps = Pair()
        var silentEdges = Pair()
        var tooFast = Pair()
        var noise = Pair()
    }

    private struct Pair: Equatable, Sendable {
        private var a = 0
        private var b = 0

        var list: [Int] {
            get { [a, b] }
            set {
                precondition(newValue.count == 2, "one number for each channel")
                (a, b) = (newValue[0], newValue[1])
            }
        }
    }
}
