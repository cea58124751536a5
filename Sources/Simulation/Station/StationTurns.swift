private import Threads

/// Whose turn it is among the sides of a board, each of which runs on a thread of its own: one runs at a time, and the one
/// whose next thing comes first goes on. Among those of one instant chance decides, the same from the same seed.
///
/// The thread that has the turn calls; what the sides share is its alone until it gives the turn away.
final class StationTurns {
    /// What a thread does when it first has the turn.
    // SAFETY: the batons hand everything that it reaches from one thread to the next.
    private struct Turn: @unchecked Sendable {
        let take: () -> Void
    }

    /// Nothing happens by itself.
    private static let never = UInt64.max

    private let batons: [MonotonicSemaphore]
    /// When the next thing of each side comes; nil of one that has ended.
    private var instants: [UInt64?]
    private var numbers: SplitMix64
    /// The turn was given to the side that has it for the instant that it waits for.
    private var isGranted = false
    private(set) var current = 0

    init(sides: Int, seed: UInt64) {
        batons = (0..<sides).map { _ in MonotonicSemaphore() }
        instants = Array(repeating: nil, count: sides)
        numbers = SplitMix64(state: seed)
    }

    /// Runs each side's body to its end.
    func run(_ bodies: [() -> Void]) {
        instants = bodies.map { _ in 0 }
        let threads = zip(batons.indices, bodies).map { side, body in
            let baton = batons[side]
            let turn = Turn { [self] in
                body()
                end(side)
            }
            return NamedThread("side \(side + 1)") {
                _ = baton.wait(until: nil)
                turn.take()
            }
        }
        hand(to: first() ?? 0)
        for thread in threads { thread.join() }
        current = 0
    }

    /// - Returns: false when nothing comes before `instant`, and otherwise true when it is this side's turn again; the world
    ///   may be another then.
    func giveWay(of side: Int, until instant: UInt64) -> Bool {
        instants[side] = instant
        let wasGranted = isGranted
        isGranted = false
        let earliest = instants.lazy.compactMap(\.self).min() ?? Self.never
        if earliest == Self.never || (wasGranted && earliest == instant) { return false }
        guard let next = first(), next != side else { return false }
        hand(to: next)
        _ = batons[side].wait(until: nil)
        return true
    }

    /// Something came to other sides: they look again what they wait for.
    func wake(_ side: Int, now: UInt64) {
        if let instant = instants[side], side != current { instants[side] = min(instant, now) }
    }

    func below(_ bound: Int) -> Int { numbers.below(bound) }

    private func end(_ side: Int) {
        instants[side] = nil
        if let next = first() { hand(to: next) }
    }

    private func hand(to side: Int) {
        current = side
        isGranted = true
        batons[side].signal()
    }

    /// The side whose next thing comes first; nil when all have ended.
    private func first() -> Int? {
        guard let earliest = instants.lazy.compactMap(\.self).min() else { return nil }
        let sides = instants.indices.filter { instants[$0] == earliest }
        return sides.count == 1 ? sides[0] : sides[numbers.below(sides.count)]
    }
}
