package import FuelPassbook
package import ISO7816
package import Metering
package import Quantities
package import Records
package import SecurityModule

/// What a position is doing, in the words of the forecourt convention (spec/dispenser.md, section 3).
package enum PositionState: String, CaseIterable, Sendable {
    case inoperative
    case closed
    case idle
    case calling
    case authorised
    case started
    case suspended
    case fuelling
    case settling
    case completed
}

/// Why a card is not served.
package enum Refusal: Error, Equatable, Sendable {
    case notThisScheme(StatusWord)
    /// The card has no application of this AID.
    case noSuchApplication([UInt8])
    case fileUnreadable(ParseError)
    case notYetValid(from: CalendarDate)
    case expired(on: CalendarDate)
    case blacklisted
    case pinWrong(triesLeft: UInt8)
    case pinBlocked
    case pinNotTyped
    case pinMalformed(String)
    case pinCancelled
    /// What nobody typed is not presented again.
    case pinNotTried(triesLeft: UInt8)
    case consoleGone
    case lockedForGood
    case greyElsewhere
    case numbersUsedUp
    case notEnoughMoney(balance: Amount, needed: Amount)
    case clockNotSet
    case clockBehind(last: TransactionTime)
    case journalFull(room: Int)
    case journalNotCounted
    /// The journal gives no further one; why.
    case noNumber(String)
    case cardKind(UInt8)
    case emergencyStop
    case positionLocked(PositionLock)
    case module(SecurityModuleError)
    case purchaseUnproven(Amount)
    case debitUnproven(Amount)
    case earlierSaleOwed(Amount)
    /// At another fuelling side, where its sale may go on without it.
    case servedElsewhere(position: Int)
    /// A prepaid debit that was proven too late for fuel.
    case refundedUndelivered(Amount)
    case noPetrolCommands
    case petrolCommandsHidden
    case purchaseRepeated
    case tornPurchases(Int)
    case purchasesPaused(seconds: Int)
    case answer(Instruction, StatusWord)
    case answerMalformed(Instruction, ParseError)
    /// The journal's row of the card's unfinished sale is not believed.
    case recordDamaged(DamagedRow)
}

/// What is said to the customer, or to whoever looks after the board.
package enum Notice: Equatable, Sendable {
    case insertCard
    case readingCard
    case typePIN
    case liftNozzle(balance: Amount)
    case fuelling
    case cardGone(graceSeconds: Int)
    /// The reader, or what serves it, left in a sale; the text says what to do.
    case readerGone(String, graceSeconds: Int)
    case otherCard
    case settling
    case settlingEarlierSale(Amount)
    case earlierSaleSettled(Amount)
    case removeCard
    case refused(Refusal)
    case cardFault(CardFault)
    case escaped(Amount)
    case readerLost(String)
    /// The pump's lines cannot be had; the text says what to do.
    case pumpMissing(String)
    case pulserFaults(Int)
    /// Outside any sale, since the start.
    case strayFaults(Int)
    case meterStopped(MeterStop)
    /// As long as it lasts.
    case emergency
    case emergencyOver
    case strayFlow(ttc: TTC, centilitres: Int)
    case fuelDoesNotStop
    /// The disk did not take a checkpoint before the next half litre had flowed.
    case heldForCheckpoint
    case interrupted(Amount)
    case journalNearlyFull(room: Int)
    case recovered(ttc: TTC, amount: Amount)
    case waitForTheirCards(Int)
    case releasedElsewhere(Amount)
    case prepaying(Amount)
    case prepaid(Amount)
    case prepaidCardGone
    case refund(Amount)
    case purchaseVoid(Amount)
    /// A row of the journal is not believed.
    case damagedRow(DamagedRow)
    case closed
}

