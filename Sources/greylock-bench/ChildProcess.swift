import Glibc

/// A program started for a measurement, and what it writes.
final class ChildProcess {
    // POSIX_SPAWN_SETSID, TIOCSPTLCK and TIOCGPTN, which the headers hide.
    private static let newSession: Int16 = 0x80
    private static let unlockTerminal: UInt = 0x4004_5431
    private static let terminalNumber: UInt = 0x8004_5430

    let id: pid_t
    private let output: Int32
    /// -1 without one.
    private let terminal: Int32
    private var buffered: [UInt8] = []

    /// - Parameters:
    ///   - arguments: the program's path first.
    ///   - isAtTerminal: it has a terminal of its own, where nobody types.
    /// - Returns: nil when the program cannot be started.
    init?(_ arguments: [String], reading stream: Int32, isAtTerminal: Bool = false) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], stream)
        unsafe posix_spawn_file_actions_addclose(&actions, ends[0])
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        terminal = isAtTerminal ? unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1
        if isAtTerminal {
            var (unlocked, number): (Int32, UInt32) = (0, 0)
            guard unsafe ioctl(terminal, Self.unlockTerminal, &unlocked) == 0,
                unsafe ioctl(terminal, Self.terminalNumber, &number) == 0
            else { return nil }
            unsafe posix_spawnattr_setflags(&attributes, Self.newSession)
            unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/pts/\(number)", O_RDWR, 0)
        }
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
        }
        var id: pid_t = 0
        let status = unsafe posix_spawnp(&id, arguments[0], &actions, &attributes, &words, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            return nil
        }
        self.id = id
        output = ends[0]
    }

    deinit {
        close(output)
        if terminal >= 0 { close(terminal) }
    }

    /// The next whole line; nil at the end of the output.
    func line() -> String? {
        while true {
            if let end = buffered.firstIndex(of: UInt8(ascii: "\n")) {
                defer { buffered.removeSubrange(...end) }
                return String(decoding: buffered[..<end], as: UTF8.self)
            }
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = unsafe read(output, &chunk, chunk.count)
            guard count > 0 else { return nil }
            buffered += chunk.prefix(count)
        }
    }

    /// Asks the program to stop and waits for it.
    func stop() {
        kill(id, SIGTERM)
        wait()
    }

    /// Waits for the program's end.
    ///
    /// - Returns: its wait status, 0 when it exited with 0.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        unsafe _ = waitpid(id, &status, 0)
        return status
    }
}
