import Console
import Dispenser
package import FuelPassbook
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
