package import Console
package import Dispenser
package import Quantities
package import Records
package import Words

/// Who stands at the console, and what he reads.
package struct Customer: Sendable {
    let console: Console
    let vocabulary: any Vocabulary

    package init(console: Console, language: Language) {
        self.console = console
        vocabulary = language.vocabulary
    }
}

/// The customer's face of the side at the console: short words, the meter live, and what was paid.
package final class CustomerDisplay: SideDisplay {
    private let customer: Customer
    private var shown: Notice?

    package init(_ customer: Customer) { self.customer = customer }

    package func show(_ state: SideState, _ notice: Notice) {
        let isRepeated = notice == shown && notice.isStanding
        shown = notice
        guard !isRepeated, notice.isForCustomer else { return }
        customer.console.say(customer.vocabulary.customerWords(notice))
    }

    package func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        guard centilitres > 0 else { return }
        customer.console.count(customer.vocabulary.meter(centilitres: centilitres, fen: fen))
    }

    package func printReceipt(_ record: Record, balance: Amount?) {
        for line in record.receiptLines(balance: balance, customer.vocabulary) { customer.console.say("  " + line) }
    }
}

/// The side speaks to several at once.
package final class SharedDisplay: SideDisplay {
    private let displays: [any SideDisplay]

    package init(_ displays: [any SideDisplay]) { self.displays = displays }

    package func show(_ state: SideState, _ notice: Notice) {
        for display in displays { display.show(state, notice) }
    }

    package func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        for display in displays {
            display.show(state, centilitres: centilitres, fen: fen, unitPrice: unitPrice)
        }
    }

    package func printReceipt(_ record: Record, balance: Amount?) {
        for display in displays { display.printReceipt(record, balance: balance) }
    }
}

extension Notice {
    /// Says how things are, and may be said again and again: it is shown once. Every other notice is an event, and two
    /// of them are two.
    package var isStanding: Bool {
        switch self {
        case .insertCard, .removeCard, .closed, .readerLost, .pulserFaults, .strayFlow, .fuelDoesNotStop,
            .heldForCheckpoint, .journalNearlyFull, .fuelling, .settling, .emergency, .pumpMissing, .notArmed,
            .parametersRefused, .strayFaults:
            true
        case .refused(let refusal): refusal.isStanding
        case _: false
        }
    }
}

extension Refusal {
    /// Of the side itself, and not of one card.
    fileprivate var isStanding: Bool {
        switch self {
        case .clockNotSet, .clockBehind, .journalFull, .noNumber, .sideLocked, .totalsNotKept, .keypadGone, .drained,
            .blocked:
            true
        case _: false
        }
    }
}
