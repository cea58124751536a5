package import Metering
private import Synchronization
private import Threads

/// A nozzle's pump on a thread of its own, between the pulse and the valve.
///
/// The thread waits for its lines and for nothing else: what it shares with others it takes with
/// `withLockIfAvailable`, and tries again at its next turn. An answer or a report leaves only after the snapshot that
/// it stands for is published.
///
/// One thread at a time performs commands; any may read the snapshot. Events are posted on the pump's thread: what
/// takes them must return at once and must not call the pump.
package final class PumpThread: Pump, Sendable {
    /// How long a command may take. A pump that took longer closes and does not open again.
    package static let answerNanosecondsMax: UInt64 = 1_000_000_000
    /// The least time between two reports of pulser faults.
    package static let faultReportNanoseconds: UInt64 = 100_000_000
    /// The longest that the thread waits for its lines while the valves are open, and while they are closed.
    package static let turnNanosecondsMax: (open: UInt64, closed: UInt64) = (100_000_000, 1_000_000_000)
    /// A thread that did not turn for longer with the valves open was frozen, and ends the sale
    /// (<doc:0023-after-a-freeze>).
    package static let frozenNanoseconds: UInt64 = 1_000_000_000
    /// Above every ordinary thread, and below the kernel's interrupt threads, which have 50 and bring the edges.
    package static let realTimePriority: Int32 = 40

    /// False where the process may not have real-time threads (CAP_SYS_NICE, or `LimitRTPRIO=` of its unit).
    package let isRealTime: Bool

    private let desk: PumpDesk
    private let thread: Mutex<NamedThread?>

    /// Starts counting, with the outputs off.
    ///
    /// - Parameters:
    ///   - name: the thread's, at most 15 bytes.
    ///   - limits: what the meter can make.
    ///   - post: takes what the pump tells.
    package init(
        name: String,
        lines: sending any PumpLines,
        calibration: Calibration,
        kind: PulserKind,
        limits: MeterLimits = MeterLimits(),
        post: @escaping @Sendable (PumpEvent) -> Void
    ) throws(PumpFault) {
        try lines.set([])
        let levels = try lines.levels()
        let head = MeterHead(
            calibration: calibration,
            kind: kind,
            levels: (levels.a, levels.b),
            nozzleIsLifted: levels.nozzle,
            emergency: levels.emergency,
            limits: limits
        )
        let desk = PumpDesk(lines: lines, snapshot: head.snapshot)
        let thread = NamedThread(name) {
            desk.noteStart(isRealTime: NamedThread.becomeRealTime(priority: Self.realTimePriority))
            var turns = PumpTurns(desk: desk, head: head, post: post)
            turns.run()
        }
        self.desk = desk
        self.thread = Mutex(thread)
        isRealTime = desk.waitForStart()
    }

    deinit { stop() }

    package func perform(_ command: PumpCommand) throws(PumpFault) {
        try desk.perform(command, withinNanoseconds: Self.answerNanosecondsMax)
    }

    package var snapshot: MeterSnapshot { desk.snapshot }

    /// When the thread last turned, on the monotonic clock; any thread may ask, and none waits. It turns at least every
    /// ``turnNanosecondsMax``: who looks after the process from outside lets it live as long as this goes on.
    package var lastTurnNanoseconds: UInt64 { desk.lastTurnNanoseconds }

    /// Since when the thread has not turned. Zero when it has ended, with the outputs off if they can be.
    package var stillNanoseconds: UInt64 { desk.stillNanoseconds }

    /// Switches the outputs off for good; counting and commands go on. Returns at once, on any thread.
    package func shut() { desk.shut() }

    /// Switches the outputs off and returns when the thread has ended. Stopped already, it does nothing.
    package func stop() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        desk.askToStop()
        running.join()
    }
}
