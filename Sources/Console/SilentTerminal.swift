private import Glibc
import ISO7816
package import Threads

/// The controlling terminal without echo, for a tool that waits for a secret to be typed.
///
/// What is typed goes straight into locked memory. The terminal gets its echo back however the typing ends, be it by a
/// signal.
package struct SilentTerminal: ~Copyable {
    private let secret: String
    private let terminal: Int32
    private let mode: TerminalMode

    /// - Parameter secret: what is typed, for an error.
    /// - Throws: when the process has no terminal, or when its memory could be dumped.
    package init(for secret: String) throws(ServiceFailure) {
        try ProcessHardening.forbidDumps()
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "no terminal to type the \(secret) at: run this at a console"
            )
        }
        _ = signal(SIGTSTP, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] + SignalPolicy.numbers({ $0 == .fatal }) {
            TerminalMode.giveBackAndEnd(at: number)
        }
        guard let mode = TerminalMode(silencing: terminal) else {
            let reason = systemError()
            close(terminal)
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal: \(reason)")
        }
        self.secret = secret
        self.terminal = terminal
        self.mode = mode
    }

    deinit {
        mode.giveBack()
        close(terminal)
    }

    /// Asks, and returns one line that fits the field. What was typed before the question is thrown away.
    ///
    /// - Parameters:
    ///   - rule: what is said of a line that does not fit.
    ///   - use: takes what was typed; returns nil to ask again.
    package borrowing func ask<Result: ~Copyable>(
        _ question: String,
        _ field: LineEditor.Field,
        rule: String,
        use: (consuming SecretLine) -> Result?
    ) throws(ServiceFailure) -> Result {
        while true {
            mode.discardInput()
            say("\(question): ")
            if let line = try readLine(field) {
                if let result = use(line.take()) { return result }
            }
            say("\(rule)\n")
        }
    }

    /// - Returns: nil for a line that does not fit.
    private borrowing func readLine(_ field: LineEditor.Field) throws(ServiceFailure) -> LineEditor? {
        var editor = LineEditor(field)
        while true {
            switch editor.receive(try key()) {
            case .none, .changed: continue
            case .entered:
                say("\n")
                return editor
            case .refused:
                say("\n")
                return nil
            case .cancelled: throw cancelled()
            }
        }
    }

    /// What whoever types does not want to.
    package borrowing func cancelled() -> ServiceFailure {
        say("\n")
        return ServiceFailure(exitStatus: 1, reason: "no \(secret) was typed")
    }

    /// Throws away what was typed and not read.
    package borrowing func discardInput() { mode.discardInput() }

    /// The next byte that the terminal sends.
    package borrowing func key() throws(ServiceFailure) -> UInt8 {
        var key: UInt8 = 0
        while true {
            let result = unsafe Glibc.read(terminal, &key, 1)
            if result == 1 { return key }
            guard result < 0, errno == EINTR else {
                throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal is gone")
            }
        }
    }

    package borrowing func say(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe _ = write(terminal, bytes, bytes.count)
    }
}
