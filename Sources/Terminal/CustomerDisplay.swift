package import Dispenser
import FuelPassbook
import ISO7816
import Metering
package import Quantities
package import Records

/// The customer's face of the position at the console: short words, the meter live, and what was paid.
///
/// What only a technician can use is in the log alone.
package final class CustomerDisplay: PositionDisplay {
    private let console: Console
    private var shown: Notice?

    package init(console: Console) { self.console = console }

    package func show(_ state: PositionState, _ notice: Notice) {
        let isRepeated = notice == shown && notice.isStanding
        shown = notice
        guard !isRepeated, let words = notice.customerWords else { return }
        console.say(words)
    }

    package func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        guard centilitres > 0 else { return }
        console.count("\(litres(centilitres: centilitres)) L   \(yuan(fen: fen)) yuan")
    }

    package func printReceipt(_ record: Record, balance: Amount?) {
        for line in record.receiptLines(balance: balance) { console.say("  " + line) }
    }
}

/// The position speaks to several at once.
package final class SharedDisplay: PositionDisplay {
    private let displays: [any PositionDisplay]

    package init(_ displays: [any PositionDisplay]) { self.displays = displays }

    package func show(_ state: PositionState, _ notice: Notice) {
        for display in displays { display.show(state, notice) }
    }

    package func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
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
            .heldForCheckpoint, .journalNearlyFull, .fuelling, .settling, .emergency, .pumpMissing, .strayFaults:
            true
        case .refused(let refusal): refusal.isStanding
        case _: false
        }
    }

    /// What the customer reads; nil for what is nothing to him.
    var customerWords: String? {
        switch self {
        case .insertCard: "Insert your card."
        case .readingCard: "Reading your card..."
        // The prompt itself comes from whoever reads what is typed.
        case .typePIN: nil
        case .liftNozzle(let balance): "Balance \(balance). Lift the nozzle."
        case .fuelling: "Fuel flows."
        case .cardGone(let seconds): "Put your card back within \(seconds) s."
        case .otherCard: "This is another card. Wait until the sale before you is finished."
        case .settling: "Paying..."
        case .settlingEarlierSale(let amount): "Your earlier sale of \(amount) is not paid yet. Paying it now."
        case .earlierSaleSettled(let amount): "Your earlier sale of \(amount) is paid."
        case .removeCard: "Take your card."
        case .refused(let refusal): refusal.customerWords
        case .cardFault(let fault): fault.customerWords
        case .escaped(let amount): "The sale of \(amount) is not paid. Your card pays it at its next visit here."
        case .readerLost: "Out of order: the card reader."
        case .readerGone(_, let seconds): "Out of order: the card reader. The sale waits \(seconds) s for it."
        case .pumpMissing: "Out of order: the pump."
        case .meterStopped: "The fuel was stopped. You pay what was counted."
        case .emergency: "Emergency stop. No fuel."
        case .emergencyOver: "The emergency stop is over."
        case .fuelDoesNotStop: "Fuel still flows. Call the staff."
        case .interrupted(let amount): "Closed. Your card pays the \(amount) at its next visit here."
        case .releasedElsewhere(let amount): "Your earlier sale of \(amount) goes to the issuer of your card."
        case .prepaying(let amount): "You pay \(amount) before fuel flows."
        case .prepaid(let amount): "\(amount) paid. Lift the nozzle; you may take your card."
        case .prepaidCardGone: "The sale is paid and goes on without the card."
        case .refund(let amount): "\(amount) did not flow. The issuer of your card refunds it: keep the receipt."
        case .purchaseVoid(let amount): "Your card did not pay the \(amount) of its last visit. Nothing is owed."
        case .closed: "Closed."
        case .heldForCheckpoint: "Please wait."
        case .pulserFaults, .strayFaults, .strayFlow, .journalNearlyFull, .recovered, .waitForTheirCards, .damagedRow:
            nil
        }
    }
}

extension Refusal {
    /// Of the position itself, and not of one card.
    fileprivate var isStanding: Bool {
        switch self {
        case .clockNotSet, .clockBehind, .journalFull, .noNumber, .positionLocked: true
        case _: false
        }
    }

    fileprivate var customerWords: String {
        switch self {
        case .notThisScheme, .cardKind: "This card is not taken here. Take your card."
        case .fileUnreadable, .answer, .answerMalformed, .module:
            "This card cannot be used. Take your card, and ask its issuer."
        case .pinWrong(let left): "Wrong PIN. \(left) \(left == 1 ? "try" : "tries") left."
        case .pinMalformed(let reason): "Type again: \(reason)."
        case .pinNotTyped: "No PIN was typed. Take your card."
        case .clockNotSet, .clockBehind, .journalFull, .noNumber, .positionLocked: "Out of order. Call the staff."
        case .journalNotCounted: "Please wait a minute, and put your card in again."
        case .pinCancelled: "Cancelled. Take your card."
        case .pinNotTried(let left):
            "Not paid: the PIN was wrong, \(left) \(left == 1 ? "try" : "tries") left. Take your card."
        case .consoleGone: "Out of order: no PIN can be typed."
        case .emergencyStop: "Emergency stop. No fuel."
        case .recordDamaged: "A record of your card cannot be read. Call the staff."
        case .noSuchApplication: "This card is not taken here. Take your card."
        case _: "No fuel: \(description)."
        }
    }
}

extension CardFault {
    fileprivate var customerWords: String {
        switch self {
        case .removed: "Your card was taken out."
        case .inUse: "Your card is in use by something else. Wait, or put it in again."
        case .reader: "The card cannot be read. Take it out and put it in again."
        case .unresponsive: "The card does not answer. Take it out, turn it or wipe its contacts, and put it in again."
        case .malformed: "The card cannot be read. Take it out, and ask its issuer."
        }
    }
}
