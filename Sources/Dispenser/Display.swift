package import Codes
package import FuelPassbook
package import ISO7816
package import Metering
package import Parameters
package import Quantities
package import Records
package import SecurityModule

/// What a side is doing, by the names of the forecourt convention (spec/dispenser.md, section 3).
package enum SideState: String, CaseIterable, Sendable {
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

/// Why a card is not served. Its words stand in a table a language, beside those of ``Notice`` (<doc:0034-words>).
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
    case pinMalformed(PINFault)
    case pinCancelled
    /// What nobody typed is not presented again.
    case pinNotTried(triesLeft: UInt8)
    case consoleGone
    /// The text says what to do.
    case keypadGone(String)
    case lockedForGood
    case greyElsewhere
    case numbersUsedUp
    case notEnoughMoney(balance: Amount, needed: Amount)
    /// In centilitres: what the preset and the limits allow, and what the meter measures at least.
    case targetTooSmall(centilitres: Int, least: Int)
    case clockNotSet
    case clockBehind(last: TransactionTime)
    case journalFull(room: Int)
    case journalNotCounted
    /// The journal gives no further one; why.
    case noNumber(String)
    case cardKind(UInt8)
    case emergencyStop
    /// No sale begins, by order of whoever runs the station.
    case drained
    /// The same of one side.
    case blocked(SideBlock)
    case sideLocked(SideLock)
    /// In the journal alone; why.
    case totalsNotKept(String)
    case module(SecurityModuleError)
    /// `9403`: the card has no key of the index by which this terminal asks.
    case noKey(KeyIndex)
    case purchaseUnproven(Amount)
    case debitUnproven(Amount)
    case earlierSaleOwed(Amount)
    /// At another fuelling side, where its sale may go on without it.
    case servedElsewhere(side: Int)
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
    case pumpMissing(String, cause: PumpCode)
    /// The meter's parameters under seal may not be used.
    case parametersRefused(ParameterRefusal)
    /// Which program measures, and under which parameters.
    case identification(SoftwareIdentification)
    /// The same where no parameters are in force: its version, and SHA-256 of its file.
    case program(version: String, hash: [UInt8])
    /// The terminal holds no keys of its own yet.
    case notArmed
    case pulserFaults(Int)
    /// Outside any sale, since the start.
    case strayFaults(Int)
    /// How much is left of what the decoder needs (``PulserHealth/marginPercent``).
    case pulserWorn(marginPercent: Int)
    case meterStopped(MeterStop)
    /// As long as it lasts.
    case emergency
    case emergencyOver
    case strayFlow(number: RecordNumber, centilitres: Int)
    case fuelDoesNotStop
    /// The disk did not take a checkpoint before the next half litre had flowed.
    case heldForCheckpoint
    case interrupted(Amount)
    case journalNearlyFull(room: Int)
    case recovered(number: RecordNumber, amount: Amount)
    case waitForTheirCards(Int)
    case releasedElsewhere(Amount)
    case prepaying(Amount)
    case prepaid(Amount)
    case prepaidCardGone
    case refund(Amount)
    case purchaseVoid(Amount)
    /// A row of the journal is not believed.
    case damagedRow(DamagedRow)
    /// One of the keepers of a nozzle's totals was behind the others.
    case totalsDiffer(TotaliserDifference)
    /// A place that keeps totals had none, or none that are believed; why.
    case totalsMadeAnew(place: String, reason: String?)
    /// A place that keeps totals cannot be written; why.
    case totalsNotWritten(String)
    /// The place's name.
    case totalsKeptAgain(String)
    case closed
}

/// The side's display, receipt printer and log.
package protocol SideDisplay: AnyObject {
    func show(_ state: SideState, _ notice: Notice)
    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice)
    func printReceipt(_ record: Record, balance: Amount?)
}
