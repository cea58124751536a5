package import FuelPassbook
import ISO7816

/// One durable step: all of it is on disk when ``SaleJournal/commit(_:)`` returns, or none of it.
package struct JournalEntry: Equatable, Sendable {
    /// Inserted, or replaced by its TTC.
    package var records: [SaleRecord]
    /// Inserted, or replaced by its TTC.
    package var grey: GreyRecord?
    package var totaliser: Totaliser?
    /// Closes the position until a technician clears it.
    package var lock: PositionLock?

    package init(
        _ records: SaleRecord...,
        grey: GreyRecord? = nil,
        totaliser: Totaliser? = nil,
        lock: PositionLock? = nil
    ) {
        self.records = records
        self.grey = grey
        self.totaliser = totaliser
        self.lock = lock
    }
}

/// A position that closed itself (spec/dispenser.md, section 1).
package struct PositionLock: Equatable, Sendable {
    package let position: Int
    package let since: TransactionTime
    package let reason: String

    package init(position: Int, since: TransactionTime, reason: String) {
        self.position = position
        self.since = since
        self.reason = reason
    }
}

/// The terminal's records. Every call is finished, and what it wrote on disk, when it returns.
package protocol SaleJournal: AnyObject {
    /// One more than the highest TTC of any record; the first is 1.
    func nextTTC() throws(StorageFault) -> TTC

    func commit(_ entry: JournalEntry) throws(StorageFault)

    /// Replaces the running sale's checkpoint. The checkpoint goes when its record is committed as ended or later.
    func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault)

    func record(_ ttc: TTC) throws(StorageFault) -> SaleRecord?

    /// Records in the phases `intent`, `locked`, `paid`, `torn`, `flowing`, `ended` or `debitSent`, in the order of their
    /// TTC.
    func openRecords() throws(StorageFault) -> [SaleRecord]

    func lastCheckpoint(of ttc: TTC) throws(StorageFault) -> Checkpoint?

    /// The open grey records of a card, in the order of their TTC.
    func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord]

    func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser?

    /// Why the position is closed; nil when it is not.
    func lock(of position: Int) throws(StorageFault) -> PositionLock?

    /// A technician opens the position again.
    func clearLock(of position: Int) throws(StorageFault)

    /// How many more records the configured capacity has room for.
    func room() throws(StorageFault) -> Int

    /// The same without waiting: nil until the records of a large journal are counted and found sound.
    func roomIfCounted() throws(StorageFault) -> Int?

    /// The latest time in any record; nil for an empty journal. When a technician has accepted the clock: the latest of
    /// that time and those in records that came after.
    func latestTime() throws(StorageFault) -> TransactionTime?
}

/// The journal cannot be read or written. No card is locked without it.
package struct StorageFault: Error, Equatable, Sendable {
    package let operation: String
    package let reason: String

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }
}

extension StorageFault: CustomStringConvertible {
    package var description: String { "journal, \(operation): \(reason)" }
}

extension CardFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .removed: "the card was removed"
        case .reader(let reason): "card reader: \(reason)"
        case .unresponsive(let reason): "the card does not answer: \(reason)"
        case .malformed(let error): "the card's answer is not one: \(error)"
        }
    }
}
