package import Metering
private import Synchronization
private import Threads

/// Lines whose outputs take for ever to switch on.
package final class StuckLines: PumpLines, Sendable {
    private let state = Mutex<PumpOutputs>([])
    private let woken = MonotonicSemaphore()
    private let released = MonotonicSemaphore()

    package init() {}

    package var outputs: PumpOutputs { state.withLock { $0 } }

    package func release() { released.signal() }

    package func levels() -> PumpLevels { PumpLevels(a: false, b: false, nozzle: true, emergency: false) }

    package func levelsAhead() -> PumpLevels { levels() }

    package func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) {
        _ = woken.wait(until: timeoutNanoseconds.map { MonotonicClock.nanoseconds + $0 })
    }

    package func set(_ outputs: PumpOutputs) {
        if !outputs.isEmpty { _ = released.wait(until: nil) }
        state.withLock { $0 = outputs }
    }

    package func wake() { woken.signal() }
}
