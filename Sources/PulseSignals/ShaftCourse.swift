import Metering

/// A line's change before the kernel has numbered it.
struct LineEdge: Sendable {
    var channel: PulserChannel
    var rising: Bool
    var time: Int
}

/// Edges that wait to be given, in their order.
struct WaitingEdges: Sendable {
    private static let edgesMax = 8
    private var edges = InlineArray<8, LineEdge>(repeating: LineEdge(channel: .a, rising: false, time: 0))
    private var first = 0
    private var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func add(_ edge: LineEdge) {
        precondition(count < Self.edgesMax)
        edges[(first + count) % Self.edgesMax] = edge
        count += 1
    }

    mutating func take() -> LineEdge {
        let edge = edges[first]
        first = (first + 1) % Self.edgesMax
        count -= 1
        return edge
    }
}

/// A shaft that slows down, rests, rocks, rests, and gets up speed again. It ends where it would be without having rocked.
struct Rocking: Sendable {
    private static let restNanoseconds = 300_000_000
    private static let ramp = 8

    private let step: Int
    private let rockingStep: Int
    private let amplitude: Int
    private var slowing = Self.ramp
    private var rocks: Int
    private var place = 0
    private var isReturning = false
    private var starting = Self.ramp

    init(step: Int, random: inout PulseRandom) {
        self.step = step
        rockingStep = step * (2 + random.below(10))
        amplitude = 1 + random.below(6)
        rocks = 1 + random.below(4)
    }

    /// - Returns: the next step's direction and time; nil when the shaft has its speed again.
    mutating func next() -> (direction: Int, interval: Int)? {
        if slowing > 0 {
            slowing -= 1
            return (1, step + step * (Self.ramp - slowing) * 3 / 8)
        }
        if rocks > 0 {
            let interval = rockingStep + (place == 0 ? Self.restNanoseconds : 0)
            if isReturning {
                place -= 1
                if place == 0 { (isReturning, rocks) = (false, rocks - 1) }
                return (-1, interval)
            }
            place += 1
            if place == amplitude { isReturning = true }
            return (1, interval)
        }
        guard starting > 0 else { return nil }
        starting -= 1
        let rest = starting == Self.ramp - 1 ? Self.restNanoseconds : 0
        return (1, rest + step + step * starting * 3 / 8)
    }
}

/// Two channels of which B slides towards A and past it, and back again.
struct Drift: Sendable {
    static let edges = 6_000

    /// Net counts of the shaft.
    private(set) var place: Int
    /// When the shaft was there.
    private(set) var time: Int
    private let step: Int
    private let start: (place: Int, time: Int)
    /// The places of each channel's next edge: A's odd, B's even.
    private var ahead: (a: Int, b: Int)
    private var given = 0

    /// - Parameter place: a multiple of four: both levels are low.
    init(place: Int, time: Int, step: Int) {
        self.place = place
        self.time = time
        self.step = step
        start = (place, time)
        ahead = (place + 1, place + 2)
    }

    /// - Returns: nil when B is back in its place.
    mutating func next() -> LineEdge? {
        guard given < Self.edges else { return nil }
        // A triangle of half a cycle.
        let shift = 4 * step * min(given, Self.edges - given) / Self.edges
        let times = (a: time(ahead.a), b: time(ahead.b) - shift)
        given += 1
        defer {
            place = min(ahead.a, ahead.b) - 1
            time = time(place)
        }
        if times.a <= times.b {
            defer { ahead.a += 2 }
            return LineEdge(channel: .a, rising: ahead.a & 3 == 1, time: times.a)
        }
        defer { ahead.b += 2 }
        return LineEdge(channel: .b, rising: ahead.b & 3 == 2, time: times.b)
    }

    private func time(_ place: Int) -> Int { start.time + (place - start.place) * step }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct PulseRandom: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// From 0 to `bound` - 1.
    mutating func below(_ bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Int(mixed.multipliedFullWidth(by: UInt64(bound)).high)
    }
}
