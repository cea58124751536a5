package import FuelPassbook
package import Quantities
package import Records

/// A journal in memory with somebody between it and whoever writes: the one place where simulations and tests make a journal
/// fail.
package final class FaultyJournal: SaleJournal {
    package enum Write {
        case entry(JournalEntry)
        case checkpoint(Checkpoint)
        case openedSide(LockClearing)
        case number
    }

    /// What the disk holds.
    package var store: MemoryJournal
    /// Takes each write's place, which `store` does: it may leave that out, and fail before or behind it.
    package var onWrite: (_ write: Write, _ store: () -> Void) throws(StorageFault) -> Void = {
        (_, store) throws(StorageFault) in store()
    }
    /// Comes before each read.
    package var onRead: () throws(StorageFault) -> Void = { () throws(StorageFault) in }
    /// The rows that are not believed; those of records, grey records, checkpoints and totals are found by their keys.
    package var damaged: [DamagedRow] = []
    /// What ``roomIfCounted(nanosecondsMax:)`` answers; nil for the store's own.
    package var roomIs: Int?
    /// The records of a large journal are counted.
    package var isCounted = true

    package init(_ store: MemoryJournal) { self.store = store }

    // MARK: - Writes

    package func reserve() throws(StorageFault) -> RecordNumber {
        var number: Result<RecordNumber, StorageFault>?
        try onWrite(.number) { number = Result { () throws(StorageFault) in try store.reserve() } }
        guard let number else { throw StorageFault(operation: "reserve a number", reason: "nothing was written") }
        return try number.get()
    }

    package func commit(_ entry: JournalEntry) throws(StorageFault) {
        try onWrite(.entry(entry)) { store.commit(entry) }
    }

    package func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        try onWrite(.checkpoint(checkpoint)) { store.checkpoint(checkpoint) }
    }

    package func clear(_ word: LockClearing) throws(StorageFault) {
        try onWrite(.openedSide(word)) { store.clear(word) }
    }

    // MARK: - Reads

    package func record(_ number: RecordNumber) throws(StorageFault) -> Record? {
        try believed("sale", Int64(number.value)) { $0.record(number) }
    }

    package func openRecords() throws(StorageFault) -> [Record] {
        try onRead()
        return store.openRecords().filter { damagedRow("sale", Int64($0.number.value)) == nil }
    }

    package func lastCheckpoint(of number: RecordNumber) throws(StorageFault) -> Checkpoint? {
        try believed("checkpoint", Int64(number.value)) { $0.lastCheckpoint(of: number) }
    }

    package func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        try onRead()
        return store.openGreyRecords(of: card).filter { damagedRow("grey_record", Int64($0.number.value)) == nil }
    }

    package func usesPetrolCommands(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        try onRead()
        return store.usesPetrolCommands(card)
    }

    package func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) throws(StorageFault) -> Bool {
        try onRead()
        return store.hasPurchase(of: card, ctc)
    }

    package func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) throws(StorageFault) -> Bool {
        try onRead()
        return store.hasDebit(of: card, at: time)
    }

    package func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try believed("totaliser", Int64(nozzle)) { $0.totaliser(of: nozzle) }
    }

    package func overrun(of nozzle: Int) throws(StorageFault) -> Overrun? {
        try onRead()
        return store.overrun(of: nozzle)
    }

    package func recordedTotaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try onRead()
        return store.recordedTotaliser(of: nozzle)
    }

    package func deliveries(of nozzle: Int, last count: Int) throws(StorageFault) -> [Record] {
        try onRead()
        return store.deliveries(of: nozzle, last: count)
    }

    package func damagedRows() throws(StorageFault) -> [DamagedRow] {
        try onRead()
        return damaged
    }

    package func lock(of side: Int) throws(StorageFault) -> SideLock? {
        try onRead()
        return store.lock(of: side)
    }

    package func lastPrice(of side: Int) throws(StorageFault) -> UnitPrice? {
        try onRead()
        return store.lastPrice(of: side)
    }

    package func roomIfCounted(nanosecondsMax: UInt64) throws(StorageFault) -> Int? {
        try onRead()
        return isCounted ? roomIs ?? store.room() : nil
    }

    package func latestTime() throws(StorageFault) -> StationTime? {
        try onRead()
        return store.latestTime()
    }

    private func believed<Value>(
        _ table: String,
        _ key: Int64,
        _ read: (MemoryJournal) -> Value
    ) throws(StorageFault) -> Value {
        try onRead()
        if let row = damagedRow(table, key) { throw StorageFault(row) }
        return read(store)
    }

    private func damagedRow(_ table: String, _ key: Int64) -> DamagedRow? {
        damaged.first { $0.table == table && $0.key == key }
    }
}
