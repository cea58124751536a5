private import CLinux
private import Glibc

/// A thread with a name that shows in `ps -L` and in a debugger. Its owner joins it.
package final class NamedThread: Sendable {
    private let thread: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// - Parameter name: at most 15 bytes, the kernel's limit.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        precondition(name.utf8.count <= 15)
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        // SAFETY: the new thread takes over the one reference that `passRetained` made.
        let result = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe start.name.withCString { name in
                    let named = unsafe greylock_set_thread_name(name)
                    precondition(named == 0, "the name has at most 15 bytes")
                }
                start.body()
                return nil
            },
            start.toOpaque()
        )
        precondition(result == 0, "the system starts no more threads")
        self.thread = thread
    }

    /// The calling thread comes before every ordinary one. The corresponding C function is `pthread_setschedparam`.
    ///
    /// - Parameter priority: of real time, 1 to 99; the kernel's interrupt threads, which bring the edges, have 50.
    /// - Returns: false where the process may not have real-time threads (CAP_SYS_NICE, or `LimitRTPRIO=` of its unit).
    package static func becomeRealTime(priority: Int32) -> Bool {
        var parameters = sched_param()
        parameters.sched_priority = priority
        return unsafe pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == 0
    }

    package func join() {
        let result = pthread_join(thread, nil)
        precondition(result == 0, "a thread is joined once, by another")
    }
}
