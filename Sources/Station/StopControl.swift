private import Glibc
private import Metering
private import Synchronization
import Threads

/// How a service is stopped, whatever its own thread stands in: the valves close first and at once, then the sides are
/// told, and after ``deadlineNanoseconds`` the process ends as it is.
///
/// Ending as it is loses nothing that was promised: the journal is complete after any crash, and the next start settles
/// what is open (Station's 0020). There is one before there is a service: what hangs at the start ends like the rest. Any
/// thread may call.
package final class StopControl: Sendable {
    /// From the request to the end: the service's users wait two seconds.
    package static let deadlineNanoseconds: UInt64 = 1_500_000_000
    /// EX_TEMPFAIL of sysexits.h: told to stop, and ended without its last words.
    package static let exitStatus: Int32 = 75

    /// Between two looks at the outputs.
    private static let lookNanoseconds: UInt64 = 1_000_000

    private let sides = Mutex<[ReachableSide]>([])
    private let isAsked = Atomic(false)
    /// Zero as long as none is requested.
    private let askedAt = Atomic<UInt64>(0)
    private let asked = MonotonicSemaphore()
    private let ending: Mutex<Ending?> = Mutex(nil)
    private let awaited = Mutex<@Sendable () -> String> { "a file that is read at the start does not answer" }

    private struct Ending {
        let valvesAreOff: @Sendable (UInt64) -> Void
        let lastWords: @Sendable (String) -> Void
    }

    package init() {}

    /// From now on `awaited` says what a stop waits for when it cannot be finished.
    func waits(for awaited: @escaping @Sendable () -> String) { self.awaited.withLock { $0 = awaited } }

    /// Both are called on a thread of its own, and must return at once.
    ///
    /// - Parameters:
    ///   - valvesAreOff: takes the nanoseconds from the request until the pumps' threads had their outputs off.
    ///   - lastWords: takes at the deadline what is waited for; then the process ends with ``exitStatus``.
    package func endProcessAtDeadline(
        valvesAreOff: @escaping @Sendable (UInt64) -> Void,
        lastWords: @escaping @Sendable (String) -> Void
    ) {
        ending.withLock { $0 = Ending(valvesAreOff: valvesAreOff, lastWords: lastWords) }
    }

    /// From now on a stop ends these.
    func ends(_ sides: [ReachableSide]) {
        self.sides.withLock { $0 = sides }
        if isRequested { Self.end(sides) }
    }

    private static func end(_ sides: [ReachableSide]) {
        for side in sides { side.shut() }
        for side in sides { side.mailbox.requestStop() }
    }

    /// Closes the valves of all sides for good, and tells the sides nothing.
    ///
    /// - Returns: when the outputs were off, on the monotonic clock; nil when they were not by `deadline`.
    func closeValves(before deadline: UInt64) -> UInt64? {
        let sides = sides.withLock { $0 }
        for side in sides { side.shut() }
        let never = MonotonicSemaphore()
        while sides.contains(where: \.drivesOutputs) {
            guard MonotonicClock.nanoseconds < deadline else { return nil }
            _ = never.wait(until: MonotonicClock.nanoseconds + Self.lookNanoseconds)
        }
        return MonotonicClock.nanoseconds
    }

    /// Waits for a stop, where no side does yet.
    func comes(before deadline: UInt64, showing progress: LoopProgress) -> Bool {
        guard asked.wait(until: deadline, showing: progress) else { return false }
        asked.signal()
        return true
    }

    package var isRequested: Bool { isAsked.load(ordering: .sequentiallyConsistent) }

    /// Since when; nil when none is.
    var requestedNanoseconds: UInt64? {
        let askedAt = askedAt.load(ordering: .relaxed)
        return askedAt == 0 ? nil : MonotonicClock.nanoseconds - askedAt
    }

    /// Requested already, it does nothing.
    package func request() {
        guard !isAsked.exchange(true, ordering: .sequentiallyConsistent) else { return }
        let askedAt = MonotonicClock.nanoseconds
        self.askedAt.store(askedAt, ordering: .relaxed)
        asked.signal()
        let sides = sides.withLock { $0 }
        Self.end(sides)
        guard let ending = ending.withLock({ $0 }) else { return }
        let awaited = awaited.withLock { $0 }
        _ = NamedThread("stop-deadline") {
            let never = MonotonicSemaphore()
            let deadline = askedAt + Self.deadlineNanoseconds
            while sides.contains(where: \.drivesOutputs), MonotonicClock.nanoseconds < deadline {
                _ = never.wait(until: MonotonicClock.nanoseconds + Self.lookNanoseconds)
            }
            if MonotonicClock.nanoseconds < deadline { ending.valvesAreOff(MonotonicClock.nanoseconds - askedAt) }
            _ = never.wait(until: deadline)
            ending.lastWords(awaited())
            _exit(Self.exitStatus)
        }
    }
}
