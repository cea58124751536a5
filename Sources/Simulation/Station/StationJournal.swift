import Dispenser
import FuelPassbook
import Quantities
import Records

/// The station's journal: what its disk holds, and a disk that can be full, slow, or cut from the mains before, inside and
/// after each write. Inside a write the disk keeps all of it or nothing, as the file's own tests show of the real one.
final class StationJournal: SaleJournal {
    private(set) var store = MemoryJournal()
    /// A technician's copy.
    private var copy: MemoryJournal?
    /// The mark outside the journal: the last number that left (spec/grey-lock.md, D32).
    private var mark = TTC(0)
    private unowned let station: SimulatedStation
    /// The totals' row has rotted: it is not believed until it is written again.
    private var rottenTotals: DamagedRow?
    /// Writes that find no space yet.
    private var writesWithoutSpace = 0
    /// When something was written last, in UTC seconds, since a technician's last word: apart from what entries say.
    private var lastWritten = Int64.min

    init(station: SimulatedStation) { self.station = station }

    /// Somebody has made space, accepted the clock and opened what closed itself.
    func isRepaired(now: StationTime?) {
        writesWithoutSpace = 0
        if store.room() < 2 * JournalRoom.warnedBelow { store.capacity += 200 }
        if let now, let latest = store.latestTime(), now.isBefore(latest) {
            store.acceptClock(now)
            lastWritten = now.utcSeconds
        }
        for position in store.locks.keys { store.clearLock(of: position) }
    }

    func rots() {
        guard let nozzle = store.totalisers.keys.first else { return }
        rottenTotals = DamagedRow(
            table: "totaliser",
            keyName: "nozzle",
            key: Int64(nozzle),
            column: nil,
            reason: "its code is wrong"
        )
    }

    func isCopied() { copy = MemoryJournal(copying: store) }

    /// The copy is put in the journal's place.
    ///
    /// - Returns: false when there is none.
    func isPutBack() -> Bool {
        guard let copy else { return false }
        copy.capacity = store.capacity
        store = MemoryJournal(copying: copy)
        // A technician's later word on the clock is not in the copy.
        if let latest = store.latestTime() { lastWritten = max(lastWritten, latest.utcSeconds) }
        return true
    }

    /// It is not older than what the mark says of it.
    var isNewest: Bool { store.lastTTC >= mark }

    func isAccepted() { store.accept(after: mark) }

    /// Whether a clock is behind what was written, whatever it calls the hour.
    func isAhead(of now: StationTime?) -> Bool { now.map { $0.utcSeconds < lastWritten } ?? true }

    // MARK: - Writes

    func commit(_ entry: JournalEntry) throws(StorageFault) {
        for record in entry.records where record.phase == .intent { station.tape.saleBegins() }
        try write(
            { "journal: \(entry.words)" },
            {
                station.ledger.commits(entry, store, station.site.snapshot)
                store.commit(entry)
                if entry.totaliser != nil { rottenTotals = nil }
                lastWritten = max(lastWritten, station.site.now?.utcSeconds ?? .min)
            }
        )
    }

    func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        try write(
            { "journal: checkpoint of \(checkpoint.amount)" },
            {
                station.ledger.checkpoints(checkpoint, store)
                store.checkpoint(checkpoint)
            }
        )
    }

    func clearLock(of position: Int) throws(StorageFault) {
        try write({ "journal: position \(position) opened" }, { store.clearLock(of: position) })
    }

    private func write(_ words: () -> String, _ store: () -> Void) throws(StorageFault) {
        let noPower = StorageFault(operation: "write", reason: "no power")
        guard !station.isDead else { throw noPower }
        if station.mode == .verifying { station.ledger.fail("a second start writes to the journal") }
        let fault = station.strikes(.write)
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
        case .slowDisk: station.site.pass(Double(fault.extent) / 1_000)
        case .powerCutAfter: break
        case _: preconditionFailure("\(fault.kind.rawValue) does not strike at a write")
        }
    }

    // MARK: - Reads

    private func read<Value>(_ body: (MemoryJournal) throws(StorageFault) -> Value) throws(StorageFault) -> Value {
        guard !station.isDead else { throw StorageFault(operation: "read", reason: "no power") }
        return try body(store)
    }

    /// A number is on disk as given, and in the mark, before it is used.
    func reserveTTC() throws(StorageFault) -> TTC {
        var number = TTC(0)
        let full = StorageFault(operation: "next TTC", reason: "numbers used up")
        guard store.lastTTC.number < .max else { throw full }
        try write(
            { "journal: a number is given" },
            {
                do throws(StorageFault) { number = try store.reserveTTC() } catch { return }
                station.ledger.gives(number)
                mark = max(mark, number)
            }
        )
        return number
    }

    func record(_ ttc: TTC) throws(StorageFault) -> SaleRecord? {
        try read { (store) in store.record(ttc) }
    }

    func openRecords() throws(StorageFault) -> [SaleRecord] {
        try read { (store) in store.openRecords() }
    }

    func lastCheckpoint(of ttc: TTC) throws(StorageFault) -> Checkpoint? {
        try read { (store) in store.lastCheckpoint(of: ttc) }
    }

    func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        try read { (store) in store.openGreyRecords(of: card) }
    }

    func usesPetrolCommands(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        store.usesPetrolCommands(card)
    }
    func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) throws(StorageFault) -> Bool {
        store.hasPurchase(of: card, ctc)
    }
    func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) throws(StorageFault) -> Bool {
        try read { (store) in store.hasDebit(of: card, at: time) }
    }
    func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try read { (store) throws(StorageFault) in
            if let rottenTotals { throw StorageFault(rottenTotals) }
            return store.totaliser(of: nozzle)
        }
    }

    func recordedTotaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try read { (store) in store.recordedTotaliser(of: nozzle) }
    }

    func damagedRows() throws(StorageFault) -> [DamagedRow] {
        try read { _ in [rottenTotals].compactMap(\.self) }
    }

    func lock(of position: Int) throws(StorageFault) -> PositionLock? {
        try read { (store) in store.lock(of: position) }
    }

    func roomIfCounted(nanosecondsMax: UInt64) throws(StorageFault) -> Int? {
        try read { (store) in store.room() }
    }

    func latestTime() throws(StorageFault) -> StationTime? {
        try read { (store) in store.latestTime() }
    }
}

extension JournalEntry {
    fileprivate var words: String {
        let records = records.map { "sale \($0.ttc.number) \($0.kind.rawValue) \($0.phase.rawValue) \($0.amount)" }
        let grey = self.grey.map { ["grey record \($0.ttc.number) \($0.state.rawValue)"] } ?? []
        return (records + grey + (totaliser == nil ? [] : ["totaliser"])).joined(separator: ", ")
    }
}
