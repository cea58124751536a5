import CardCryptography
private import Glibc

/// The controlling terminal without echo, for a tool that waits for a secret to be typed.
///
/// What is typed goes straight into locked memory. The terminal's own signals are off meanwhile, so that it gets its
/// echo back however the typing ends.
struct SilentTerminal: ~Copyable {
    private let secret: String
    private let terminal: Int32
    private let before: termios

    /// - Parameter secret: what is typed, for an error.
    /// - Throws: when the process has no terminal, or when its memory could be dumped.
    init(for secret: String) throws(ServiceFailure) {
        try ProcessHardening.forbidDumps()
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "no terminal to type the \(secret) at: run this at a console"
            )
        }
        var before = termios()
        guard unsafe tcgetattr(terminal, &before) == 0 else {
            close(terminal)
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal: \(systemError())")
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            close(terminal)
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal: \(systemError())")
        }
        self.secret = secret
        self.terminal = terminal
        self.before = before
    }

    deinit {
        var before = before
        unsafe _ = tcsetattr(terminal, TCSAFLUSH, &before)
        close(terminal)
    }

    /// - Returns: how many keys were pressed, at most as many as fit.
    borrowing func read(into typed: inout LockedBuffer) throws(ServiceFailure) -> Int {
        var count = 0
        while true {
            switch try key() {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return count
            case 0x08, 0x7F: count = max(0, count - 1)
            case 0x15: count = 0
            case 0x03, 0x04, 0x1C:
                say("\n")
                throw ServiceFailure(exitStatus: 1, reason: "no \(secret) was typed")
            case let key where count < typed.count:
                typed.withMutableSpan { $0[count] = key }
                count += 1
            case _: continue
            }
        }
    }

    private borrowing func key() throws(ServiceFailure) -> UInt8 {
        var key: UInt8 = 0
        while true {
            let result = unsafe Glibc.read(terminal, &key, 1)
            if result == 1 { return key }
            guard result < 0, errno == EINTR else {
                throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal is gone")
            }
        }
    }

    borrowing func say(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe _ = write(terminal, bytes, bytes.count)
    }
}
