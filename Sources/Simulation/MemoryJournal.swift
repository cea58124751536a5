package import Dispenser
package import FuelPassbook

/// A journal that lasts as long as the process, for simulations.
package final class MemoryJournal: SaleJournal {
    package private(set) var records: [TTC: SaleRecord] = [:]
    package private(set) var greyRecords: [TTC: GreyRecord] = [:]
    package private(set) var checkpoints: [TTC: Checkpoint] = [:]
    package private(set) var totalisers: [Int: Totaliser] = [:]
    package private(set) var locks: [Int: PositionLock] = [:]
    private let capacity: Int
    private var acceptedClock: (after: TTC?, time: TransactionTime)?

    package init(capacity: Int = 1_000_000) { self.capacity = capacity }

    package func nextTTC() throws(StorageFault) -> TTC {
        guard let last = records.keys.max() else { return TTC(1) }
        guard last.number < .max else { throw StorageFault(operation: "next TTC", reason: "numbers used up") }
        return TTC(last.number + 1)
    }

    package func commit(_ entry: JournalEntry) throws(StorageFault) {
        for record in entry.records {
            records[record.ttc] = record
            if record.phase != .intent && record.phase != .locked { checkpoints[record.ttc] = nil }
        }
        if let grey = entry.grey { greyRecords[grey.ttc] = grey }
        if let totaliser = entry.totaliser { totalisers[totaliser.nozzle] = totaliser }
        if let lock = entry.lock { locks[lock.position] = lock }
    }

    package func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        checkpoints[checkpoint.ttc] = checkpoint
    }

    package func record(_ ttc: TTC) throws(StorageFault) -> SaleRecord? { records[ttc] }

    package func openRecords() throws(StorageFault) -> [SaleRecord] {
        records.values.filter { $0.phase.isOpen }.sorted { $0.ttc < $1.ttc }
    }

    package func lastCheckpoint(of ttc: TTC) throws(StorageFault) -> Checkpoint? { checkpoints[ttc] }

    package func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        greyRecords.values.filter { $0.card == card && $0.state == .open }.sorted { $0.ttc < $1.ttc }
    }

    package func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? { totalisers[nozzle] }

    package func lock(of position: Int) throws(StorageFault) -> PositionLock? { locks[position] }

    package func clearLock(of position: Int) throws(StorageFault) { locks[position] = nil }

    package func room() throws(StorageFault) -> Int { max(0, capacity - records.count) }

    package func latestTime() throws(StorageFault) -> TransactionTime? {
        let believed = records.values.filter { record in acceptedClock?.after.map { record.ttc > $0 } ?? true }
        let times = believed.flatMap { [$0.lockTime, $0.endTime, $0.debit?.time, acceptedClock?.time] }
        return times.compactMap(\.self).max() ?? acceptedClock?.time
    }

    /// As ``SQLiteJournal`` does for a technician.
    package func acceptClock(_ time: TransactionTime) { acceptedClock = (records.keys.max(), time) }
}
