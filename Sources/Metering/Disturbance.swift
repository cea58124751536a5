/// Edges each of which follows the one before within a time that no turning pulser makes (``Pulser``): what they are together.
///
/// Levels and order tell common mode from noise. Both lines away from their levels at once, and both back or both changed in
/// the end, is one cause that reached both. A line that is back while the other has one edge more was disturbed alone, and so
/// were two lines of which one was back before the other left.
struct Disturbance: Sendable {
    /// How the edges after the first are noted.
    struct Verdict: Equatable {
        var bothTogether = 0
        var noise = (a: 0, b: 0)

        static func == (one: Verdict, other: Verdict) -> Bool {
            one.bothTogether == other.bothTogether && one.noise == other.noise
        }
    }

    /// Of the last edge.
    private(set) var time: UInt64
    private let first: PulserChannel
    /// Whether the first edge was a step: only then is there time for one.
    let wasStep: Bool
    private var edges: (a: Int, b: Int)
    private var wereBothAway = false
    private(set) var verdict = Verdict()

    /// - Parameter first: the channel of the edge that the next one is too close to.
    init(first: PulserChannel, wasStep: Bool, time: UInt64) {
        self.first = first
        self.wasStep = wasStep
        self.time = time
        edges = first == .a ? (1, 0) : (0, 1)
    }

    /// The channel whose level alone is another than before; nil when there is none, or when both are.
    var changed: PulserChannel? {
        switch (edges.a % 2, edges.b % 2) {
        case (1, 0): .a
        case (0, 1): .b
        case _: nil
        }
    }

    mutating func add(_ channel: PulserChannel, time: UInt64) {
        self.time = time
        if channel == .a { edges.a += 1 } else { edges.b += 1 }
        if edges.a % 2 == 1, edges.b % 2 == 1 { wereBothAway = true }
        verdict = judged
    }

    private var judged: Verdict {
        let noted = edges.a + edges.b - 1
        switch (edges.a, edges.b) {
        case (_, 0): return Verdict(noise: (noted, 0))
        case (0, _): return Verdict(noise: (0, noted))
        case _: break
        }
        // Two of each at least: both left and came back, and an edge fell between.
        if wereBothAway, edges.a > 1, edges.b > 1 { return Verdict(bothTogether: noted) }
        switch changed {
        case .a: return Verdict(noise: (0, noted))
        case .b: return Verdict(noise: (noted, 0))
        case nil where wereBothAway: return Verdict(bothTogether: noted)
        case nil:
            return Verdict(noise: (edges.a - (first == .a ? 1 : 0), edges.b - (first == .b ? 1 : 0)))
        }
    }
}
