import Metering

/// A pulser's shaft: steps in, the edges of its two channels out, 50 us apart (the design rate of 20,000 a second).
struct Shaft {
    struct Edge {
        let channel: PulserChannel
        let rising: Bool
        let time: UInt64
        let sequence: UInt32
    }

    private(set) var side: Int
    var time: UInt64 = 1_000_000_000
    var stepNanoseconds: UInt64 = 50_000
    private var sequences: [PulserChannel: UInt32] = [:]

    init(side: Int = 0) { self.side = side }

    /// A leads B while fuel flows: 00, 10, 11, 01.
    var levels: (a: Bool, b: Bool) {
        let phase = ((side % 4) + 4) % 4
        return (phase == 1 || phase == 2, phase == 2 || phase == 3)
    }

    mutating func step(_ direction: Int) -> Edge {
        let before = levels
        side += direction
        let after = levels
        let channel: PulserChannel = before.a != after.a ? .a : .b
        return edge(channel, rising: channel == .a ? after.a : after.b)
    }

    /// An edge that no turning makes.
    mutating func edge(_ channel: PulserChannel, rising: Bool, after nanoseconds: UInt64? = nil) -> Edge {
        time += nanoseconds ?? stepNanoseconds
        let sequence = sequences[channel, default: 0] &+ 1
        sequences[channel] = sequence
        return Edge(channel: channel, rising: rising, time: time, sequence: sequence)
    }
}

extension Pulser {
    @discardableResult
    mutating func take(_ edge: Shaft.Edge) -> Int {
        self.edge(edge.channel, rising: edge.rising, time: edge.time, sequence: edge.sequence)
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014), so that a failing walk can be repeated from its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
