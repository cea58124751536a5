import Dispenser
package import FuelPassbook
import Metering
package import Quantities
package import Records
import SecurityModule

/// A journal that lasts as long as the process, for simulations.
package final class MemoryJournal: SaleJournal {
    package private(set) var records: [RecordNumber: Record] = [:]
    package private(set) var greyRecords: [RecordNumber: GreyRecord] = [:]
    package private(set) var checkpoints: [RecordNumber: Checkpoint] = [:]
    package private(set) var totalisers: [Int: Totaliser] = [:]
    private var overruns: [Int: Overrun] = [:]
    package private(set) var locks: [Int: SideLock] = [:]
    private var faults: [Int: [CalendarDate?: PulserFaults]] = [:]
    /// In their order.
    package private(set) var clearings: [LockClearing] = []
    package private(set) var prices: [PriceChange] = []
    package private(set) var differences: [TotaliserDifference] = []
    /// The highest number that was reserved or committed.
    private var last = RecordNumber(0)
    private var latest: StationTime?
    private var open: Set<RecordNumber> = []
    private var byCard: [ApplicationSerialNumber: [RecordNumber]] = [:]
    private var openGrey: [ApplicationSerialNumber: Set<RecordNumber>] = [:]
    package var capacity: Int

    package init(capacity: Int = 1_000_000) { self.capacity = capacity }

    /// What a technician's copy of the file holds.
    package init(copying other: MemoryJournal) {
        records = other.records
        greyRecords = other.greyRecords
        checkpoints = other.checkpoints
        totalisers = other.totalisers
        overruns = other.overruns
        locks = other.locks
        faults = other.faults
        clearings = other.clearings
        prices = other.prices
        differences = other.differences
        last = other.last
        latest = other.latest
        open = other.open
        byCard = other.byCard
        openGrey = other.openGrey
        capacity = other.capacity
    }

    package func reserve() throws(StorageFault) -> RecordNumber {
        guard last.value < .max else { throw StorageFault(operation: "reserve a number", reason: "numbers used up") }
        last = RecordNumber(last.value + 1)
        return last
    }

    /// The last number that was given.
    package var lastNumber: RecordNumber { last }

    /// Goes on after `number`, as a technician accepts a copy (spec/grey-lock.md, D32).
    package func accept(after number: RecordNumber) { last = max(last, number) }

    package func commit(_ entry: JournalEntry) {
        for record in entry.records {
            if records.updateValue(record, forKey: record.number) == nil {
                byCard[record.card, default: []].append(record.number)
            }
            last = max(last, record.number)
            if record.phase.isOpen { open.insert(record.number) } else { open.remove(record.number) }
            if record.phase != .intent && record.phase != .locked { checkpoints[record.number] = nil }
        }
        if let moment = entry.moment, latest.map({ $0.isBefore(moment) }) ?? true { latest = moment }
        if let grey = entry.grey {
            greyRecords[grey.number] = grey
            if grey.state == .open {
                openGrey[grey.card, default: []].insert(grey.number)
            } else {
                openGrey[grey.card, default: []].remove(grey.number)
            }
        }
        if let totaliser = entry.totaliser { totalisers[totaliser.nozzle] = totaliser }
        if let overrun = entry.overrun { overruns[overrun.nozzle] = overrun }
        if let lock = entry.lock { locks[lock.side] = lock }
        if let new = entry.faults { add(new, on: entry.moment?.local.date) }
        if let price = entry.price { prices.append(price) }
        differences += entry.differences
    }

    package func checkpoint(_ checkpoint: Checkpoint) { checkpoints[checkpoint.number] = checkpoint }

    package func record(_ number: RecordNumber) -> Record? { records[number] }

    package func openRecords() -> [Record] { open.sorted().compactMap { records[$0] } }

    package func lastCheckpoint(of number: RecordNumber) -> Checkpoint? { checkpoints[number] }

    package func openGreyRecords(of card: ApplicationSerialNumber) -> [GreyRecord] {
        openGrey[card, default: []].sorted().compactMap { greyRecords[$0] }
    }

    package func usesPetrolCommands(_ card: ApplicationSerialNumber) -> Bool {
        records(of: card).contains { $0.mac3 != nil }
    }

    package func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) -> Bool {
        records(of: card).contains { record in
            guard record.ctc == ctc else { return false }
            return record.kind != .prepaid || (record.phase != .torn && record.phase != .void)
        }
    }

    package func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) -> Bool {
        records(of: card).contains { $0.debits.contains { $0.time == time } }
    }

    private func records(of card: ApplicationSerialNumber) -> some Sequence<Record> {
        byCard[card, default: []].lazy.compactMap { self.records[$0] }
    }

    package func totaliser(of nozzle: Int) -> Totaliser? { totalisers[nozzle] }

    package func overrun(of nozzle: Int) -> Overrun? { overruns[nozzle] }

    /// Nobody else writes here.
    package func damagedRows() -> [DamagedRow] { [] }

    package func recordedTotaliser(of nozzle: Int) -> Totaliser? {
        records.values.lazy.compactMap(\.totaliser).filter { $0.nozzle == nozzle }
            .max { ($0.volume, $0.fen) < ($1.volume, $1.fen) }
    }

    package func deliveries(of nozzle: Int, last count: Int) -> [Record] {
        let own = records.values.filter { $0.totaliser?.nozzle == nozzle && $0.reading.volume != .zero }
        return Array(own.sorted { $0.number > $1.number }.prefix(count))
    }

    package func lock(of side: Int) -> SideLock? { locks[side] }

    package func clear(_ word: LockClearing) {
        locks[word.lock.side] = nil
        clearings.append(word)
    }

    package func lastPrice(of side: Int) -> UnitPrice? { prices.last { $0.side == side }?.to }

    private func add(_ new: NewPulserFaults, on day: CalendarDate?) {
        for day in Set([nil, day]) { faults[new.side, default: [:]][day, default: PulserFaults()] = faults(new, day) }
        let days = faults[new.side, default: [:]].keys.compactMap(\.self).sorted()
        for day in days.dropLast(PulserFaultCount.daysMax) { faults[new.side]?[day] = nil }
    }

    private func faults(_ new: NewPulserFaults, _ day: CalendarDate?) -> PulserFaults {
        (faults[new.side]?[day] ?? PulserFaults()) + new.faults
    }

    /// As ``SQLiteJournal`` answers.
    package func pulserFaults(of side: Int) -> [PulserFaultCount] {
        let known = faults[side, default: [:]]
        let days = known.keys.sorted { ($0?.ordinal ?? 0) < ($1?.ordinal ?? 0) }
        return days.map { PulserFaultCount(side: side, day: $0, faults: known[$0] ?? PulserFaults()) }
    }

    package func room() -> Int { max(0, capacity - records.count) }

    package func roomIfCounted(nanosecondsMax: UInt64) -> Int? { room() }

    package func latestTime() -> StationTime? { latest }

    /// As ``SQLiteJournal`` does for a technician.
    package func acceptClock(_ now: StationTime) { latest = now }
}
