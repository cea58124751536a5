private import Glibc
private import Synchronization

/// A terminal that shows nothing of what is typed, keeps nothing back and has no keys that stop, kill or hold output; it
/// gets its state back when ``giveBack()`` is called and when the process ends by a fatal signal.
///
/// One terminal of a process is silent at a time. Any thread may call.
final class TerminalMode: Sendable {
    private let descriptor: Int32
    private let before: Mutex<termios>

    /// - Returns: nil when `descriptor` is no terminal, or gone, with the reason in `errno`.
    init?(silencing descriptor: Int32) {
        var found = termios()
        guard unsafe tcgetattr(descriptor, &found) == 0 else { return nil }
        self.descriptor = descriptor
        before = Mutex(found)
        unsafe remembered.pointee.mode = found
        unsafe remembered.pointee.descriptor = descriptor
        guard silence() else {
            unsafe remembered.pointee.descriptor = -1
            return nil
        }
    }

    /// Makes the terminal silent, again if another program has changed it.
    @discardableResult
    func silence() -> Bool {
        var silent = before.withLock { $0 }
        silent.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG | IEXTEN)
        // Ctrl-S would hold up whoever writes.
        silent.c_iflag &= ~tcflag_t(IXON | IXOFF | BRKINT | ISTRIP | INLCR | IGNCR)
        return unsafe tcsetattr(descriptor, TCSANOW, &silent) == 0
    }

    /// Throws away what was typed and not read.
    func discardInput() { _ = tcflush(descriptor, TCIFLUSH) }

    /// What was typed and not read is thrown away: it was meant for nobody else.
    func giveBack() {
        unsafe remembered.pointee.descriptor = -1
        before.withLock { before in
            discardInput()
            unsafe _ = tcsetattr(descriptor, TCSANOW, &before)
        }
    }

    /// From now on the signal gives the terminal back, if one is silent, and ends the process as it does by default.
    static func giveBackAndEnd(at number: Int32) {
        // Its place is made now, not in the handler.
        unsafe _ = remembered
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { number in
            // SAFETY: nothing but calls that signal-safety(7) lists, and memory that stays where it is.
            if unsafe remembered.pointee.descriptor >= 0 {
                unsafe _ = tcsetattr(remembered.pointee.descriptor, TCSANOW, &remembered.pointee.mode)
            }
            _ = raise(number)
        }
        // Its default again before the handler runs: what it raises then ends the process.
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_NODEFER)
        let result = unsafe sigaction(number, &action, nil)
        precondition(result == 0, "signal \(number) can be handled")
    }
}

/// What a signal handler gives back: it can take no lock, and so this is memory that is never freed.
private struct RememberedTerminal {
    /// -1 while no terminal is silent.
    var descriptor: Int32 = -1
    var mode = termios()
}

// SAFETY: written by the one thread that silences or gives back a terminal, and read by a handler that ends the process.
private nonisolated(unsafe) let remembered: UnsafeMutablePointer<RememberedTerminal> = {
    let place = UnsafeMutablePointer<RememberedTerminal>.allocate(capacity: 1)
    unsafe place.initialize(to: RememberedTerminal())
    return unsafe place
}()
