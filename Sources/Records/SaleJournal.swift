package import FuelPassbook
import ISO7816
package import Quantities

/// One durable step: all of it is on disk when ``SaleJournal/commit(_:)`` returns, or none of it.
package struct JournalEntry: Equatable, Sendable {
    /// Inserted, or replaced by its number.
    package var records: [Record]
    /// Inserted, or replaced by its number.
    package var grey: GreyRecord?
    package var totaliser: Totaliser?
    package var overrun: Overrun?
    /// Closes the side until a technician clears it.
    package var lock: SideLock?
    package var faults: NewPulserFaults?
    package var price: PriceChange?
    package var differences: [TotaliserDifference] = []
    /// When it is written, by the station's clock; nil while that is not set.
    package var moment: StationTime?

    package init(
        _ records: Record...,
        grey: GreyRecord? = nil,
        totaliser: Totaliser? = nil,
        overrun: Overrun? = nil,
        lock: SideLock? = nil,
        faults: NewPulserFaults? = nil
    ) {
        self.records = records
        self.grey = grey
        self.totaliser = totaliser
        self.overrun = overrun
        self.lock = lock
        self.faults = faults
    }
}

/// A side that closed itself (spec/dispenser.md, section 1).
package struct SideLock: Equatable, Sendable {
    /// The option of `greylock position` by which a technician opens it.
    package enum Remedy: Sendable {
        case clear
        case acceptJournal

        package var flag: String {
            switch self {
            case .clear: "--clear"
            case .acceptJournal: "--accept-journal REASON"
            }
        }
    }

    package let side: Int
    package let since: TransactionTime
    package let reason: String
    package let remedy: Remedy

    package init(side: Int, since: TransactionTime, reason: String, remedy: Remedy = .clear) {
        self.side = side
        self.since = since
        self.reason = reason
        self.remedy = remedy
    }

    /// Of a row that is not believed; since when is not known.
    package init(side: Int, _ row: DamagedRow) {
        self.init(side: side, since: .unknown, reason: "\(row)", remedy: Remedy(row))
    }

    /// Since when, and why.
    package var words: String { "\(since.words): \(reason.printable)" }
}

extension SideLock.Remedy {
    package init(_ row: DamagedRow) {
        switch row.table {
        case "journal_state", "numbering": self = .acceptJournal
        case _: self = .clear
        }
    }
}

