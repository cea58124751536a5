import CardCryptography
import Console
import Dispenser
package import FuelPassbook
private import ISO7816
package import Keypad
private import Synchronization
import Words

/// The demonstration PIN, given at once. Only a demonstration may use it.
package final class DemonstrationPINEntry: PINEntry {
    private let mailbox: Mailbox

    package init(mailbox: Mailbox) { self.mailbox = mailbox }

    package var isTyped: Bool { false }
    package func begin() { mailbox.post(.pinEntered) }
    package func cancel() {}
    package func take() -> PIN? { Demonstration.pin }
}

/// The PIN typed at the service's console. Digits go straight into locked memory.
package final class ConsolePINEntry: PINEntry, Sendable {
    private let customer: Customer
    private let mailbox: Mailbox
    private let entered = Mutex<PIN?>(nil)

    package init(_ customer: Customer, mailbox: Mailbox) {
        self.customer = customer
        self.mailbox = mailbox
    }

    package var isTyped: Bool { true }

    package func begin() {
        entered.withLock { $0 = nil }
        let prompt = customer.vocabulary.customerWords(.typePIN)
        customer.console.askForDigits(max: PIN.digitsMax, prompt: prompt) { [self] in receive($0) }
    }

    package func cancel() {
        customer.console.takeBackQuestion()
        entered.withLock { $0 = nil }
    }

    package func take() -> PIN? { entered.withLock { $0.take() } }

    private func receive(_ line: consuming TypedLine) {
        switch consume line {
        case .entered(let line):
            var pin = line.pin()
            let isPIN = pin != nil
            entered.withLock { $0 = pin.take() }
            mailbox.post(isPIN ? .pinEntered : .pinRefused(.tooShort))
        case .refused(.tooLong): mailbox.post(.pinRefused(.tooLong))
        case .refused(.noDigit): mailbox.post(.pinRefused(.noDigit))
        case .cancelled: mailbox.post(.pinCancelled)
        }
    }
}

/// The PIN typed at a keypad. Digits go straight into locked memory.
package final class KeypadPINEntry: PINEntry, Sendable {
    private let keypad: Keypad
    private let customer: Customer?
    private let mailbox: Mailbox
    private let entered = Mutex<PIN?>(nil)

    /// - Parameter customer: who reads how many digits there are; nil where nobody does.
    package init(_ keypad: Keypad, _ customer: Customer?, mailbox: Mailbox) {
        self.keypad = keypad
        self.customer = customer
        self.mailbox = mailbox
    }

    package var isTyped: Bool { true }

    package var obstacle: String? { keypad.loss?.description }

    package func begin() {
        entered.withLock { $0 = nil }
        let isAsked = keypad.askForDigits(max: PIN.digitsMax) { [self] in
            show(characters: $0)
        } answer: { [self] in
            receive($0)
        }
        if !isAsked, let obstacle { mailbox.post(.keypadLost(obstacle)) }
    }

    package func cancel() {
        keypad.takeBackQuestion()
        entered.withLock { $0 = nil }
    }

    package func take() -> PIN? { entered.withLock { $0.take() } }

    private func show(characters: Int) {
        guard let customer else { return }
        let prompt = customer.vocabulary.customerWords(.typePIN)
        customer.console.count(prompt + String(repeating: "*", count: characters))
    }

    private func receive(_ answer: consuming KeypadAnswer) {
        switch consume answer {
        case .entered(let bytes, let count):
            var pin = PIN.typed(bytes, count: count)
            let isPIN = pin != nil
            entered.withLock { $0 = pin.take() }
            mailbox.post(isPIN ? .pinEntered : .pinRefused(.tooShort))
        case .refused(.tooLong): mailbox.post(.pinRefused(.tooLong))
        case .refused(.noDigit): mailbox.post(.pinRefused(.noDigit))
        case .refused(.keysLost): mailbox.post(.pinRefused(.keysLost))
        case .cancelled: mailbox.post(.pinCancelled)
        }
    }
}

extension PIN {
    /// nil for too few digits.
    fileprivate static func typed(_ digits: consuming LockedBuffer, count: Int) -> PIN? {
        do throws(ParseError) { return try PIN(digits: digits, count: count) } catch { return nil }
    }
}
