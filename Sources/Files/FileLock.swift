private import Glibc
private import Threads

/// A file that stands for something that one process does at a time. Another process may do it when this value, or its process,
/// ends. The corresponding C function is `flock`.
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: Int32

    /// - Parameter words: why not, while another process has it.
    package init(_ path: String, whenHeld words: String) throws(FileFault) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard descriptor >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        try FileOwner.leave(descriptor, path)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: throw FileFault(words)
            case _: throw FileFault("cannot lock \(path): \(systemError())")
            }
        }
    }

    /// A process that another thread starts just now has the descriptor until it becomes its program: closing alone would leave the
    /// lock with it.
    deinit {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
