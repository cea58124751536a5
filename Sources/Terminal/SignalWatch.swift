private import Glibc
private import Threads

/// Turns SIGTERM and SIGINT into a call on a thread of its own.
package enum SignalWatch {
    /// Must be called before any other thread is started: the signals are blocked in this thread and those it makes.
    package static func start(_ stop: @escaping @Sendable () -> Void) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        let blocked = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        precondition(blocked == 0, "the signal mask is valid")
        // A reader that went away must show as an error of the call, not as a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        let watched = signals
        _ = NamedThread("signals") {
            var signals = watched
            var number: Int32 = 0
            while unsafe sigwait(&signals, &number) == 0 { stop() }
        }
    }
}