/// The position's display, receipt printer and log.
package protocol PositionDisplay: AnyObject {
    func show(_ state: PositionState, _ notice: Notice)
    func show(_ state: PositionState, centilitres: Int, fen: Int, unitPrice: UnitPrice)
    func printReceipt(_ record: Record, balance: Amount?)
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notThisScheme(let status): "not a card of this scheme (\(status))"
        case .noSuchApplication(let aid):
            "not a card of this scheme: it has no application \(Hex.string(aid)), which this terminal asks for"
        case .fileUnreadable(let error): "the card's public file is unreadable: \(error)"
        case .notYetValid(let date): "the card is valid from \(date)"
        case .expired(let date): "the card was valid to \(date)"
        case .blacklisted: "the card is on the list of blocked cards: ask the issuer"
        case .pinWrong(let left): "wrong PIN, \(left.tries) left"
        case .pinBlocked: "the PIN is blocked: ask the issuer to unblock it"
        case .pinNotTyped: "no PIN was typed in time"
        case .pinMalformed(let reason): reason
        case .pinCancelled: "no PIN: the customer cancelled; take your card"
        case .pinNotTried(let left):
            "the PIN was wrong before, \(left.tries) left, and one that nobody has just typed is not tried: take your card"
        case .consoleGone: "the console is gone: no PIN can be typed until the service is started again"
        case .lockedForGood: "the card's application is locked for good: ask the issuer for a new card"
        case .greyElsewhere:
            "the card is locked by an unpaid sale that this pump has no record of: if it was at this station, put the card"
                + " into each of the other pumps here, the one of that sale takes the payment; if it was not, go to the"
                + " station of that sale, or ask the issuer to unlock the card"
        case .numbersUsedUp: "the card's transaction numbers are used up: ask the issuer for a new card"
        case .notEnoughMoney(let balance, let needed):
            "balance \(balance), at least \(needed) is needed: load the card"
        case .clockNotSet: "the board's clock is not set: set it before cards can be served"
        case .clockBehind(let last):
            "no card is served: the board's clock is behind the last record (\(last.words)): set the clock; if it is right,"
                + " a technician accepts it with greylock position --accept-clock"
        case .journalFull(let room):
            "no card is served: the journal has room for \(room) records only, which are kept for settling earlier sales:"
                + " raise journal.capacity in the configuration"
        case .journalNotCounted: "the journal is being counted: put the card in again in a minute"
        case .noNumber(let reason): "no card is served: the journal gives no number, \(reason.printable)"
        case .cardKind(let kind): "a card of kind \(Hex.string([kind])) does not refuel here"
        case .emergencyStop: "the emergency stop is pressed, or power fails"
        case .positionLocked(let lock):
            "closed since \(lock.words); a technician opens it with greylock position \(lock.remedy.flag)"
        case .module(let error): "\(error)"
        case .purchaseUnproven(let amount):
            "whether the card paid \(amount) is not known, and no fuel flows for it: put it in again"
        case .debitUnproven(let amount):
            "the card did not prove that it paid \(amount): nothing counts as paid, put it in again"
        case .earlierSaleOwed(let amount):
            "an earlier sale of \(amount) is owed, and the card does not prove that it was paid or released: put it in"
                + " again, straight into the reader; if this comes again, ask the issuer"
        case .servedElsewhere(let position):
            "the card's sale at position \(position) is not finished: put the card in there"
        case .refundedUndelivered(let amount):
            "the card proved too late that it paid \(amount): no fuel flows, the issuer refunds it, keep the receipt"
        case .noPetrolCommands: "the card has no petrol commands: it can only pay where fuel is paid before it flows"
        case .petrolCommandsHidden:
            "the card hides its petrol commands, which it used here before: put it in again, straight into the reader"
        case .purchaseRepeated:
            "the card repeats a purchase that it made here before: put it in again, straight into the reader; if this"
                + " comes again, ask the issuer"
        case .tornPurchases(let count):
            "\(count) payments of this card here are not proven: ask the issuer, whose books have them"
        case .purchasesPaused(let seconds):
            "the last payments here were not proven: cards without petrol commands wait \(seconds) s"
        case .answer(let instruction, let status): "the card answered \(instruction.name) with \(status)"
        case .answerMalformed(let instruction, let error): "the answer to \(instruction.name): \(error)"
        case .recordDamaged(let row):
            "the record of an unfinished sale, which may be this card's, is not believed (\(row)): ask the issuer, or a"
                + " technician of this station"
        }
    }
}

