private import CLinux
private import Glibc
package import Threads

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT, which end a tool where it waits and nowhere else: so that it says what it leaves, and takes
/// back what must not stay.
///
/// One thread makes the value and every call. The corresponding C function is `signalfd`.
package final class HeldSignals {
    private let descriptor: Int32
    private var before = sigset_t()

    package init() throws(ServiceFailure) {
        var held = sigset_t()
        unsafe sigemptyset(&held)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { unsafe sigaddset(&held, number) }
        descriptor = unsafe signalfd(-1, &held, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0, unsafe pthread_sigmask(SIG_BLOCK, &held, &before) == 0 else {
            throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: "signals: \(systemError())")
        }
    }

    /// What came and was told ends nobody now.
    deinit {
        while taken() != nil {}
        unsafe _ = pthread_sigmask(SIG_SETMASK, &before, nil)
        close(descriptor)
    }

    package enum Direction {
        case reading
        case writing
    }

    /// Waits until there is something to read, or room to write.
    ///
    /// - Parameter seconds: how long; nil without an end.
    /// - Throws: when one of the signals came, meanwhile or before, or nothing in that time.
    package func wait(for direction: Direction, of file: Int32, seconds: Int? = nil) throws(ServiceFailure) {
        let events = Int16(direction == .reading ? POLLIN : POLLOUT)
        var waited = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: file, events: events, revents: 0),
        ]
        let milliseconds = seconds.map { Int32(clamping: $0 * 1_000) } ?? -1
        repeat {
            let result = unsafe poll(&waited, 2, milliseconds)
            if result == 0 {
                throw ServiceFailure(
                    exitStatus: 1,
                    reason: "nothing came for \(seconds ?? 0) seconds: it was broken off"
                )
            }
            guard result > 0 || errno == EINTR else {
                throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: "waiting: \(systemError())")
            }
            try throwSignal()
        } while waited[1].revents == 0
    }

    /// Whether there is something to read, as soon as there is, or when the time is over.
    ///
    /// - Throws: when one of the signals came, meanwhile or before.
    package func isReadable(_ file: Int32, withinMilliseconds limit: Int32) throws(ServiceFailure) -> Bool {
        var waited = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: file, events: Int16(POLLIN), revents: 0),
        ]
        let result = unsafe poll(&waited, 2, limit)
        guard result >= 0 || errno == EINTR else {
            throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: "waiting: \(systemError())")
        }
        try throwSignal()
        return result > 0 && waited[1].revents != 0
    }

    private func throwSignal() throws(ServiceFailure) {
        guard let signal = taken() else { return }
        throw signal == SIGHUP
            ? ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal is gone")
            : ServiceFailure(exitStatus: 1, reason: "it was interrupted")
    }

    private func taken() -> Int32? {
        var signal = signalfd_siginfo()
        let count = unsafe read(descriptor, &signal, MemoryLayout<signalfd_siginfo>.size)
        return count > 0 ? Int32(signal.ssi_signo) : nil
    }
}
