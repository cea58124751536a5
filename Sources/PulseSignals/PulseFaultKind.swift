/// What is done to a pulser's signal. The raw value is the word that a person types.
package enum PulseFaultKind: String, CaseIterable, Sendable {
    /// Nothing.
    case clean
    /// Edges that never reach the kernel, and so have no number there: one, two, or three to twenty-four of one channel.
    case oneLostOnA = "one-lost-a"
    case oneLostOnB = "one-lost-b"
    /// One edge of each channel, the second following the first.
    case oneLostOnBoth = "one-lost-both"
    case twoLostOnA = "two-lost-a"
    case twoLostOnB = "two-lost-b"
    /// Two edges of each channel: a whole cycle.
    case twoLostOnBoth = "two-lost-both"
    case manyLostOnA = "many-lost-a"
    case manyLostOnB = "many-lost-b"
    /// Three to eight edges of each channel.
    case manyLostOnBoth = "many-lost-both"
    /// Edges that the kernel numbered and its queue dropped, one to sixty-four.
    case dropped
    /// A contact that goes back and forth one to three times at its edge, at most 3 us apart.
    case bounce
    /// A pulse of 0.2 to 10 us on one channel, sometimes across an edge of the other.
    case noise
    /// The channels' wires exchanged, for 250 edges.
    case swapped
    /// One channel still for 200 to 400 edges of the signal.
    case deadLeg = "dead-leg"
    /// A pulse that inverts both channels, the second at most 2 us after the first, sometimes across an edge.
    case commonMode = "common-mode"
    /// The shaft slows down, rests, rocks over one to six counts, and starts again. Nothing is wrong with the signal.
    case jog
    /// Both channels still for 0.1 to 0.4 s of steady flow, in whole cycles.
    case stuck
    /// The shaft turns one and a half times to three times as fast, for 200 edges.
    case overspeed
    /// B slides by half a cycle towards A and beyond, and back, within 6,000 edges.
    case phaseDrift = "phase-drift"

    /// Whether a decoder may say nothing of it.
    package var isHarmless: Bool { self == .clean || self == .jog }
}

/// A fault that was put into a signal.
package struct PulseFault: Hashable, Sendable {
    package let kind: PulseFaultKind
    /// How many edges the signal had before it.
    package let edge: Int
    /// Net counts that had truly flowed before it.
    package let trueCounts: Int
    /// By how many counts at most a decoder is off that notes the fault and repairs nothing.
    package let countsMax: Int
}
