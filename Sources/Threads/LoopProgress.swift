private import Synchronization

/// What other threads see of a loop: whether its thread waits or works, and since when.
///
/// A loop comes back to its wait at least every ``waitNanosecondsMax``, also when nothing happens: one that is held in its wait
/// is seen like one that is held at work. Its own thread writes, any may read, and none waits.
package final class LoopProgress: Sendable {
    package static let waitNanosecondsMax: UInt64 = 1_000_000_000
    /// The same for `poll`.
    package static let waitMillisecondsMax: Int32 = 1_000

    package enum Standing: Equatable, Sendable {
        /// Not begun; or in the hands of somebody who may keep it as long as he likes.
        case unwatched
        case waiting(nanoseconds: UInt64)
        case working(nanoseconds: UInt64)
        case ended
    }

    private static let unwatched: UInt64 = 0
    private static let ended: UInt64 = .max
    private static let waitingBit: UInt64 = 1 << 63

    /// When it began to wait or to work, in monotonic nanoseconds.
    private let state = Atomic(LoopProgress.unwatched)

    package init() {}

    package func waits() { state.store(MonotonicClock.nanoseconds | Self.waitingBit, ordering: .relaxed) }

    package func works() { state.store(MonotonicClock.nanoseconds, ordering: .relaxed) }

    package func isUnwatched() { state.store(Self.unwatched, ordering: .relaxed) }

    /// For good: nobody waits for it any more.
    package func ends() { state.store(Self.ended, ordering: .relaxed) }

    package var standing: Standing {
        let state = state.load(ordering: .relaxed)
        if state == Self.unwatched { return .unwatched }
        if state == Self.ended { return .ended }
        let since = state & ~Self.waitingBit
        let now = MonotonicClock.nanoseconds
        let nanoseconds = now > since ? now - since : 0
        return state & Self.waitingBit == 0 ? .working(nanoseconds: nanoseconds) : .waiting(nanoseconds: nanoseconds)
    }

    /// How long it has been at work; zero while it is not.
    package var awayNanoseconds: UInt64 {
        switch standing {
        case .working(let nanoseconds): nanoseconds
        case .unwatched, .waiting, .ended: 0
        }
    }
}

extension MonotonicSemaphore {
    /// As ``wait(until:)``, of a loop that others watch.
    package func wait(until deadline: UInt64?, showing progress: LoopProgress) -> Bool {
        defer { progress.works() }
        while true {
            progress.waits()
            let piece = MonotonicClock.nanoseconds + LoopProgress.waitNanosecondsMax
            if wait(until: min(piece, deadline ?? .max)) { return true }
            if let deadline, MonotonicClock.nanoseconds >= deadline { return false }
        }
    }
}
