private import CLinux
private import Glibc

/// A counting semaphore whose deadlines are those of the monotonic clock.
///
/// The time limit of a `DispatchSemaphore` follows the wall clock on Linux: when the clock of a board is set back while
/// a thread waits, the wait is as much longer. Any thread may call.
///
/// The corresponding C functions are `eventfd` and `poll`.
package final class MonotonicSemaphore: Sendable {
    private let descriptor: Int32

    package init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        precondition(descriptor >= 0, "the process has no more descriptors")
    }

    deinit { close(descriptor) }

    package func signal() {
        let result = eventfd_write(descriptor, 1)
        precondition(result == 0, "the semaphore counts to 2^64")
    }

    /// - Parameter deadline: in monotonic nanoseconds; nil to wait for ever.
    /// - Returns: false when the deadline is reached.
    package func wait(until deadline: UInt64?) -> Bool {
        while true {
            var count: eventfd_t = 0
            if unsafe eventfd_read(descriptor, &count) == 0 { return true }
            precondition(errno == EAGAIN, "the semaphore is open")
            var timeout: Int32 = -1
            if let deadline {
                let now = MonotonicClock.nanoseconds
                guard now < deadline else { return false }
                timeout = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
            }
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let result = unsafe poll(&wait, 1, timeout)
            precondition(result >= 0 || errno == EINTR, "the semaphore is open")
        }
    }
}
