import Dispenser
import FuelPassbook
import Quantities
import Records

/// The station's journal: what its disk holds, and a disk that can be full, slow, or cut from the mains before, inside and
/// after each write. Inside a write the disk keeps all of it or nothing, as the file's own tests show of the real one.
final class StationJournal {
    /// The side's.
    let edge = FaultyJournal(MemoryJournal())
    /// A technician's copy.
    private var copy: MemoryJournal?
    /// The mark outside the journal: the last number that left (spec/grey-lock.md, D32).
    private var mark = RecordNumber(0)
    private unowned let station: SimulatedStation
    /// Writes that find no space yet.
    private var writesWithoutSpace = 0
    /// When something was written last, in UTC seconds, since a technician's last word: apart from what entries say.
    private var lastWritten = Int64.min

    init(station: SimulatedStation) {
        self.station = station
        edge.onWrite = { [unowned self] (write, store) throws(StorageFault) in try perform(write, store) }
        edge.onRead = { [unowned station] () throws(StorageFault) in
            station.pause()
            guard !station.isDead else { throw StorageFault(operation: "read", reason: "no power") }
        }
    }

    var store: MemoryJournal { edge.store }

    /// Somebody has made space, accepted the clock and opened what closed itself.
    func isRepaired(now: StationTime?) {
        writesWithoutSpace = 0
        if store.room() < 2 * JournalRoom.warnedBelow { store.capacity += 200 }
        if let now, let latest = store.latestTime(), now.isBefore(latest) {
            store.acceptClock(now)
            lastWritten = now.utcSeconds
        }
        for lock in store.locks.values {
            store.clear(LockClearing(of: lock, at: now, name: "technician", reason: "the pulser was mended"))
        }
    }

    /// The totals' row is not believed until it is written again.
    func rots() {
        guard let nozzle = store.totalisers.keys.min() else { return }
        edge.damaged = [
            DamagedRow(
                table: "totaliser",
                keyName: "nozzle",
                key: Int64(nozzle),
                column: nil,
                reason: "its code is wrong"
            )
        ]
    }

    func isCopied() { copy = MemoryJournal(copying: store) }

    /// The copy is put in the journal's place.
    ///
    /// - Returns: false when there is none.
    func isPutBack() -> Bool {
        guard let copy else { return false }
        copy.capacity = store.capacity
        edge.store = MemoryJournal(copying: copy)
        // A technician's later word on the clock is not in the copy.
        if let latest = store.latestTime() { lastWritten = max(lastWritten, latest.utcSeconds) }
        return true
    }

    /// It is not older than what the mark says of it.
    var isNewest: Bool { store.lastNumber >= mark }

    func isAccepted() { store.accept(after: mark) }

    /// Whether a clock is behind what was written, whatever it calls the hour.
    func isAhead(of now: StationTime?) -> Bool { now.map { $0.utcSeconds < lastWritten } ?? true }

    // MARK: - Writes

    private func perform(_ write: FaultyJournal.Write, _ store: () -> Void) throws(StorageFault) {
        station.pause()
        switch write {
        case .entry(let entry):
            for record in entry.records where record.phase == .intent { station.tape.saleBegins() }
            try self.write("journal: \(entry.words)") {
                let side = station.side
                station.ledger.commits(entry, self.store, side.site.snapshot, by: side.books)
                store()
                if let nozzle = entry.totaliser?.nozzle { edge.damaged.removeAll { $0.key == Int64(nozzle) } }
                lastWritten = max(lastWritten, station.site.now?.utcSeconds ?? .min)
            }
        case .checkpoint(let checkpoint):
            try self.write("journal: checkpoint of \(checkpoint.amount)") {
                station.ledger.checkpoints(checkpoint, self.store)
                store()
            }
        case .openedSide(let word):
            try self.write("journal: position \(word.lock.side) opened") { store() }
        case .number:
            // A number is on disk as given, and in the mark, before it is used.
            try self.write("journal: a number is given") {
                store()
                station.ledger.gives(self.store.lastNumber)
                mark = max(mark, self.store.lastNumber)
            }
        }
    }

    private func write(_ words: @autoclosure () -> String, _ store: () -> Void) throws(StorageFault) {
        let noPower = StorageFault(operation: "write", reason: "no power")
        guard !station.isDead else { throw noPower }
        if station.mode == .verifying { station.ledger.fail("a second start writes to the journal") }
        let fault = station.side.strikes(.write)
        if let fault { suffer(fault, store) }
        guard !station.isDead else { throw noPower }
        guard writesWithoutSpace == 0 else {
            writesWithoutSpace -= 1
            throw StorageFault(operation: "write", reason: "no space is left for the journal")
        }
        station.tape.note(words)
        store()
        if fault?.kind == .powerCutAfter {
            station.cutPower()
            throw noPower
        }
    }

    private func suffer(_ fault: PlannedFault, _ store: () -> Void) {
        switch fault.kind {
        case .powerCutBefore: station.cutPower()
        case .powerCutDuring:
            if fault.extent == 1 { store() }
            station.cutPower()
        case .diskFull: writesWithoutSpace = fault.extent
        case .slowDisk: station.side.site.pass(Double(fault.extent) / 1_000)
        case .powerCutAfter: break
        case _: preconditionFailure("\(fault.kind.rawValue) does not strike at a write")
        }
    }
}

extension JournalEntry {
    fileprivate var words: String {
        let records = records.map { "sale \($0.number.value) \($0.kind.rawValue) \($0.phase.rawValue) \($0.amount)" }
        let grey = self.grey.map { ["grey record \($0.number.value) \($0.state.rawValue)"] } ?? []
        return (records + grey + (totaliser == nil ? [] : ["totaliser"])).joined(separator: ", ")
    }
}