extension Notice: CustomStringConvertible {
    package var description: String {
        switch self {
        case .insertCard: "insert your card"
        case .readingCard: "reading the card"
        case .typePIN: "type your PIN"
        case .liftNozzle(let balance): "balance \(balance): lift the nozzle"
        case .fuelling: "valves open"
        case .cardGone(let seconds): "card removed: put it back within \(seconds) s, or the sale waits on your card"
        case .readerGone(let reason, let seconds): "\(reason); the sale waits \(seconds) s for the card"
        case .otherCard: "this is another card: wait until the sale before you is finished"
        case .settling: "paying"
        case .settlingEarlierSale(let amount): "your earlier sale of \(amount) is not paid yet: paying it now"
        case .earlierSaleSettled(let amount): "earlier sale of \(amount) paid, the card is free again"
        case .removeCard: "take your card"
        case .refused(let refusal): refusal.description
        case .cardFault(let fault): "\(fault)"
        case .escaped(let amount): "the sale of \(amount) is not paid: the card is locked and pays at its next visit"
        case .readerLost(let reason): reason
        case .pumpMissing(let reason): "out of order: the pump's lines are waited for: \(reason)"
        case .pulserFaults(let count): "\(count) pulser faults in this sale"
        case .strayFaults(let count):
            "\(count) pulser faults outside any sale since the start: its lines are disturbed, or the service stood still"
        case .meterStopped(let stop): "\(stop): the sale ends"
        case .emergency: "EMERGENCY STOP, or power fails: no fuel flows, no card is served"
        case .emergencyOver: "the emergency stop is released"
        case .strayFlow(let ttc, let centilitres):
            "\(centilitres) cl flowed outside any sale (record \(ttc.number)): the valve leaks, or the pulser's lines are"
                + " disturbed"
        case .fuelDoesNotStop: "fuel still flows with the valves closed: close the hand valve and call for service"
        case .heldForCheckpoint: "the journal's disk is slow: fuel waits for it"
        case .interrupted(let amount):
            "the service stops: the sale of \(amount) is on disk, and the card pays at its next visit"
        case .journalNearlyFull(let room): "the journal has room for \(room) more records: raise journal.capacity soon"
        case .recovered(let ttc, let amount): "sale \(ttc.number) was interrupted: its grey record is \(amount)"
        case .waitForTheirCards(let count):
            "\(count) debits whose answers were not seen wait for their cards: greylock records lists them"
        case .releasedElsewhere(let amount):
            "this card was released without this terminal: its earlier sale of \(amount) goes to the issuer"
        case .prepaying(let amount): "this sale of \(amount) is paid before fuel flows"
        case .prepaid(let amount): "\(amount) paid: lift the nozzle; you may take your card"
        case .prepaidCardGone: "card removed: the sale is paid and goes on without it"
        case .refund(let amount): "\(amount) of what was paid did not flow: the issuer refunds it, keep the receipt"
        case .purchaseVoid(let amount): "the card did not pay the \(amount) of its last visit: nothing is owed"
        case .damagedRow(let row):
            "the journal's row is not believed and left as it is: \(row); greylock records lists it"
        case .closed: "closed"
        }
    }
}

extension RecordKind {
    /// For receipts and lists.
    package var words: String {
        switch self {
        case .sale: "sale"
        case .escape: "escaped sale"
        case .localUnlock: "local unlock"
        case .onlineUnlock: "online unlock notice"
        case .noCard: "no-card sale"
        case .cardFault: "card fault"
        case .prepaid: "prepaid sale"
        case .refund: "refund"
        }
    }
}
