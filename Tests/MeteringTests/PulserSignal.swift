import Metering

/// The edges of a pulser's two lines as they happen, before anything is lost on their way.
struct PulserSignal {
    struct Edge {
        var channel: PulserChannel
        var rising: Bool
        var time: UInt64
    }

    /// 400 counts a litre.
    static func stepNanoseconds(litresPerMinute: Int) -> UInt64 { UInt64(60_000_000_000 / (litresPerMinute * 400)) }

    var edges: [Edge] = []

    /// A steady flow; negative counts turn back.
    static func flow(counts: Int, stepNanoseconds: UInt64) -> PulserSignal {
        var shaft = Shaft()
        shaft.stepNanoseconds = stepNanoseconds
        let edges = (0..<abs(counts)).map { _ in
            let edge = shaft.step(counts.signum())
            return Edge(channel: edge.channel, rising: edge.rising, time: edge.time)
        }
        return PulserSignal(edges: edges)
    }

    /// Without the edges for which `isLost` is true of their place in the signal, or of their number on their line.
    func losing(_ isLost: (_ index: Int, _ channel: PulserChannel, _ number: Int) -> Bool) -> PulserSignal {
        var numbers = [0, 0]
        var left: [Edge] = []
        for (index, edge) in edges.enumerated() {
            if !isLost(index, edge.channel, numbers[edge.channel.rawValue]) { left.append(edge) }
            numbers[edge.channel.rawValue] += 1
        }
        return PulserSignal(edges: left)
    }

    /// With the two lines exchanged from `index` on.
    func swapped(from index: Int) -> PulserSignal {
        var signal = self
        for place in edges.indices where place >= index {
            signal.edges[place].channel = edges[place].channel == .a ? .b : .a
        }
        return signal
    }

    /// What a pulser makes of it when each line's events are numbered by their arrival.
    func decoded(
        _ kind: PulserKind = .quadrature(.alarm),
        limits: MeterLimits = MeterLimits(),
        levels: (Bool, Bool) = (false, false)
    ) -> Pulser {
        var pulser = Pulser(kind: kind, levels: levels, limits: limits)
        var numbers: [UInt32] = [0, 0]
        for edge in edges {
            numbers[edge.channel.rawValue] += 1
            pulser.edge(edge.channel, rising: edge.rising, time: edge.time, sequence: numbers[edge.channel.rawValue])
        }
        return pulser
    }
}
