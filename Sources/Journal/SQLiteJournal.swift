package import FuelPassbook
import Glibc
import ISO7816
package import Quantities
package import Records
import SQLite
import Synchronization

// Specification: ``SaleJournal``. What a call wrote survives a power cut once the call has returned; of a call that was
// cut short, all is read back or nothing.
//
// One writing connection in WAL mode with `synchronous = FULL`: SQLite appends the pages that a transaction changed to
// the `-wal` file, the last of them with a commit mark, and syncs that file before COMMIT returns. A frame counts only
// with the salts of its file and a checksum over all before it, so a torn tail ends before the torn transaction.
// The pages go to the main file, synced, before the `-wal` file is written from its start again.
// Proof by experiment: `PowerLossTests`, which cuts the `-wal` file within every transaction.
//
// Invariants:
// - One process writes (``JournalLock``); any number look at it meanwhile (``JournalImage``).
// - SQLite maps no file into memory, so that a full disk is an error and never a signal: the index of the `-wal` file is
//   on the heap ("unix-excl"), which SQLite does for a process that shares the file with no other.
// - A record that is ended or later has no checkpoint.
// - A row of a number never changes its card, terminal, side or lock time.
// - No row of the sale table is deleted but of a finished record that was acknowledged, in a transaction that the state counts
//   (``Acknowledgement``); a new one has the highest number: ``SQLiteJournal/room()`` counts on.
// - A row has the code of the service over all of it, and the journal's state the sum of all codes. A row that is not
//   believed is never written over, but for those of ``RowClass/isRenewed`` (decision record 0017).

