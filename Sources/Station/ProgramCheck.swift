private import Glibc
import Threads

/// A program that is asked whether it could serve, as a process of its own; it writes its reasons to this one's log.
enum ProgramCheck {
    /// So long it may take: a large journal is looked through.
    private static let nanosecondsMax: UInt64 = 120_000_000_000
    private static let lookNanoseconds: UInt64 = 50_000_000

    /// - Parameter stops: asked now and then; the process is then ended.
    /// - Returns: nil when it could; else why it is not known that it could.
    ///
    /// The corresponding C functions are `posix_spawn` and `waitpid`.
    static func refusal(of program: String, _ arguments: [String], unless stops: () -> Bool) -> String? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for stream in [STDIN_FILENO, STDOUT_FILENO] {
            unsafe posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // This process waits for its signals in one thread, and blocks them in all.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var id: pid_t = 0
        let started = unsafe posix_spawn(&id, program, &actions, &attributes, &words, environ)
        guard started == 0 else { return "\(program) cannot be started: \(unsafe String(cString: strerror(started)))" }
        return end(of: id, program, stops)
    }

    private static func end(of id: pid_t, _ program: String, _ stops: () -> Bool) -> String? {
        let deadline = MonotonicClock.nanoseconds + nanosecondsMax
        let never = MonotonicSemaphore()
        var status: Int32 = 0
        while unsafe waitpid(id, &status, WNOHANG) == 0 {
            guard !stops(), MonotonicClock.nanoseconds < deadline else {
                kill(id, SIGKILL)
                unsafe waitpid(id, &status, 0)
                return "\(program) did not answer"
            }
            _ = never.wait(until: MonotonicClock.nanoseconds + lookNanoseconds)
        }
        return status == 0 ? nil : "\(program) would not serve"
    }
}
