import CPCSCLite
package import ISO7816
private import Synchronization
package import Threads

/// Watches one reader from a thread and a context of its own, and posts what happens there:
///
/// - `cardInserted` when a card comes or is there at the start, be it mute; `cardRemoved` when it goes; both, in the
///   order removed, inserted, for a card that left and came between two looks;
/// - `lost` with what to do, once for each cause, when there is no reader of the choice or no pcscd, at the start too;
///   the card is then gone as well, without a `cardRemoved`;
/// - `back` when it is there again, and `cardInserted` if it holds a card.
///
/// The events are posted on the monitor's thread; what takes them must not block and must not own the monitor.
package final class ReaderMonitor: Sendable {
    private let watch: ReaderWatch
    private let thread: Mutex<NamedThread?>
    /// pcscd's answers are waited for at work.
    package var progress: LoopProgress { watch.progress }

    /// Starts watching.
    ///
    /// - Parameter choice: which reader; shared with what talks to the card in it.
    package init(_ choice: ReaderChoice, post: @escaping @Sendable (ReaderEvent) -> Void) {
        let watch = ReaderWatch(choice: choice, post: post)
        watch.progress.works()
        let thread = NamedThread("card-reader") { watch.run() }
        self.watch = watch
        self.thread = Mutex(thread)
    }

    /// - Parameter name: a reader's name or a part of it; nil for the only reader there is.
    package convenience init(name: String?, post: @escaping @Sendable (ReaderEvent) -> Void) {
        self.init(ReaderChoice(name), post: post)
    }

    deinit {
        stop()
    }

    /// Returns when the last event is posted and the thread has ended. Stopped already, it does nothing.
    package func stop() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let running else { return }
        watch.stop()
        running.join()
    }
}

/// The thread's part of a monitor.
private final class ReaderWatch: Sendable {
    /// Between two attempts to reach a pcscd that does not run.
    static let serviceRetryNanoseconds: UInt64 = 1_000_000_000
    /// Between two looks at the list of readers while ours is missing; one that is plugged in ends the wait at once,
    /// unless it came just before the wait began.
    static let readerRetryMilliseconds: UInt32 = 1_000
    /// Between two cancellations of a wait that may not have begun when the one before came.
    static let cancelRetryNanoseconds: UInt64 = 20_000_000
    /// Between two looks at a reader in which nothing happens: pcscd has answered then.
    static let lookMilliseconds = UInt32(LoopProgress.waitMillisecondsMax)

    private struct Control {
        var isStopping = false
        /// What a stop cancels.
        var context: SCARDCONTEXT?
    }

    private let choice: ReaderChoice
    private let post: @Sendable (ReaderEvent) -> Void
    private let control = Mutex(Control())
    private let stopped = MonotonicSemaphore()
    private let ended = MonotonicSemaphore()
    let progress = LoopProgress()

    init(choice: ReaderChoice, post: @escaping @Sendable (ReaderEvent) -> Void) {
        self.choice = choice
        self.post = post
    }

    private var isStopping: Bool { control.withLock { $0.isStopping } }

    func stop() {
        control.withLock { $0.isStopping = true }
        stopped.signal()
        repeat {
            control.withLock { control in
                if let context = control.context { PCSCContext.cancel(context) }
            }
        } while !ended.wait(until: MonotonicClock.nanoseconds + Self.cancelRetryNanoseconds)
    }

    func run() {
        var presence = ReaderPresence()
        while !isStopping {
            do throws(PCSCError) {
                try followService(&presence)
            } catch {
                if error.isServiceLost { choice.doubt() }
                report(presence.lost(error.advice))
                _ = stopped.wait(
                    until: MonotonicClock.nanoseconds + Self.serviceRetryNanoseconds,
                    showing: progress
                )
            }
        }
        progress.ends()
        ended.signal()
    }

    /// Returns to stop, throws when pcscd is not there or ends.
    private func followService(_ presence: inout ReaderPresence) throws(PCSCError) {
        let context = try PCSCContext()
        control.withLock { $0.context = context.handle }
        defer { control.withLock { $0.context = nil } }
        while !isStopping {
            progress.works()
            switch try choice.find(context) {
            case .reader(let reader): try followReader(reader, context, &presence)
            case .none(let advice), .held(let advice):
                report(presence.lost(advice))
                _ = try context.waitForChange(
                    of: PCSCContext.readerNotification,
                    from: .unaware,
                    timeoutMilliseconds: Self.readerRetryMilliseconds
                )
            }
        }
    }

    /// Returns to stop, or when the reader is gone.
    private func followReader(
        _ reader: String,
        _ context: borrowing PCSCContext,
        _ presence: inout ReaderPresence
    ) throws(PCSCError) {
        var state = ReaderState.unaware
        while !isStopping {
            progress.works()
            let next = try context.waitForChange(of: reader, from: state, timeoutMilliseconds: Self.lookMilliseconds)
            if next == state { continue }
            state = next
            if next.isUnknown {
                choice.doubt()
                return report(presence.lost("the card reader \"\(reader)\" is gone: plug it in"))
            }
            if next.isUnavailable {
                report(presence.lost("the card reader \"\(reader)\" does not work: unplug it and plug it in again"))
            } else {
                report(presence.seen(isCardPresent: next.isCardPresent, cardEvents: next.cardEvents))
            }
        }
    }

    private func report(_ events: [ReaderEvent]) {
        for event in events { post(event) }
    }
}
