/// What a fault is of, as lists, traces and JSON name it.
package enum PulserFaultKind: String, CaseIterable, Sendable {
    case missedEdges = "missed-edges"
    case deadLeg = "dead-leg"
    case sequenceGap = "sequence-gap"
    case bothTogether = "both-together"
    case silentEdges = "silent-edges"
    case flowGap = "flow-gap"
    case tooFast = "too-fast"
    case noise
    case reversed
    case switchGap = "switch-gap"
}

/// Faults of one kind.
package struct PulserFault: Equatable, Sendable {
    package let kind: PulserFaultKind
    /// nil of a kind that is of no channel.
    package let channel: PulserChannel?
    package let count: Int

    package init(kind: PulserFaultKind, channel: PulserChannel?, count: Int) {
        self.kind = kind
        self.channel = channel
        self.count = count
    }
}

extension PulserFaults {
    /// Those that there are, by kind and channel.
    package var counts: [PulserFault] {
        PulserFaultKind.allCases.flatMap { kind -> [PulserFault] in
            let counts = self[kind]
            return counts.enumerated().compactMap { index, count in
                guard count != 0 else { return nil }
                return PulserFault(
                    kind: kind,
                    channel: counts.count == 2 ? PulserChannel(rawValue: index) : nil,
                    count: count
                )
            }
        }
    }

    /// One number, or one of each channel.
    private subscript(kind: PulserFaultKind) -> [Int] {
        switch kind {
        case .missedEdges: missedEdges
        case .deadLeg: deadLegs
        case .sequenceGap: sequenceGaps
        case .bothTogether: [bothTogether]
        case .silentEdges: silentEdges
        case .flowGap: [flowGaps]
        case .tooFast: tooFast
        case .noise: noise
        case .reversed: [reversed]
        case .switchGap: [switchGaps]
        }
    }
}
