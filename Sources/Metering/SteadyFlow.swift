/// The pace of a flow in one direction, and what breaks it that no shaft with a mass can do.
///
/// Two lost edges of one channel leave levels that alternate, and so does a lost cycle of both. In a steady flow time
/// tells them: one channel makes edges of its own at exactly its pace and then both go on as before, or nothing comes for
/// as long as cycles take and the next steps have the old pace at once. A shaft that truly stops or turns back has to
/// slow down and to get up speed again.
struct SteadyFlow: Sendable {
    enum Finding: Equatable {
        case nothing
        /// Cycles of both channels are missing.
        case gap
        /// So many edges of one channel are missing.
        case silent(edges: Int)
    }

    private enum Suspicion {
        case none
        case gap(confirmed: Int)
        /// One channel has made so many edges alone, each at its own pace.
        case silent(edges: Int, confirmed: Int)
    }

    /// A longer gap may be a hand at the nozzle.
    static let gapNanosecondsMax: UInt64 = 80_000_000
    /// Steps at one pace, after which a break of it is a fault.
    static let runMin = 8
    /// Steps at one pace, after which what one proven loss took from the counts is proven too.
    static let runMinOfProof = 4
    /// Steps at the old pace after a break, which make it one.
    private static let confirmations = 3

    private(set) var isForward = true
    /// Steps of this run, up to ``runMin``.
    private var run = 0
    /// The mean time of two steps: they make up half a cycle of each channel, whatever the phase between them.
    private var pair: UInt64 = 0
    private var previous: UInt64 = 0
    private var suspicion = Suspicion.none
    /// In eighths of `pair`, the least interval that is a gap: of a quadrature 3.5 steps where a lost cycle makes 5, of a
    /// single channel 2.5 where a lost pulse makes 3.
    private let gapEighths: UInt64
    private let pairsPerCycle: UInt64

    init(kind: PulserKind) {
        switch kind {
        case .quadrature: (gapEighths, pairsPerCycle) = (14, 2)
        case .single: (gapEighths, pairsPerCycle) = (10, 1)
        }
    }

    /// The valves moved, or what came cannot be placed: a pace has to be found anew.
    mutating func forget() {
        run = 0
        suspicion = .none
    }

    /// Whether exactly one edge of the still channel is missing from a flow at one pace that `interval` goes on with.
    func provesOneLoss(_ interval: UInt64) -> Bool {
        guard case .silent(edges: 1, confirmed: 0) = suspicion else { return false }
        return isStep(interval)
    }

    /// What broke the pace is counted otherwise; the pace goes on.
    mutating func goOn(_ interval: UInt64) {
        suspicion = .none
        previous = interval
    }

    /// One channel makes edges alone in a flow that had a pace.
    var isLegSilent: Bool {
        if case .silent = suspicion { run >= Self.runMin } else { false }
    }

    /// A step forward in a flow forward that has had its pace for ``runMin`` steps.
    ///
    /// - Returns: whether it keeps the pace; nothing has changed when not.
    @inline(__always)
    mutating func goesOn(_ interval: UInt64) -> Bool {
        guard run == Self.runMin, isForward, case .none = suspicion else { return false }
        return keepsPace(interval)
    }

    @inline(__always)
    private mutating func keepsPace(_ interval: UInt64) -> Bool {
        let two = interval &+ previous
        guard two &* 8 &- pair &* 5 <= pair &* 6 else { return false }
        pair = (pair &* 7 &+ two) / 8
        previous = interval
        return true
    }

    /// - Parameters:
    ///   - isForward: which way the edge reads.
    ///   - interval: since the edge before.
    ///   - isAlone: the edge before was this channel's too, which in one direction never is.
    mutating func step(isForward: Bool, _ interval: UInt64, isAlone: Bool) -> Finding {
        if case .none = suspicion, !isAlone, isForward == self.isForward, run > 2, keepsPace(interval) {
            if run < Self.runMin { run += 1 }
            return .nothing
        }
        return breakStep(isForward: isForward, interval, isAlone: isAlone)
    }

    private mutating func breakStep(isForward: Bool, _ interval: UInt64, isAlone: Bool) -> Finding {
        defer { previous = interval }
        if isAlone { return alone(isForward, interval) }
        switch suspicion {
        case .none: return begin(isForward, interval)
        case .gap(let confirmed): return confirm(isForward, interval, confirmed, .gap) { .gap(confirmed: $0) }
        case .silent(let edges, let confirmed):
            return confirm(isForward, interval, confirmed, .silent(edges: edges)) {
                .silent(edges: edges, confirmed: $0)
            }
        }
    }

    private mutating func begin(_ isForward: Bool, _ interval: UInt64) -> Finding {
        let isSame = isForward == self.isForward
        if isSame, run >= Self.runMinOfProof, isGap(interval) {
            suspicion = .gap(confirmed: 0)
        } else if isSame, run == 1 {
            run = 2
        } else if isSame, run == 2 {
            run = 3
            pair = interval &+ previous
        } else {
            restart(isForward)
        }
        return .nothing
    }

    private mutating func alone(_ isForward: Bool, _ interval: UInt64) -> Finding {
        guard run >= Self.runMinOfProof, interval &* 8 >= pair &* 5, interval &* 8 <= pair &* 11 else {
            restart(isForward)
            return .nothing
        }
        switch suspicion {
        case .silent(let edges, confirmed: 0): suspicion = .silent(edges: edges + 1, confirmed: 0)
        case .none: suspicion = .silent(edges: 1, confirmed: 0)
        case .silent, .gap: restart(isForward)
        }
        return .nothing
    }

    private mutating func confirm(
        _ isForward: Bool,
        _ interval: UInt64,
        _ confirmed: Int,
        _ finding: Finding,
        _ next: (Int) -> Suspicion
    ) -> Finding {
        guard isForward == self.isForward, isStep(interval) else {
            restart(isForward)
            return .nothing
        }
        guard confirmed + 1 == Self.confirmations else {
            suspicion = next(confirmed + 1)
            return .nothing
        }
        suspicion = .none
        guard run == Self.runMin else {
            run = min(Self.runMin, run + Self.confirmations)
            return .nothing
        }
        return finding
    }

    private mutating func restart(_ isForward: Bool) {
        self.isForward = isForward
        run = 1
        suspicion = .none
    }

    /// As long as a step and whole cycles, give or take three quarters of a step.
    private func isGap(_ interval: UInt64) -> Bool {
        guard interval &* 8 >= pair &* gapEighths, interval <= Self.gapNanosecondsMax else { return false }
        let cycle = pair &* pairsPerCycle
        let beyond = (interval &- pair / 2 &+ cycle / 2) % cycle
        let off = beyond > cycle / 2 ? beyond - cycle / 2 : cycle / 2 - beyond
        return off &* 8 <= pair &* 3
    }

    /// Longer than a gap, and than what the steps before it make of a lost edge.
    func isRest(_ interval: UInt64) -> Bool { interval > Self.gapNanosecondsMax && interval &* 2 > previous &* 5 }

    /// At most 1.75 steps.
    private func isStep(_ interval: UInt64) -> Bool { interval &* 8 <= pair &* 7 }
}
