private import CLinux
import Glibc

/// Ends the wait of a thread that polls descriptors. Any thread may ring. The corresponding C function is `eventfd`.
final class Wake: Sendable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(descriptor >= 0, "the process has no more descriptors")
    }

    deinit { close(descriptor) }

    /// One that was rung already stays so.
    func ring() { _ = eventfd_write(descriptor, 1) }

    func clear() {
        var count: eventfd_t = 0
        unsafe _ = eventfd_read(descriptor, &count)
    }
}
