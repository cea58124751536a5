private import CLinux
private import Glibc
package import Threads

/// Carries ``SignalPolicy`` out: what stops, hangs up or continues comes to a thread of its own as a call.
package enum SignalWatch {
    /// Must be called before any other thread is started: the signals wait in this thread and those it makes until
    /// ``start(_:hangUp:continued:)`` takes them.
    ///
    /// Fatal signals end the process at once, whoever had taken them before: the crash reporter of Swift's runtime, which
    /// `SWIFT_BACKTRACE` turns on, would hold the process with its outputs as they are.
    package static func hold() {
        var waiting = waitingSignals
        let blocked = unsafe pthread_sigmask(SIG_BLOCK, &waiting, nil)
        precondition(blocked == 0, "the signal mask is valid")
        for number in SignalPolicy.numbers({ $0 == .nothing }) { _ = signal(number, SIG_IGN) }
        for number in SignalPolicy.numbers({ $0 == .fatal }) { TerminalMode.giveBackAndEnd(at: number) }
    }

    /// Calls on a thread of their own; several signals that come together are one call.
    ///
    /// - Returns: what is seen of that thread.
    ///
    /// - Parameter hangUp: nil where a terminal that is gone is a stop: for tools, which have nobody to serve then.
    @discardableResult
    package static func start(
        _ stop: @escaping @Sendable () -> Void,
        hangUp: (@Sendable () -> Void)? = nil,
        continued: @escaping @Sendable () -> Void = {}
    ) -> LoopProgress {
        hold()
        let progress = LoopProgress()
        progress.works()
        _ = NamedThread("signals") {
            var signals = waitingSignals
            var pause = timespec(tv_sec: Int(LoopProgress.waitMillisecondsMax) / 1_000, tv_nsec: 0)
            while true {
                progress.waits()
                let number = unsafe sigtimedwait(&signals, nil, &pause)
                progress.works()
                precondition(number > 0 || errno == EAGAIN || errno == EINTR, "the signals are valid")
                guard number > 0 else { continue }
                switch SignalPolicy.response(to: number) {
                case .stop: stop()
                case .hangUp: (hangUp ?? stop)()
                case .continued: continued()
                case .nothing, .fatal, .system: break
                }
            }
        }
        return progress
    }

    private static var waitingSignals: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in SignalPolicy.numbers({ $0 == .stop || $0 == .hangUp || $0 == .continued }) {
            unsafe sigaddset(&signals, number)
        }
        return signals
    }
}
