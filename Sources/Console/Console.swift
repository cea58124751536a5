private import CLinux
private import Glibc
private import Synchronization
package import Threads

/// The terminal that a service was started at: the service's alone, from its start to its end.
///
/// Nothing that is typed is ever shown. What is typed while nothing is asked for is no answer, and what was typed
/// before a question neither. A thread of its own reads; whoever speaks never waits for the terminal.
package final class Console: Sendable {
    private struct Question: ~Copyable {
        var editor: LineEditor
        let prompt: String
        let answer: @Sendable (consuming TypedLine) -> Void
    }

    private struct Line {
        /// A prompt or a counter stands in the last line.
        var isOpen = false
        var text = ""
    }

    private enum State: ~Copyable {
        case quiet
        case asking(Question)
        case gone

        var isGone: Bool {
            switch self {
            case .gone: true
            case .quiet: false
            case .asking: false
            }
        }
    }

    private let terminal: Int32
    private let mode: TerminalMode
    private let output: OutputQueue
    private let state = Mutex(State.quiet)
    private let line = Mutex(Line())
    private let lost: Mutex<(@Sendable () -> Void)?> = Mutex(nil)
    private let pressed: Mutex<(@Sendable (UInt8) -> Void)?> = Mutex(nil)
    /// Of the thread that reads.
    package let reading = LoopProgress()
    /// Of the thread that writes.
    package var writing: LoopProgress { output.progress }

    /// Takes the controlling terminal.
    ///
    /// - Throws: when the process has none, or when it belongs to another program now.
    package init() throws(ConsoleFault) {
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { throw .noTerminal }
        guard tcgetpgrp(terminal) == getpgrp() else {
            Glibc.close(terminal)
            throw .otherProgramHasIt
        }
        guard let mode = TerminalMode(silencing: terminal) else {
            let reason = systemError()
            Glibc.close(terminal)
            throw .refused(reason)
        }
        self.terminal = terminal
        self.mode = mode
        output = OutputQueue(name: "console-out", descriptor: terminal, overflow: .losesOldest)
        reading.works()
        _ = NamedThread("console-in") { [self] in readAll() }
    }

    /// Whether the process was started at a terminal that it can have.
    package static var isStandardInput: Bool { isatty(STDIN_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == getpgrp() }

    /// - Parameter lost: called once, from a thread of the console's, when the terminal is gone; at once if it is.
    package func watch(lost: @escaping @Sendable () -> Void) {
        self.lost.withLock { $0 = lost }
        if state.withLock({ $0.isGone }) { lost() }
    }

    /// - Parameter pressed: called from the console's thread with each key that answers no question.
    package func watch(keys pressed: @escaping @Sendable (UInt8) -> Void) { self.pressed.withLock { $0 = pressed } }

    /// The terminal's state was another program's for a while.
    package func becomeSilentAgain() {
        if tcgetpgrp(terminal) == getpgrp() { mode.silence() }
    }

    /// Gives the terminal back as it was, once what was said is written or cannot be in time.
    package func close(withinNanoseconds limit: UInt64) {
        endLine()
        output.drain(withinNanoseconds: limit)
        giveBack()
    }

    /// Gives the terminal back as it was, without waiting for anything.
    package func giveBack() { mode.giveBack() }

    // MARK: - Speaking

    /// A line of its own.
    package func say(_ text: String) {
        endLine()
        output.post(text + "\n")
    }

    /// A line that the next one of its kind overwrites.
    package func count(_ text: String) {
        let isNew = line.withLock { line in
            defer { line = Line(isOpen: true, text: text) }
            return line.text != text
        }
        if isNew { output.post("\r" + text + "\u{1B}[K") }
    }

    private func endLine() {
        let wasOpen = line.withLock { line in
            defer { line = Line() }
            return line.isOpen
        }
        if wasOpen { output.post("\n") }
    }

    // MARK: - Asking

    /// Asks for digits. What was typed before is thrown away, and only then the prompt appears.
    ///
    /// - Parameter answer: called once, from the console's thread, unless the question is taken back before.
    package func askForDigits(
        max: Int,
        prompt: String,
        answer: @escaping @Sendable (consuming TypedLine) -> Void
    ) {
        let isAsked = state.withLock { state in
            guard !state.isGone else { return false }
            mode.discardInput()
            state = .asking(Question(editor: LineEditor(.digits(max: max)), prompt: prompt, answer: answer))
            return true
        }
        guard isAsked else { return tellLoss() }
        endLine()
        count(prompt)
    }

    /// Takes the question back; what was typed is wiped.
    package func takeBackQuestion() {
        let wasAsking = state.withLock { state in
            switch consume state {
            case .asking:
                state = .quiet
                return true
            case .quiet:
                state = .quiet
                return false
            case .gone:
                state = .gone
                return false
            }
        }
        if wasAsking { endLine() }
    }

    // MARK: - The console's thread

    private func readAll() {
        var waited = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        while true {
            reading.waits()
            let count = unsafe poll(&waited, 1, LoopProgress.waitMillisecondsMax)
            reading.works()
            guard count >= 0 || errno == EINTR else { break }
            guard count == 0 || takeKey() else { break }
        }
        reading.ends()
        state.withLock { $0 = .gone }
        tellLoss()
    }

    /// Under the lock from the key to what it does: a key from before a question is not the question's.
    ///
    /// - Returns: false when the terminal is gone.
    private func takeKey() -> Bool {
        var key: UInt8 = 0
        let isThere = state.withLock { state in
            let count = unsafe read(terminal, &key, 1)
            guard count == 1 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
            state = receive(key, consume state)
            return true
        }
        return isThere
    }

    private func receive(_ key: UInt8, _ state: consuming State) -> State {
        switch consume state {
        case .quiet:
            if let pressed = pressed.withLock({ $0 }) { pressed(key) }
            return .quiet
        case .gone: return .gone
        case .asking(var question):
            let action = question.editor.receive(key)
            switch action {
            case .none: return .asking(question)
            case .changed(let characters):
                count(question.prompt + String(repeating: "*", count: characters))
                return .asking(question)
            case .entered:
                endLine()
                let answer = question.answer
                answer(.entered(question.editor.take()))
            case .refused(let fault):
                endLine()
                question.answer(.refused(fault))
            case .cancelled:
                endLine()
                question.answer(.cancelled)
            }
            return .quiet
        }
    }

    private func tellLoss() {
        if let lost = lost.withLock({ $0 }) { lost() }
    }
}

/// What came of a question.
package enum TypedLine: ~Copyable, Sendable {
    case entered(SecretLine)
    case refused(LineEditor.Fault)
    case cancelled
}
