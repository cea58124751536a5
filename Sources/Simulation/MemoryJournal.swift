package import Dispenser
package import FuelPassbook

/// A journal that lasts as long as the process, for simulations.
package final class MemoryJournal: SaleJournal {
    package private(set) var records: [TTC: SaleRecord] = [:]
    package private(set) var greyRecords: [TTC: GreyRecord] = [:]
    package private(set) var checkpoints: [TTC: Checkpoint] = [:]
    package private(set) var totalisers: [Int: Totaliser] = [:]
    package private(set) var locks: [Int: PositionLock] = [:]
    private var last = TTC(0)
    private var latest: TransactionTime?
    private var open: Set<TTC> = []
    private var openGrey: [ApplicationSerialNumber: Set<TTC>] = [:]
    package var capacity: Int

    package init(capacity: Int = 1_000_000) { self.capacity = capacity }

    package func nextTTC() throws(StorageFault) -> TTC {
        guard last.number < .max else { throw StorageFault(operation: "next TTC", reason: "numbers used up") }
        return TTC(last.number + 1)
    }

    package func commit(_ entry: JournalEntry) {
        for record in entry.records {
            records[record.ttc] = record
            last = max(last, record.ttc)
            let time = max(record.lockTime, record.endTime ?? record.lockTime, record.debit?.time ?? record.lockTime)
            latest = latest.map { max($0, time) } ?? time
            if record.phase.isOpen { open.insert(record.ttc) } else { open.remove(record.ttc) }
            if record.phase != .intent && record.phase != .locked { checkpoints[record.ttc] = nil }
        }
        if let grey = entry.grey {
            greyRecords[grey.ttc] = grey
            if grey.state == .open {
                openGrey[grey.card, default: []].insert(grey.ttc)
            } else {
                openGrey[grey.card, default: []].remove(grey.ttc)
            }
        }
        if let totaliser = entry.totaliser { totalisers[totaliser.nozzle] = totaliser }
        if let lock = entry.lock { locks[lock.position] = lock }
    }

    package func checkpoint(_ checkpoint: Checkpoint) { checkpoints[checkpoint.ttc] = checkpoint }

    package func record(_ ttc: TTC) -> SaleRecord? { records[ttc] }

    package func openRecords() -> [SaleRecord] { open.sorted().compactMap { records[$0] } }

    package func lastCheckpoint(of ttc: TTC) -> Checkpoint? { checkpoints[ttc] }

    package func openGreyRecords(of card: ApplicationSerialNumber) -> [GreyRecord] {
        openGrey[card, default: []].sorted().compactMap { greyRecords[$0] }
    }

    package func totaliser(of nozzle: Int) -> Totaliser? { totalisers[nozzle] }

    package func lock(of position: Int) -> PositionLock? { locks[position] }

    package func clearLock(of position: Int) { locks[position] = nil }

    package func room() -> Int { max(0, capacity - records.count) }

    package func roomIfCounted() -> Int? { room() }

    package func latestTime() -> TransactionTime? { latest }

    /// As ``SQLiteJournal`` does for a technician.
    package func acceptClock(_ time: TransactionTime) { latest = time }
}
