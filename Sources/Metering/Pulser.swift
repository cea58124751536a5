/// One of the pulser's two channels.
package enum PulserChannel: Int, CaseIterable, Sendable {
    case a
    case b
}

/// How the pulser is wired and what is done about a missing edge (after the classes of ISO 6551).
package enum PulserKind: Sendable, Equatable {
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

/// What is wrong with the pulser's signals, counted per channel and kind.
package struct PulserFaults: Equatable, Sendable {
    /// An edge came twice in the same direction: the one between them was lost.
    package var missedEdges = [0, 0]
    /// More edges on one channel than the quadrature allows while the other is still: that one is dead.
    package var deadLegs = [0, 0]
    /// The kernel's sequence numbers have a gap.
    package var sequenceGaps = [0, 0]
    /// Both channels changed at the same instant, which a turning pulser cannot do.
    package var bothTogether = 0

    package init() {}

    package var total: Int {
        missedEdges.reduce(0, +) + deadLegs.reduce(0, +) + sequenceGaps.reduce(0, +) + bothTogether
    }
}

/// Turns edges into counts, and says what it cannot believe.
///
/// Reverse flow is counted and worked off before forward flow counts again (spec/dispenser.md, section 1). An
/// impossible transition adds to ``faults`` and never to the counts, except what security level A proves.
package struct Pulser: Sendable {
    /// Edges on one channel, the other being still, after which the other counts as dead. A pulser that trembles on
    /// one edge makes two or three.
    package static let stillLegEdgesMax = 8
    /// Edges of both channels closer than this, or stamped in the other order, are one disturbance: at the design rate
    /// they are 50 us apart.
    package static let coincidenceNanoseconds: UInt64 = 500

    package let kind: PulserKind
    /// Net forward counts.
    package private(set) var counts = 0
    /// Reverse counts not yet worked off.
    package private(set) var reverse = 0
    package private(set) var faults = PulserFaults()

    private var levels: (a: Bool, b: Bool)
    private var last: (channel: PulserChannel, time: UInt64)?
    /// What the last edge added to the position: 1, -1, or 0 for a fault.
    private var lastStep = 0
    private var sequences: (a: UInt32?, b: UInt32?) = (nil, nil)
    private var edgesOnOneLeg = 0
    private var forward = true
    /// Edges of the other channel since each channel's own last edge.
    private var otherSince = (a: 0, b: 0)

    /// - Parameter levels: what the lines read before the first edge.
    package init(kind: PulserKind, levels: (a: Bool, b: Bool)) {
        self.kind = kind
        self.levels = levels
    }

    /// Takes one edge: the channel's new level, when, and its number on that line.
    ///
    /// - Returns: the counts gained, 0 for a fault, reverse flow or its working off.
    @discardableResult
    package mutating func edge(_ channel: PulserChannel, rising: Bool, time: UInt64, sequence: UInt32) -> Int {
        let before = counts
        checkSequence(channel, sequence)
        switch kind {
        case .single:
            guard setLevel(channel, rising) else { break }
            advance(1)
        case .quadrature(let security):
            let alternates = setLevel(channel, rising)
            if isCoincident(channel, time) {
                takeBackLastStep()
            } else if alternates {
                step(channel)
            } else {
                repair(channel, security)
            }
            checkStillLeg(channel)
            noteOther(channel)
        }
        last = (channel, time)
        return counts - before
    }

    /// - Returns: false, and a missed edge, when the line already had that level.
    private mutating func setLevel(_ channel: PulserChannel, _ level: Bool) -> Bool {
        let old = channel == .a ? levels.a : levels.b
        guard old != level else {
            faults.missedEdges[channel.rawValue] += 1
            return false
        }
        if channel == .a { levels.a = level } else { levels.b = level }
        return true
    }

    /// A leads B when fuel flows: A rises while B is low.
    private mutating func step(_ channel: PulserChannel) {
        let equal = levels.a == levels.b
        forward = channel == .a ? !equal : equal
        lastStep = forward ? 1 : -1
        advance(lastStep)
    }

    /// The two edges of a coincidence are no step in either direction.
    private mutating func takeBackLastStep() {
        faults.bothTogether += 1
        if lastStep != 0 { advance(-lastStep) }
        lastStep = 0
    }

    /// One edge of `channel` is lost. When the other channel had exactly two edges since this one's last, the first
    /// before the lost edge and the second after it, the second was read as a step back where three steps went on:
    /// four counts are proven.
    private mutating func repair(_ channel: PulserChannel, _ security: PulserSecurity) {
        lastStep = 0
        let others = channel == .a ? otherSince.a : otherSince.b
        guard security == .correct, others == 2 else { return }
        advance(forward ? -4 : 4)
        forward.toggle()
    }

    private mutating func advance(_ steps: Int) {
        guard steps > 0 else {
            reverse -= steps
            return
        }
        let workedOff = min(reverse, steps)
        reverse -= workedOff
        counts += steps - workedOff
    }

    private mutating func checkSequence(_ channel: PulserChannel, _ sequence: UInt32) {
        let previous = channel == .a ? sequences.a : sequences.b
        if let previous, sequence != previous &+ 1 { faults.sequenceGaps[channel.rawValue] += 1 }
        if channel == .a { sequences.a = sequence } else { sequences.b = sequence }
    }

    private func isCoincident(_ channel: PulserChannel, _ time: UInt64) -> Bool {
        guard let last else { return false }
        return last.channel != channel && time < last.time + Self.coincidenceNanoseconds
    }

    private mutating func checkStillLeg(_ channel: PulserChannel) {
        guard let last, last.channel == channel else {
            edgesOnOneLeg = 1
            return
        }
        edgesOnOneLeg += 1
        if edgesOnOneLeg % Self.stillLegEdgesMax == 0 {
            faults.deadLegs[channel == .a ? PulserChannel.b.rawValue : PulserChannel.a.rawValue] += 1
        }
    }

    private mutating func noteOther(_ channel: PulserChannel) {
        switch channel {
        case .a: otherSince = (a: 0, b: otherSince.b + 1)
        case .b: otherSince = (a: otherSince.a + 1, b: 0)
        }
    }
}
