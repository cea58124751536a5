private import CLinux
private import Glibc
import ISO7816
private import Quantities
package import Threads

/// The controlling terminal without echo, for a tool that waits for a secret to be typed.
///
/// What is typed goes straight into locked memory. The terminal gets its echo back however the typing ends, be it by a
/// signal.
package struct SilentTerminal: ~Copyable {
    private let secret: String
    private let terminal: Int32
    private let mode: TerminalMode
    private let signals: HeldSignals?
    private let patience: Int?

    /// - Parameters:
    ///   - secret: what is typed, for an error.
    ///   - signals: what ends the typing with an error, where it is not to end the process.
    ///   - patience: with `signals`: after so many seconds in which no key was typed it ends likewise; nil for never.
    /// - Throws: when the process has no terminal, or when its memory could be dumped.
    package init(for secret: String, holding signals: HeldSignals? = nil, patience: Int? = nil) throws(ServiceFailure) {
        try ProcessHardening.forbidDumps()
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "no terminal to type the \(secret) at: run this at a console"
            )
        }
        _ = signal(SIGTSTP, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { TerminalMode.giveBackAndEnd(at: number) }
        guard let mode = TerminalMode(silencing: terminal) else {
            let reason = systemError()
            close(terminal)
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal: \(reason)")
        }
        self.secret = secret
        self.terminal = terminal
        self.mode = mode
        self.signals = signals
        self.patience = patience
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

    /// Asks, as above, for what is no secret: it is shown as it is typed.
    ///
    /// - Parameters:
    ///   - early: what becomes of keys that were typed before the question, when it is asked first.
    ///   - use: takes the text, with all that was typed in it but the keys that take away; nil to ask again.
    package borrowing func askOpenly<Result>(
        _ question: String,
        early: Early = .discarded,
        rule: String,
        use: (String) -> Result?
    ) throws(ServiceFailure) -> Result {
        var first = early == .text ? try earlyKey() : nil
        while true {
            if first == nil { mode.discardInput() }
            let line = OpenLine(question: question, width: columns)
            say(line.prompt)
            if let text = try read(line, first), let result = use(text) { return result }
            say("\(rule)\n")
            first = nil
        }
    }

    /// Keys that were typed before an open question.
    package enum Early {
        case discarded
        /// Answer it, but for an Enter alone: a line may have ended with two.
        case text
    }

    /// The first one that is no Enter, where signals are held.
    private borrowing func earlyKey() throws(ServiceFailure) -> UInt8? {
        while let key = try key(withinMilliseconds: 0) {
            if key != 0x0A, key != 0x0D { return key }
        }
        return nil
    }

    /// - Returns: nil for what is no text, or too long.
    private borrowing func read(_ begun: OpenLine, _ first: UInt8?) throws(ServiceFailure) -> String? {
        var line = begun
        var early = first
        while true {
            let next: UInt8
            if let key = early.take() { next = key } else { next = try key() }
            switch line.receive(next) {
            case .shows(let text): say(text)
            case .entered(let text):
                say("\n")
                return text
            case .cancelled: throw cancelled()
            }
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
        return ServiceFailure(exitStatus: 1, reason: signals == nil ? "no \(secret) was typed" : "it was broken off")
    }

    /// Its width; 80 where it does not say, as a serial line does not.
    package var columns: Int {
        var size = winsize()
        guard unsafe ioctl(terminal, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Throws away what was typed and not read.
    package borrowing func discardInput() { mode.discardInput() }

    /// The next byte that the terminal sends.
    package borrowing func key() throws(ServiceFailure) -> UInt8 {
        var key: UInt8 = 0
        while true {
            do throws(ServiceFailure) {
                try signals?.wait(for: .reading, of: terminal, seconds: patience)
            } catch {
                say("\n")
                throw error
            }
            let result = unsafe Glibc.read(terminal, &key, 1)
            if result == 1 { return key }
            guard result < 0, errno == EINTR else {
                throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the terminal is gone")
            }
        }
    }

    /// The next byte that the terminal sends, unless none comes in that time.
    package borrowing func key(withinMilliseconds limit: Int32) throws(ServiceFailure) -> UInt8? {
        guard let signals else { preconditionFailure("signals are held") }
        return try signals.isReadable(terminal, withinMilliseconds: limit) ? key() : nil
    }

    package borrowing func say(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe _ = write(terminal, bytes, bytes.count)
    }
}