/// The terminal's records. Every call is finished, and what it wrote on disk, when it returns.
package protocol SaleJournal: AnyObject {
    /// A number that was never given before; the first is 1. It is on disk as given when this returns, so that no restart, and
    /// no restored copy of the journal, gives it again (spec/grey-lock.md, D32). One whose card failed before the lock stays
    /// without a record, as does that of the question behind a debit, and of a refund that is not due.
    ///
    /// - Throws: `StorageFault` that ``StorageFault/refusesNumbers`` when there is none to give.
    func reserve() throws(StorageFault) -> RecordNumber

    func commit(_ entry: JournalEntry) throws(StorageFault)

    /// Replaces the running sale's checkpoint. The checkpoint goes when its record is committed as ended or later.
    func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault)

    /// - Throws: as the next reads of one row do, `StorageFault` with its row when it is not believed.
    func record(_ number: RecordNumber) throws(StorageFault) -> Record?

    /// Records that are believed, in the phases `intent`, `locked`, `paid`, `torn`, `flowing`, `ended` or `debitSent`, in the order of their
    /// numbers.
    func openRecords() throws(StorageFault) -> [Record]

    func lastCheckpoint(of number: RecordNumber) throws(StorageFault) -> Checkpoint?

    /// The open grey records of a card that are believed, in the order of their numbers.
    func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord]

    /// Whether any record shows that the card has petrol commands.
    func usesPetrolCommands(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool

    /// Whether there is a record of the card at this number, other than of an ordinary purchase that is torn or void.
    func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) throws(StorageFault) -> Bool

    /// Whether a debit was sent to the card with this time.
    func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) throws(StorageFault) -> Bool

    func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser?

    /// nil where nothing was learnt, or what was is not believed.
    func overrun(of nozzle: Int) throws(StorageFault) -> Overrun?

    /// Why the side is closed; nil when it is not.
    func lock(of side: Int) throws(StorageFault) -> SideLock?

    /// A technician opens a side whose ``SideLock/remedy`` it is again; his word is kept.
    func clear(_ word: LockClearing) throws(StorageFault)

    /// At which the side served last; nil where none is known.
    func lastPrice(of side: Int) throws(StorageFault) -> UnitPrice?

    /// How many more records the configured capacity has room for; nil until the records of a large journal are counted and
    /// found sound.
    ///
    /// - Parameter nanosecondsMax: how long that is waited for.
    func roomIfCounted(nanosecondsMax: UInt64) throws(StorageFault) -> Int?

    /// The latest moment of any entry; nil when none had one. When a technician has accepted the clock: the latest of that
    /// moment and those of entries that came after.
    func latestTime() throws(StorageFault) -> StationTime?

    /// The rows that are not believed, as far as they are known by now (decision record 0017).
    func damagedRows() throws(StorageFault) -> [DamagedRow]

    /// The last records that fuel of this nozzle flowed for, the newest first, as far as they are believed.
    func deliveries(of nozzle: Int, last count: Int) throws(StorageFault) -> [Record]

    /// The totals of a nozzle as the believed records say them: those of the one that has the largest volume.
    func recordedTotaliser(of nozzle: Int) throws(StorageFault) -> Totaliser?
}

/// The journal cannot be read or written, or a record refuses what it is to become. No card is locked without it.
package struct StorageFault: Error, Equatable, Sendable {
    package let operation: String
    package let reason: String
    /// The one row that is at fault: the others can be worked with.
    package let row: DamagedRow?
    /// There is no number to give; all else can be worked with.
    package let refusesNumbers: Bool
    /// No disk is at fault, but the program: see ``RecordStep``.
    package let refusesStep: Bool

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
        row = nil
        refusesNumbers = false
        refusesStep = false
    }

    init(refusing step: String, _ record: Record) {
        self.init(refusing: step, "record \(record.number.value)", "\(record.kind.rawValue), \(record.phase.rawValue)")
    }

    init(refusing step: String, _ row: String, _ state: String) {
        operation = row
        reason = "it is \(state), and does not take the step \(step)"
        self.row = nil
        refusesNumbers = false
        refusesStep = true
    }

    package init(noNumber reason: String) {
        operation = "reserve a number"
        self.reason = reason
        row = nil
        refusesNumbers = true
        refusesStep = false
    }

    package init(_ row: DamagedRow) {
        operation = "read"
        reason = row.description
        self.row = row
        refusesNumbers = false
        refusesStep = false
    }
}

extension StorageFault: CustomStringConvertible {
    package var description: String { "journal, \(operation): \(reason)" }
}

/// A row of the journal that cannot be believed, and is left as it is.
package struct DamagedRow: Hashable, Sendable {
    package let table: String
    package let keyName: String
    /// nil where it is not known which row it is.
    package let key: Int64?
    /// nil where all of the row is at fault.
    package let column: String?
    package let reason: String
    /// Whose row it says it is.
    package var card: ApplicationSerialNumber?
    /// It may be of a sale that is not finished: its card cannot be served.
    package var isOpen = false

    package init(table: String, keyName: String, key: Int64?, column: String?, reason: String) {
        self.table = table
        self.keyName = keyName
        self.key = key
        self.column = column
        self.reason = reason
    }
}

extension DamagedRow: CustomStringConvertible {
    package var description: String {
        let place = "table \(table), " + (key.map { "\(keyName) \($0)" } ?? "\(keyName) unknown")
        return place + (column.map { ", column \($0.printable): " } ?? ": ") + reason.printable
    }
}
