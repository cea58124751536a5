private import CLinux
import CardCryptography
import Dispenser
package import FuelPassbook
private import Glibc
private import ISO7816
private import Synchronization
private import Threads

/// The demonstration PIN, given at once. Only a demonstration may use it.
package final class DemonstrationPINEntry: PINEntry {
    private let mailbox: Mailbox

    package init(mailbox: Mailbox) { self.mailbox = mailbox }

    package func begin() { mailbox.post(.pinEntered) }
    package func cancel() {}
    package func take() -> PIN? { Demonstration.pin }
}

/// The PIN typed at the console, without echo.
///
/// While it asks, a thread of its own reads the controlling terminal; `cancel` ends that thread and puts the terminal
/// back as it was. Digits go straight into locked memory.
package final class TerminalPINEntry: PINEntry, Sendable {
    private let mailbox: Mailbox
    private let entered = Mutex<PIN?>(nil)
    private let asking = Mutex<Asking?>(nil)

    private struct Asking {
        let thread: NamedThread
        /// An eventfd; counting it up makes the thread stop.
        let cancelled: Int32
    }

    package init(mailbox: Mailbox) { self.mailbox = mailbox }

    /// Whether there is a terminal to type at.
    package static var isAvailable: Bool {
        let descriptor = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    package func begin() {
        cancel()
        let cancelled = eventfd(0, Int32(EFD_CLOEXEC))
        guard cancelled >= 0 else {
            mailbox.post(.pinRefused("no event for the PIN entry: \(systemError())"))
            return
        }
        let thread = NamedThread("pin-entry") { [self] in read(until: cancelled) }
        asking.withLock { $0 = Asking(thread: thread, cancelled: cancelled) }
    }

    package func cancel() {
        guard let asking = asking.withLock({ $0.take() }) else { return }
        eventfd_write(asking.cancelled, 1)
        end(asking)
        entered.withLock { $0 = nil }
    }

    /// The thread that typed it has nothing left to wait for; without a PIN the present one goes on asking.
    package func take() -> PIN? {
        guard let pin = entered.withLock({ $0.take() }) else { return nil }
        if let asking = asking.withLock({ $0.take() }) { end(asking) }
        return pin
    }

    private func end(_ asking: Asking) {
        asking.thread.join()
        close(asking.cancelled)
    }

    private func read(until stopped: Int32) {
        let terminal = unsafe Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else {
            mailbox.post(.pinRefused("no terminal to type the PIN at: \(systemError())"))
            return
        }
        defer { close(terminal) }
        var before = termios()
        guard unsafe tcgetattr(terminal, &before) == 0 else { return }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON)
        guard unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else { return }
        defer { unsafe _ = tcsetattr(terminal, TCSAFLUSH, &before) }
        readDigits(terminal, until: stopped)
    }

    private func readDigits(_ terminal: Int32, until stopped: Int32) {
        var digits = LockedBuffer(count: PIN.digitsMax + 1)
        var count = 0
        while let key = nextKey(terminal, until: stopped) {
            switch key {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                do throws(ParseError) {
                    var pin: PIN? = try PIN(digits: digits, count: count)
                    entered.withLock { $0 = pin.take() }
                    mailbox.post(.pinEntered)
                } catch {
                    mailbox.post(.pinRefused("a PIN is \(PIN.digitsMin) to \(PIN.digitsMax) digits"))
                }
                return
            case 0x08, 0x7F:
                count = max(0, count - 1)
            case _:
                guard count < digits.count else { continue }
                digits.withMutableSpan { $0[count] = key }
                count += 1
            }
        }
    }

    private func nextKey(_ terminal: Int32, until stopped: Int32) -> UInt8? {
        var waited = [
            pollfd(fd: terminal, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopped, events: Int16(POLLIN), revents: 0),
        ]
        while unsafe poll(&waited, 2, -1) < 0 {
            guard errno == EINTR else { return nil }
        }
        guard waited[1].revents == 0, waited[0].revents & Int16(POLLIN) != 0 else { return nil }
        var key: UInt8 = 0
        return unsafe Glibc.read(terminal, &key, 1) == 1 ? key : nil
    }
}
