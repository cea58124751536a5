package import Metering

/// The edges of a pulser on a shaft that turns forward at one rate, with faults of one kind put in again and again, a pace of 40
/// to 120 steps between them. It has no end; what truly flowed is told beside. The same arguments make the same edges.
package struct PulseGenerator: Sendable {
    package static let edgesPerSecondRange = 1...1_000_000
    package static let jitterPercentRange = 0...20
    /// When the shaft begins to turn.
    private static let startNanoseconds = 1_000_000_000

    package let kind: PulseFaultKind
    /// What the lines read before the first edge.
    package let levels = (a: false, b: false)
    /// Edges given.
    package private(set) var edges = 0
    /// Faults put in.
    package private(set) var faults = 0
    package private(set) var lastFault: PulseFault?
    /// Net counts that have truly flowed. An edge that is given beside noise may have been counted here a few edges earlier.
    package private(set) var trueCounts = 0

    private let step: Int
    private let jitter: Int
    private var random: PulseRandom
    private var clock = Self.startNanoseconds
    private var course = Course.steady(left: 0)
    private var isSwapped = false
    private var waiting = WaitingEdges()
    private var sequences: (a: UInt32, b: UInt32) = (0, 0)
    private var lastTime = 0

    private enum Course {
        case steady(left: Int)
        /// Edges of `channel`, nil being either, do not come, for so many steps or edges.
        case losing(PulserChannel?, edges: Int, steps: Int, areNumbered: Bool)
        case swapped(left: Int)
        case fast(left: Int, interval: Int)
        case rocking(Rocking)
        case drifting(Drift)
    }

    /// - Parameters:
    ///   - edgesPerSecond: of both channels together, in ``edgesPerSecondRange``.
    ///   - jitterPercent: how far an edge lies beside its place at most, in hundredths of a step; in ``jitterPercentRange``.
    package init(kind: PulseFaultKind, edgesPerSecond: Int, jitterPercent: Int = 0, seed: UInt64) {
        precondition(Self.edgesPerSecondRange.contains(edgesPerSecond))
        precondition(Self.jitterPercentRange.contains(jitterPercent))
        self.kind = kind
        step = 1_000_000_000 / edgesPerSecond
        jitter = step * jitterPercent / 100
        random = PulseRandom(seed: seed)
        course = .steady(left: kind == .clean ? .max : 40)
    }

    /// Nothing is wrong with the next edge, unless a fault begins with it.
    package var isSteady: Bool {
        if case .steady = course { waiting.isEmpty } else { false }
    }

    package mutating func next() -> PumpEdge {
        while waiting.isEmpty { turn() }
        let edge = waiting.take()
        let sequence: UInt32
        if edge.channel == .a {
            sequences.a &+= 1
            sequence = sequences.a
        } else {
            sequences.b &+= 1
            sequence = sequences.b
        }
        edges += 1
        lastTime = max(lastTime, edge.time)
        return PumpEdge(
            input: .pulser(edge.channel),
            rising: edge.rising,
            nanoseconds: UInt64(lastTime),
            sequence: sequence
        )
    }

    // MARK: - The shaft

    private mutating func turn() {
        switch course {
        case .steady(let left):
            guard left > 0 else { return begin() }
            course = .steady(left: left - 1)
            waiting.add(move())
        case .losing(let channel, let edges, let steps, let areNumbered):
            guard edges > 0, steps > 0 else { return goOn() }
            let edge = move()
            let isLost = channel == nil || channel == edge.channel
            course = .losing(channel, edges: edges - (isLost ? 1 : 0), steps: steps - 1, areNumbered: areNumbered)
            guard isLost else { return waiting.add(edge) }
            guard areNumbered else { return }
            if edge.channel == .a { sequences.a &+= 1 } else { sequences.b &+= 1 }
        case .swapped(let left):
            // Levels are equal at an even place: nothing shows the exchange before the shaft turns on.
            guard left > 0 || trueCounts % 2 != 0 else {
                isSwapped = false
                return goOn()
            }
            course = .swapped(left: max(0, left - 1))
            waiting.add(move())
        case .fast(let left, let interval):
            guard left > 0 else { return goOn() }
            course = .fast(left: left - 1, interval: interval)
            waiting.add(move(after: interval))
        case .rocking(var rocking):
            guard let (direction, interval) = rocking.next() else { return goOn() }
            course = .rocking(rocking)
            waiting.add(move(direction, after: interval))
        case .drifting(var drift):
            guard let edge = drift.next() else {
                (trueCounts, clock) = (drift.place, drift.time)
                return goOn()
            }
            trueCounts = drift.place
            course = .drifting(drift)
            waiting.add(edge)
        }
    }

    /// One step: 00, 10, 11, 01 while fuel flows, A first.
    private mutating func move(_ direction: Int = 1, after interval: Int? = nil) -> LineEdge {
        clock += interval ?? step
        let passed = direction > 0 ? trueCounts + 1 : trueCounts
        trueCounts += direction
        let phase = passed & 3
        var channel: PulserChannel = phase & 1 == 1 ? .a : .b
        if isSwapped { channel = channel == .a ? .b : .a }
        let offset = jitter == 0 ? 0 : random.below(2 * jitter + 1) - jitter
        return LineEdge(channel: channel, rising: (phase == 1 || phase == 2) == (direction > 0), time: clock + offset)
    }

    private mutating func goOn() { course = .steady(left: 40 + random.below(81)) }

    // MARK: - Faults

    private mutating func begin() {
        switch kind {
        case .clean: course = .steady(left: .max)
        case .oneLostOnA: lose(.a, 1)
        case .oneLostOnB: lose(.b, 1)
        case .oneLostOnBoth: lose(nil, 2)
        case .twoLostOnA: lose(.a, 2)
        case .twoLostOnB: lose(.b, 2)
        case .twoLostOnBoth: lose(nil, 4)
        case .manyLostOnA: lose(.a, 3 + random.below(22))
        case .manyLostOnB: lose(.b, 3 + random.below(22))
        case .manyLostOnBoth: lose(nil, 6 + random.below(11))
        case .dropped: lose(nil, 1 + random.below(64), areNumbered: true)
        case .deadLeg: stillChannel()
        case .stuck: stand()
        case .bounce: bounce()
        case .noise: glitch()
        case .commonMode: invertBoth()
        case .swapped:
            guard trueCounts % 2 == 0 else { return waiting.add(move()) }
            note(countsMax: 2 * 251)
            isSwapped = true
            course = .swapped(left: 250)
        case .overspeed:
            note(countsMax: 200)
            course = .fast(left: 200, interval: step * 8 / (12 + random.below(13)))
        case .jog:
            note(countsMax: 0)
            course = .rocking(Rocking(step: step, random: &random))
        case .phaseDrift:
            guard trueCounts % 4 == 0 else { return waiting.add(move()) }
            note(countsMax: 2 * Drift.edges)
            course = .drifting(Drift(place: trueCounts, time: clock, step: step))
        }
    }

    private mutating func note(countsMax: Int) {
        faults += 1
        lastFault = PulseFault(kind: kind, edge: edges, trueCounts: trueCounts, countsMax: countsMax)
    }

    /// A decoder is off by whole cycles: a channel's edge is lost where the other's was the neighbour.
    private mutating func lose(_ channel: PulserChannel?, _ edges: Int, areNumbered: Bool = false) {
        note(countsMax: (channel == nil ? edges + 3 : 2 * edges + 3) / 4 * 4)
        course = .losing(channel, edges: edges, steps: .max, areNumbered: areNumbered)
    }

    private mutating func stillChannel() {
        let steps = 200 + random.below(201)
        note(countsMax: (steps + 7) / 4 * 4)
        course = .losing(random.below(2) == 0 ? .a : .b, edges: .max, steps: steps, areNumbered: false)
    }

    private mutating func stand() {
        let cycles = (100_000_000 + random.below(300_000_000)) / (4 * step) + 1
        note(countsMax: 4 * cycles)
        trueCounts += 4 * cycles
        clock += 4 * cycles * step
        goOn()
    }

    private mutating func bounce() {
        note(countsMax: 4)
        var edge = move()
        waiting.add(edge)
        for _ in 0..<2 * (1 + random.below(3)) {
            edge.rising.toggle()
            edge.time += 200 + random.below(2_801)
            waiting.add(edge)
        }
        goOn()
    }

    /// One time in four the pulse begins before an edge and ends after it.
    private mutating func glitch() {
        note(countsMax: 4)
        let channel: PulserChannel = random.below(2) == 0 ? .a : .b
        let width = min(200 + random.below(9_801), step / 3)
        let level = isHigh(channel)
        let edge = move()
        if random.below(4) == 0, edge.channel != channel {
            let before = random.below(width)
            waiting.add(LineEdge(channel: channel, rising: !level, time: edge.time - before))
            waiting.add(edge)
            waiting.add(LineEdge(channel: channel, rising: level, time: edge.time + width - before))
        } else {
            let start = edge.time + 100 + random.below(step / 3)
            let now = isHigh(channel)
            waiting.add(edge)
            waiting.add(LineEdge(channel: channel, rising: !now, time: start))
            waiting.add(LineEdge(channel: channel, rising: now, time: start + width))
        }
        goOn()
    }

    /// Half of them begin before an edge, which then comes inverted, and end after it.
    private mutating func invertBoth() {
        note(countsMax: 8)
        let first: PulserChannel = random.below(2) == 0 ? .a : .b
        let skew = min(random.below(2_001), step / 16)
        let before = (a: isHigh(.a), b: isHigh(.b))
        var edge = move()
        if random.below(2) == 0 {
            let start = edge.time - step / 8 - skew - random.below(step / 8)
            addBoth(first, skew, a: !before.a, b: !before.b, time: start)
            edge.rising.toggle()
            waiting.add(edge)
            addBoth(first, skew, a: isHigh(.a), b: isHigh(.b), time: edge.time + step / 8 + random.below(step / 8))
        } else {
            waiting.add(edge)
            let start = edge.time + step / 8 + random.below(step / 8)
            addBoth(first, skew, a: !isHigh(.a), b: !isHigh(.b), time: start)
            let end = start + skew + 100 + random.below(step / 4)
            addBoth(first, skew, a: isHigh(.a), b: isHigh(.b), time: end)
        }
        goOn()
    }

    private mutating func addBoth(_ first: PulserChannel, _ skew: Int, a: Bool, b: Bool, time: Int) {
        let edgeOfA = LineEdge(channel: .a, rising: a, time: first == .a ? time : time + skew)
        let edgeOfB = LineEdge(channel: .b, rising: b, time: first == .b ? time : time + skew)
        waiting.add(first == .a ? edgeOfA : edgeOfB)
        waiting.add(first == .a ? edgeOfB : edgeOfA)
    }

    private func isHigh(_ channel: PulserChannel) -> Bool {
        let phase = trueCounts & 3
        return channel == .a ? phase == 1 || phase == 2 : phase >= 2
    }
}
