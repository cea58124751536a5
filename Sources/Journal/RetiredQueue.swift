import GRDB

extension DatabaseQueue {
    /// Closes the connection and keeps the queue, a few hundred bytes, as long as the process.
    ///
    /// The end of a queue starts libdispatch's first worker, and that its manager's thread, which asks for a negative nice value: an
    /// ordinary user may not have one, and "Failed to set thread priority for worker thread" would stand in every log.
    func retire() {
        // What cannot be closed is left to the end of its owner.
        do { try close() } catch { return }
        _ = unsafe Unmanaged.passRetained(self)
    }
}
