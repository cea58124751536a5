private import CardCryptography
package import FuelPassbook
private import Glibc
private import ISO7816

/// A PIN typed at the controlling terminal, without echo, for a tool that waits for it.
///
/// The digits go straight into locked memory. The terminal's own signals are off meanwhile, so that it gets its echo
/// back however the typing ends.
package struct PINPrompt: ~Copyable {
    private let terminal: Int32
    private let before: termios

    /// - Throws: when the process has no terminal.
    package init() throws(ServiceFailure) {
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "no terminal to type the PIN at: run this at a console"
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
        self.terminal = terminal
        self.before = before
    }

    deinit {
        var before = before
        unsafe _ = tcsetattr(terminal, TCSAFLUSH, &before)
        close(terminal)
    }

    /// Asks until what is typed is a PIN.
    package borrowing func ask(_ question: String) throws(ServiceFailure) -> PIN {
        while true {
            say("\(question): ")
            var digits = LockedBuffer(count: PIN.digitsMax + 1)
            let count = try read(into: &digits)
            say("\n")
            do throws(ParseError) {
                return try PIN(digits: digits, count: count)
            } catch {
                say("a PIN is \(PIN.digitsMin) to \(PIN.digitsMax) digits\n")
            }
        }
    }

    /// Asks twice, until both are the same.
    package borrowing func askNew() throws(ServiceFailure) -> PIN {
        while true {
            let pin = try ask("new PIN")
            let again = try ask("new PIN again")
            if pin.isSame(as: again) { return pin }
            say("these were two different PINs\n")
        }
    }

    /// - Returns: how many keys were pressed; more than fit count as one more than a PIN has.
    private borrowing func read(into digits: inout LockedBuffer) throws(ServiceFailure) -> Int {
        var count = 0
        while true {
            switch try key() {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return count
            case 0x08, 0x7F: count = max(0, count - 1)
            case 0x15: count = 0
            case 0x03, 0x04, 0x1C:
                say("\n")
                throw ServiceFailure(exitStatus: 1, reason: "no PIN was typed")
            case let key where count < digits.count:
                digits.withMutableSpan { $0[count] = key }
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

    private borrowing func say(_ text: String) {
        let bytes = Array(text.utf8)
        unsafe _ = write(terminal, bytes, bytes.count)
    }
}

extension PIN {
    fileprivate borrowing func isSame(as other: borrowing PIN) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withBytes { bytes in
            other.withBytes { others in
                bytes.indices.reduce(0) { $0 | bytes[$1] ^ others[$1] } == 0
            }
        }
    }
}