/// The terminal's records in an SQLite file. Calls block until they are on disk; any thread may call.
package final class SQLiteJournal: SaleJournal, Sendable {
    let connection: Connection
    package let path: String
    let capacity: Int
    let recordKey: RecordKey
    let highWater: HighWaterMark
    private let lock: JournalLock
    let survey: JournalSurvey
    let start: StartCheck
    let doubts: Mutex<Doubts>
    /// nil until ``room()`` is asked for the first time.
    private let counted = Mutex<JournalSurvey.Count?>(nil)
    /// One reservation at a time, so that the mark never falls back.
    let marking = Mutex<Void>(())
    /// The latest time when this process opened the journal. What it writes before it counts, such as the end of an
    /// interrupted sale, says nothing of when the run before it counted.
    let latestTimeBefore = Mutex<StationTime?>(nil)
    /// nil unless a run of the service goes on.
    let run = Mutex<PresentRun?>(nil)

    /// Opens the journal, or creates it with mode 0600. The file is checked while the journal is in use already: see
    /// ``damage`` and ``room()``.
    ///
    /// - Parameters:
    ///   - capacity: how many records ``room()`` counts down from.
    ///   - key: of the terminal: from it the key of the rows' codes is drawn.
    ///   - mark: the file of the high-water mark; nil for the journal's name with "-mark".
    ///   - damageFound: called once from another thread when ``damage`` is found.
    ///   - goesOn: called now and then while the rows of a large journal get their first codes.
    /// - Throws: `StorageFault` when another process writes this journal, when the file cannot be opened for writing,
    ///   is damaged where opening reads it, is no journal or one of a newer version, or needs another record key; when it
    ///   is not known to be the newest copy of the journal: see ``JournalStanding``.
    package convenience init(
        path: String,
        capacity: Int,
        key: RecordKey,
        mark: String? = nil,
        damageFound: @escaping @Sendable () -> Void = {},
        goesOn: () -> Void = {}
    ) throws(StorageFault) {
        try self.init(path, capacity, key, mark, damageFound, goesOn)
        try takeUp()
        try keepOverruns()
        let latest = try latestTime()
        latestTimeBefore.withLock { $0 = latest }
    }

    /// Takes the journal as it is, on a technician's word: its numbers go on after all that are known to have been given.
    ///
    /// - Returns: the number after which they go on.
    package static func accept(
        path: String,
        key: RecordKey,
        mark: String?,
        reason: String,
        time: TransactionTime?
    ) throws(StorageFault) -> RecordNumber {
        var isExisting = stat()
        guard unsafe stat(path, &isExisting) == 0 else { throw .system("open") }
        let journal = try SQLiteJournal(path, 1, key, mark, {}, {})
        return try journal.accept(reason, time)
    }

    /// Its numbers are not compared with the mark yet.
    private init(
        _ path: String,
        _ capacity: Int,
        _ key: RecordKey,
        _ markPath: String?,
        _ damageFound: @escaping @Sendable () -> Void,
        _ goesOn: () -> Void
    ) throws(StorageFault) {
        precondition(capacity > 0)
        let path = JournalFile.resolved(path)
        self.capacity = capacity
        recordKey = key
        self.path = path
        highWater = HighWaterMark(path: markPath ?? HighWaterMark.path(of: path))
        try JournalFile.create(path)
        try JournalFile.requireAccess(path, writing: true)
        try JournalFile.requireRegularFiles(beside: path)
        lock = try JournalLock(path: path)
        FileSystem.chooseHeapIndex()
        do {
            connection = try .writer(path)
            try connection.write(JournalSchema.mendList)
            try JournalSchema.migrations.migrate(connection)
            try connection.read(JournalSchema.requirePresentVersion)
            start = try StartCheck(connection, key, goesOn)
            survey = try JournalSurvey(path: path, key: key, damageFound: damageFound)
        } catch {
            throw StorageFault("open", error)
        }
        doubts = Mutex(start.findings.doubts)
    }

    /// The survey ends before `connection` is closed, so that the last connection of all is the one that may empty the `-wal`
    /// file. The lock, declared after `connection`, ends after it.
    deinit {
        endBeat()
        survey.end()
        connection.close()
    }

    /// What the check of the whole file found; nil while it goes on, and of a sound file.
    package var damage: StorageFault? { survey.fault }

    /// Which journal this is, and how often something was committed to it; nil when its state is not believed. A mark
    /// outside the file that is kept of it tells an older whole file.
    package func mark() throws(StorageFault) -> JournalMark? {
        guard let key = start.key else { return nil }
        return try connection.view("read the journal's state") { db in
            try db.journalState(key).map { JournalMark(identity: $0.identity, commits: $0.commits) }
        }
    }

    package func commit(_ entry: JournalEntry) throws(StorageFault) {
        try write(entry)
        if entry.records.contains(where: { !$0.phase.isOpen }) { markEnd() }
    }

    private func write(_ entry: JournalEntry) throws(StorageFault) {
        try commitRows("commit") { writer in
            for record in entry.records {
                try writer.replace(record)
                if record.phase.isPastFuelling { try writer.delete(Int64(record.number.value), from: .checkpoint) }
            }
            if let grey = entry.grey { try writer.replace(grey) }
            if let totaliser = entry.totaliser { try writer.replace(totaliser) }
            if let overrun = entry.overrun { try writer.replace(overrun) }
            if let lock = entry.lock { try writer.replace(lock) }
            if let faults = entry.faults { try writer.add(faults, on: entry.moment?.local.date) }
            if let price = entry.price { try writer.append(price) }
            for difference in entry.differences { try writer.append(difference) }
            if let moment = entry.moment { try writer.raiseClockFloor(to: moment) }
        }
    }

    package func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        try commitRows("checkpoint") { try $0.replace(checkpoint) }
    }

    package func record(_ number: RecordNumber) throws(StorageFault) -> Record? {
        try row(Int64(number.value), "read a record")
    }

    package func openRecords() throws(StorageFault) -> [Record] {
        let belief = try believing()
        return try connection.view("read the open records") { db in
            let records: [Record] = try db.believed(belief, Database.openSales)
            return records.filter(\.phase.isOpen)
        }
    }

    package func lastCheckpoint(of number: RecordNumber) throws(StorageFault) -> Checkpoint? {
        try row(Int64(number.value), "read a checkpoint")
    }

    package func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        let belief = try believing()
        return try connection.view("read the grey records") { db in
            let open =
                "WHERE substr(card_asn, 5) = ? AND state NOT IN ('settled', 'void', 'elsewhere') ORDER BY ttc"
            return try db.believed(belief, open, [ColumnValue(card.number)])
        }
    }

    package func usesPetrolCommands(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        let sales = salesByCard
        return try connection.view("look for a lock of the card") { db in
            let sql = "SELECT ttc FROM \(sales) WHERE substr(card_asn, 5) = ? AND mac3 IS NOT NULL LIMIT 1"
            return try db.value(sql, [ColumnValue(card.number)]) != nil
        }
    }

    package func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) throws(StorageFault) -> Bool {
        let sales = salesByCard
        return try connection.view("look for the card's number") { db in
            let sql = """
                SELECT ttc FROM \(sales) WHERE substr(card_asn, 5) = ? AND ctc = ?
                    AND NOT (kind = 'prepaid' AND phase IN ('torn', 'void')) LIMIT 1
                """
            return try db.value(sql, [ColumnValue(card.number), ColumnValue(ctc.number)]) != nil
        }
    }

    package func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) throws(StorageFault) -> Bool {
        let sales = salesByCard
        return try connection.view("look for the card's debits") { db in
            let sql = """
                SELECT EXISTS (SELECT 1 FROM \(sales) WHERE substr(card_asn, 5) = ?
                    AND (debit_time = ? OR instr(earlier_debits, ?)))
                """
            let text = ColumnValue(Hex.string(time.bytes))
            return try db.value(sql, [ColumnValue(card.number), text, text]) == 1
        }
    }

    /// Asked before the connection is taken: ``room()`` takes it while it holds the count.
    ///
    /// Until the index of cards has been compared with its table, the table is read from end to end.
    private var salesByCard: String {
        survey.indexesAgree || counted.withLock({ $0 != nil }) ? "sale" : "sale NOT INDEXED"
    }

    package func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try row(Int64(nozzle), "read a totaliser")
    }

    package func overrun(of nozzle: Int) throws(StorageFault) -> Overrun? {
        do throws(StorageFault) { return try row(Int64(nozzle), "read an overrun") } catch {
            guard error.row != nil else { throw error }
            return nil
        }
    }

    package func recordedTotaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        let belief = try believing()
        return try connection.view("read the records' totals") { db in
            let highest = "WHERE totaliser_nozzle = ? ORDER BY totaliser_volume_microlitres DESC, totaliser_fen DESC"
            let row = try db.firstBelieved(of: .sale, highest, [ColumnValue(nozzle)], belief)
            return try row.map(Record.init)?.totaliser
        }
    }

    /// - Throws: `StorageFault` also when the file is damaged anywhere; the first call waits until that is known.
    package func room() throws(StorageFault) -> Int {
        let atStart = try survey.count()
        return try counted.withLock { counted throws(StorageFault) in
            if counted == nil, !atStart.indexesAgree {
                try connection.commit("make the indexes anew") { try $0.rebuildIndexes() }
            }
            var count = counted ?? atStart
            var acknowledged: Int64?
            try connection.view("count the records") { db in
                // The state counts with each write, in whatever order the numbers come.
                if let stated = atStart.stated, let key = start.key, let state = try db.journalState(key) {
                    count.records = atStart.records + Int(state.records - stated)
                    acknowledged = state[.acknowledgement].rows
                } else {
                    acknowledged = try db.numbers("SELECT count(*) FROM acknowledgement").first.flatMap(\.self)
                    let new = try db.numbers(
                        "SELECT count(*), max(ttc) FROM sale WHERE ttc > ?",
                        [ColumnValue(count.lastNumber)]
                    )
                    count.records += Int(new.first.flatMap(\.self) ?? 0)
                    count.lastNumber = new.last.flatMap(\.self) ?? count.lastNumber
                }
            }
            counted = count
            return max(0, capacity - count.records + Int(acknowledged ?? 0))
        }
    }

    package func roomIfCounted(nanosecondsMax: UInt64) throws(StorageFault) -> Int? {
        survey.isSound(nanosecondsMax: nanosecondsMax) ? try room() : nil
    }
}

extension RecordPhase {
    fileprivate var isPastFuelling: Bool {
        switch self {
        case .intent, .locked, .paid, .torn, .flowing: false
        case .ended, .debitSent, .settled, .escaped, .void: true
        }
    }
}

extension ApplicationSerialNumber {
    /// The sixteen digits by which a card is known (D30), as the columns have them after four more.
    var number: String { Hex.string(diversificationFactor) }
}
