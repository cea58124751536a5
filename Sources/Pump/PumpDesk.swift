import Metering
private import Synchronization
private import Threads

/// Where the pump's thread and the others meet. What the thread itself calls never waits, up to ``end(_:_:)``.
final class PumpDesk: Sendable {
    /// The one command that may be under way.
    private enum Slot {
        case free
        case asked(PumpCommand)
        /// The thread performs it.
        case taken
        case stopping
        /// The thread has ended, or must.
        case ended(PumpFault)
    }

    enum Note {
        case nothing
        /// Another thread is at the desk: look again.
        case busy
        case perform(PumpCommand)
        case stop
        case abandoned(PumpFault)
    }

    private let shared: SharedLines
    private let slot = Mutex<Slot>(.free)
    private let published: Mutex<MeterSnapshot>
    private let answered = MonotonicSemaphore()
    private let realTime = Mutex(false)
    /// The greatest number once the thread has ended.
    private let turned = Atomic<UInt64>(MonotonicClock.nanoseconds)
    private let shuts = Atomic(false)

    init(lines: sending any PumpLines, snapshot: MeterSnapshot) {
        shared = SharedLines(lines: lines)
        published = Mutex(snapshot)
    }

    var snapshot: MeterSnapshot { published.withLock { $0 } }

    /// When the thread last turned, on the monotonic clock.
    var lastTurnNanoseconds: UInt64 { turned.load(ordering: .relaxed) }

    func perform(_ command: PumpCommand, withinNanoseconds limit: UInt64) throws(PumpFault) {
        try slot.withLock { (slot) throws(PumpFault) in
            switch slot {
            case .free: slot = .asked(command)
            case .asked, .taken: preconditionFailure("one thread at a time performs commands")
            case .stopping: throw PumpFault(reason: "the pump stops")
            case .ended(let fault): throw fault
            }
        }
        shared.lines.wake()
        let isAnswered = answered.wait(until: MonotonicClock.nanoseconds + limit)
        if !isAnswered { abandon(PumpFault(reason: "the pump did not answer in \(limit / 1_000_000) ms")) }
        try slot.withLock { (slot) throws(PumpFault) in
            switch slot {
            case .free, .asked: preconditionFailure("a command is taken before it is answered")
            case .taken: slot = .free
            case .stopping: throw PumpFault(reason: "the pump stops")
            case .ended(let fault): throw fault
            }
        }
    }

    /// The thread closes the valves as soon as it sees this: a late `open` must not stay open.
    private func abandon(_ fault: PumpFault) {
        slot.withLock { slot in
            if case .ended = slot { return }
            slot = .ended(fault)
        }
        shared.lines.wake()
    }

    func askToStop() {
        slot.withLock { slot in
            if case .ended = slot { return }
            slot = .stopping
        }
        shared.lines.wake()
    }

    /// Since when the thread has not turned; zero when it has ended, with the outputs off if they can be.
    var stillNanoseconds: UInt64 {
        let turned = turned.load(ordering: .relaxed)
        let now = MonotonicClock.nanoseconds
        return turned < now ? now - turned : 0
    }

    /// From now on the outputs stay off, whatever is commanded. Returns at once, on any thread.
    func shut() {
        shuts.store(true, ordering: .releasing)
        shared.lines.wake()
    }

    func waitForStart() -> Bool {
        _ = answered.wait(until: nil)
        return realTime.withLock { $0 }
    }
}

// What the pump's thread calls.
extension PumpDesk {
    var lines: any PumpLines { shared.lines }

    func noteTurn(_ nanoseconds: UInt64) { turned.store(nanoseconds, ordering: .relaxed) }

    func noteStart(isRealTime: Bool) {
        realTime.withLock { $0 = isRealTime }
        answered.signal()
    }

    func look() -> Note {
        let note = slot.withLockIfAvailable { slot -> Note in
            switch slot {
            case .free, .taken: return .nothing
            case .asked(let command):
                slot = .taken
                return .perform(command)
            case .stopping: return .stop
            case .ended(let fault): return .abandoned(fault)
            }
        }
        return note ?? .busy
    }

    /// - Returns: false when another thread is reading the last one.
    func publish(_ snapshot: MeterSnapshot) -> Bool {
        published.withLockIfAvailable { $0 = snapshot } != nil
    }

    func answer() { answered.signal() }

    var isShut: Bool { shuts.load(ordering: .acquiring) }

    /// Waits for both locks; the outputs are off.
    func end(_ fault: PumpFault, _ snapshot: MeterSnapshot) {
        turned.store(.max, ordering: .relaxed)
        published.withLock { $0 = snapshot }
        slot.withLock { $0 = .ended(fault) }
        answered.signal()
    }
}

/// Lines that one thread waits for, sets and reads, while others wake it.
///
/// Unchecked, because a protocol cannot say which of its methods any thread may call: ``PumpLines`` says it of `wake`
/// in words. Everything else is called by `PumpTurns` alone, on its one thread, and the lines came `sending`.
private struct SharedLines: @unchecked Sendable {
    let lines: any PumpLines
}
