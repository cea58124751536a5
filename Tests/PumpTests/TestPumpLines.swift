import Glibc
import Metering
import Pump
import Records
import Station
import Synchronization
import Threads

/// A pulser that turns at one speed from the first opening on, behind a queue like the kernel's: 1,024 edges, and
/// what comes on top drops the oldest.
final class QueuedEdges: PumpLines, Sendable {
    static let queueMax = 1_024
    static let batchMax = 256

    private struct State {
        var startNanoseconds: UInt64?
        var taken = 0
        var dropped = 0
        /// The thread's voluntary context switches when it last left `wait`.
        var switchesAtLeaving = 0
    }

    private let state = Mutex(State())
    private let woken = MonotonicSemaphore()
    private let ended = MonotonicSemaphore()
    private let edgeNanoseconds: UInt64
    private let edges: Int
    private let withheldEvery: Int

    /// - Parameter withholdingEvery: each such edge is lost before the queue; its sequence number is not.
    init(edgesPerSecond: UInt64, edges: Int, withholdingEvery: Int = .max) {
        edgeNanoseconds = 1_000_000_000 / edgesPerSecond
        self.edges = edges
        withheldEvery = withholdingEvery
    }

    var droppedCount: Int { state.withLock { $0.dropped } }

    func waitForEnd(patienceNanoseconds: UInt64) -> Bool {
        ended.wait(until: SystemClock().monotonicNanoseconds + patienceNanoseconds)
    }

    func levels() -> PumpLevels { PumpLevels(a: false, b: false, nozzle: true, emergency: false) }

    func levelsAhead() -> PumpLevels { levels() }

    func wait(timeoutNanoseconds: UInt64?, into batch: inout [PumpEdge]) {
        defer { state.withLock { $0.switchesAtLeaving = Self.voluntarySwitches } }
        let now = SystemClock().monotonicNanoseconds
        let next = state.withLock { takeDue(&$0, now: now, into: &batch) }
        guard batch.isEmpty else { return }
        let instants = [timeoutNanoseconds.map { now + $0 }, next]
        _ = woken.wait(until: instants.compactMap(\.self).min())
    }

    /// How often the calling thread gave up its processor to wait for something (getrusage(2), RUSAGE_THREAD).
    private static var voluntarySwitches: Int {
        var usage = rusage()
        let result = unsafe getrusage(__rusage_who_t(1), &usage)
        precondition(result == 0, "a thread may ask for its own usage")
        return usage.ru_nvcsw
    }

    func set(_ outputs: PumpOutputs) {
        guard !outputs.isEmpty else { return }
        state.withLock { $0.startNanoseconds = $0.startNanoseconds ?? SystemClock().monotonicNanoseconds }
    }

    func wake() { woken.signal() }

    /// - Returns: when the next edge is due; nil when none will come.
    private func takeDue(_ state: inout State, now: UInt64, into batch: inout [PumpEdge]) -> UInt64? {
        guard let start = state.startNanoseconds else { return nil }
        var due = min(edges, Int((now - start) / edgeNanoseconds))
        let overflow = max(0, due - state.taken - Self.queueMax)
        if overflow > 0, Self.voluntarySwitches == state.switchesAtLeaving {
            // The thread waited for nothing: the machine did not run it, and the pulser stood still with the machine.
            state.startNanoseconds = start + UInt64(overflow) * edgeNanoseconds
            due -= overflow
        } else {
            state.dropped += overflow
            state.taken += overflow
        }
        while state.taken < due, batch.count < Self.batchMax {
            let index = state.taken
            state.taken += 1
            guard (index + 1) % withheldEvery != 0 else { continue }
            batch.append(
                PumpEdge(
                    input: .pulser(index % 2 == 0 ? .a : .b),
                    rising: index % 4 < 2,
                    nanoseconds: start + UInt64(index) * edgeNanoseconds,
                    sequence: UInt32(index / 2 + 1)
                )
            )
        }
        if state.taken == edges {
            if batch.isEmpty { ended.signal() }
            return nil
        }
        return start + UInt64(state.taken + 1) * edgeNanoseconds
    }
}

/// Reads a pump's snapshot from a thread of its own, again and again.
final class SnapshotReader: Sendable {
    private let isOver = Mutex(false)
    private let reads = Mutex(0)
    private let thread = Mutex<NamedThread?>(nil)

    init(_ pump: PumpThread) {
        thread.withLock { thread in
            thread = NamedThread("reader") { [self] in
                while !isOver.withLock({ $0 }) {
                    _ = pump.snapshot
                    reads.withLock { $0 += 1 }
                }
            }
        }
    }

    /// - Returns: how many times it read.
    func stop() -> Int {
        isOver.withLock { $0 = true }
        thread.withLock { $0?.join() }
        return reads.withLock { $0 }
    }
}
