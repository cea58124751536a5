package import Dispenser
package import FuelPassbook
import GRDB
private import GRDBSQLite
import Glibc
import ISO7816
package import SecurityModule
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
// - A row of a TTC never changes its card, terminal, position or lock time.
// - No row of the sale table is deleted, and a new one has the highest TTC: ``SQLiteJournal/room()`` counts on.
// - A row has the code of the service over all of it, and the journal's state the sum of all codes. A row that is not
//   believed is never written over, but for those of ``RowClass/isRenewed`` (decision record 0017).

/// The terminal's records in an SQLite file. Calls block until they are on disk; any thread may call.
package final class SQLiteJournal: SaleJournal, Sendable {
    let queue: DatabaseQueue
    let path: String
    private let capacity: Int
    private let keys: MasterKeys
    private let highWater: HighWaterMark
    private let lock: JournalLock
    private let survey: JournalSurvey
    private let start: StartCheck
    private let doubts: Mutex<Doubts>
    /// nil until ``room()`` is asked for the first time.
    private let counted = Mutex<JournalSurvey.Count?>(nil)
    /// One reservation at a time, so that the mark never falls back.
    private let marking = Mutex<Void>(())
    /// nil unless a run of the service goes on.
    let beat = Mutex<RunBeat?>(nil)

    /// Opens the journal, or creates it with mode 0600. The file is checked while the journal is in use already: see
    /// ``damage`` and ``room()``.
    ///
    /// - Parameters:
    ///   - capacity: how many records ``room()`` counts down from.
    ///   - keys: from one of them the key of the rows' codes is drawn.
    ///   - mark: the file of the high-water mark; nil for the journal's name with "-mark".
    ///   - damageFound: called once from another thread when ``damage`` is found.
    /// - Throws: `StorageFault` when another process writes this journal, when the file cannot be opened for writing,
    ///   is damaged where opening reads it, is no journal or one of a newer version, or needs another master key; when it
    ///   is not known to be the newest copy of the journal: see ``JournalStanding``.
    package convenience init(
        path: String,
        capacity: Int,
        keys: MasterKeys,
        mark: String? = nil,
        damageFound: @escaping @Sendable () -> Void = {}
    ) throws(StorageFault) {
        let judge = { (_: Database, standing: JournalStanding) throws -> Numbering? in
            guard let refusal = standing.refusal else { return nil }
            throw StorageFault(
                operation: "open",
                reason: "\(refusal), or accept this one: greylock position --accept-journal \"REASON\""
            )
        }
        try self.init(path: path, capacity: capacity, keys: keys, mark: mark, damageFound: damageFound, judge: judge)
    }

    /// Takes the journal as it is, on a technician's word: its numbers go on after all that are known to have been given.
    ///
    /// - Returns: the number after which they go on.
    package static func accept(
        path: String,
        keys: MasterKeys,
        mark: String?,
        reason: String,
        time: TransactionTime?
    ) throws(StorageFault) -> TTC {
        var isExisting = stat()
        guard unsafe stat(path, &isExisting) == 0 else { throw .system("open") }
        let judge = { (db: Database, standing: JournalStanding) in
            guard standing.refusal != nil else {
                throw StorageFault(
                    operation: "accept the journal",
                    reason: "it is up to date: nothing is to be accepted"
                )
            }
            return try db.accept(standing, reason: reason, time: time)
        }
        let journal = try SQLiteJournal(
            path: path,
            capacity: 1,
            keys: keys,
            mark: mark,
            damageFound: {},
            judge: judge
        )
        return TTC(try journal.queue.view("read the numbers") { try $0.numbering().reserved })
    }

    /// - Parameter judge: in one transaction; throws to refuse the journal, and returns the numbering with which its mark is
    ///   made anew.
    private init(
        path: String,
        capacity: Int,
        keys: MasterKeys,
        mark markPath: String?,
        damageFound: @escaping @Sendable () -> Void,
        judge: (Database, JournalStanding) throws -> Numbering?
    ) throws(StorageFault) {
        precondition(capacity > 0)
        let path = JournalFile.resolved(path)
        self.capacity = capacity
        self.keys = keys
        self.path = path
        highWater = HighWaterMark(path: markPath ?? HighWaterMark.path(of: path))
        try JournalFile.create(path)
        try JournalFile.requireAccess(path, writing: true)
        lock = try JournalLock(path: path)
        HeapIndex.choose()
        do {
            queue = try DatabaseQueue(path: path, configuration: .writer)
            try JournalSchema.migrator.migrate(queue)
            start = try StartCheck(queue, keys)
            survey = try JournalSurvey(path: path, keys: keys, damageFound: damageFound)
        } catch {
            throw StorageFault("open", error)
        }
        doubts = Mutex(start.findings.doubts)
        try takeUp(judge)
    }

    private func takeUp(_ judge: (Database, JournalStanding) throws -> Numbering?) throws(StorageFault) {
        let reading = highWater.read()
        var standing = JournalStanding.upToDate
        var numbering: Numbering?
        var accepted: Numbering?
        try queue.commit("open") { db in
            let present = try db.numbering(sealedBy: start.key, unknown: .max)
            standing = JournalStanding(present, reading)
            if var numbering = try judge(db, standing) {
                numbering.commits = try db.numbering(sealedBy: start.key).commits
                accepted = numbering
            }
            numbering = try accepted ?? db.numbering(sealedBy: start.key)
        }
        guard let numbering else { preconditionFailure("read in the transaction") }
        if accepted != nil { return try highWater.create(numbering.mark) }
        if standing == .notMarked { try highWater.create(numbering.mark) }
        guard !numbering.isMarked else { return }
        try queue.commit("open") { try $0.execute(sql: "UPDATE numbering SET is_marked = 1 WHERE journal = 1") }
    }

    /// The survey ends before `queue` is closed, so that the last connection of all is the one that may empty the `-wal`
    /// file. The lock, declared after `queue`, ends after it.
    deinit {
        endBeat()
        survey.end()
        queue.retire()
    }

    /// What the check of the whole file found; nil while it goes on, and of a sound file.
    package var damage: StorageFault? { survey.fault }

    /// Which journal this is, and how often something was committed to it; nil when its state is not believed. A mark
    /// outside the file that is kept of it tells an older whole file.
    package func mark() throws(StorageFault) -> JournalMark? {
        guard let key = start.key else { return nil }
        return try queue.view("read the journal's state") { db in
            try db.journalState(key).map { JournalMark(identity: $0.identity, commits: $0.commits) }
        }
    }

    package func reserveTTC() throws(StorageFault) -> TTC {
        try marking.withLock { _ throws(StorageFault) in
            var reserved: Numbering?
            try queue.commit("reserve a TTC") { db in
                let known = try start.key.flatMap { try db.journalState($0)?.lastTTC } ?? 0
                reserved = try db.reserve(after: known)
                reserved?.commits = try db.numbering(sealedBy: start.key).commits
            }
            guard let reserved else { preconditionFailure("reserved in the transaction") }
            try highWater.write(reserved.mark)
            return TTC(reserved.reserved)
        }
    }

    /// What ends a record also goes to the mark, so that a copy from before is known for one.
    package func commit(_ entry: JournalEntry) throws(StorageFault) {
        try write(entry)
        guard entry.records.contains(where: { !$0.phase.isOpen }) else { return }
        try marking.withLock { _ throws(StorageFault) in
            let numbering = try queue.view("read the numbers") { try $0.numbering(sealedBy: start.key) }
            do throws(StorageFault) {
                try highWater.write(numbering.mark)
            } catch {
                // The entry is on disk, and an older mark is a true one. The next reservation needs the mark, and says why
                // it cannot be written.
            }
        }
    }

    private func write(_ entry: JournalEntry) throws(StorageFault) {
        try commitRows("commit") { writer in
            try writer.db.countCommit()
            for record in entry.records {
                try writer.replace(RowValues(record), in: .sale)
                if record.phase.isPastFuelling { try writer.delete(Int64(record.ttc.number), from: .checkpoint) }
            }
            if let grey = entry.grey { try writer.replace(RowValues(grey), in: .greyRecord) }
            if let totaliser = entry.totaliser { try writer.replace(RowValues(totaliser), in: .totaliser) }
            if let lock = entry.lock { try writer.replace(RowValues(lock), in: .positionLock) }
            if let moment = entry.moment { try writer.db.raiseClockFloor(to: moment) }
        }
    }

    package func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        try commitRows("checkpoint") { try $0.replace(RowValues(checkpoint), in: .checkpoint) }
    }

    package func record(_ ttc: TTC) throws(StorageFault) -> SaleRecord? {
        try row(.sale, Int64(ttc.number), "read a record", SaleRecord.init)
    }

    package func openRecords() throws(StorageFault) -> [SaleRecord] {
        let belief = try believing()
        return try queue.view("read the open records") { db in
            try db.believed(db.rows(of: .sale, Database.openSales), belief, SaleRecord.init).filter(\.phase.isOpen)
        }
    }

    package func lastCheckpoint(of ttc: TTC) throws(StorageFault) -> Checkpoint? {
        try row(.checkpoint, Int64(ttc.number), "read a checkpoint", Checkpoint.init)
    }

    package func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        let belief = try believing()
        return try queue.view("read the grey records") { db in
            let open =
                "WHERE substr(card_asn, 5) = ? AND state NOT IN ('settled', 'void', 'elsewhere') ORDER BY ttc"
            return try db.believed(db.rows(of: .greyRecord, open, [card.number]), belief, GreyRecord.init)
        }
    }

    package func usesPetrolCommands(_ card: ApplicationSerialNumber) throws(StorageFault) -> Bool {
        try queue.view("look for a lock of the card") { db in
            let sql = "SELECT ttc FROM sale WHERE substr(card_asn, 5) = ? AND mac3 IS NOT NULL LIMIT 1"
            return try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [card.number]) != nil
        }
    }

    package func hasPurchase(of card: ApplicationSerialNumber, _ ctc: CTC) throws(StorageFault) -> Bool {
        try queue.view("look for the card's number") { db in
            let sql = """
                SELECT ttc FROM sale WHERE substr(card_asn, 5) = ? AND ctc = ?
                    AND NOT (kind = 'prepaid' AND phase IN ('torn', 'void')) LIMIT 1
                """
            let arguments: StatementArguments = [card.number, ctc.number]
            return try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) != nil
        }
    }

    package func hasDebit(of card: ApplicationSerialNumber, at time: TransactionTime) throws(StorageFault) -> Bool {
        try queue.view("look for the card's debits") { db in
            let sql = """
                SELECT EXISTS (SELECT 1 FROM sale WHERE substr(card_asn, 5) = ?
                    AND (debit_time = ? OR instr(earlier_debits, ?)))
                """
            let text = Hex.string(time.bytes)
            let isFound = try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: [card.number, text, text])
            return isFound ?? false
        }
    }

    package func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try row(.totaliser, Int64(nozzle), "read a totaliser", Totaliser.init)
    }

    package func recordedTotaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        let belief = try believing()
        return try queue.view("read the records' totals") { db in
            let highest = "WHERE totaliser_nozzle = ? ORDER BY totaliser_volume_microlitres DESC, totaliser_fen DESC"
            let row = try db.firstBelieved(of: .sale, highest, [nozzle], belief)
            return try row.map(SaleRecord.init)?.totaliser
        }
    }

    /// A lock that is not believed, and a journal whose state is not, close the position until a technician looks.
    package func lock(of position: Int) throws(StorageFault) -> PositionLock? {
        if let fault = start.stateFault { return PositionLock(position: position, since: .epoch, reason: "\(fault)") }
        do throws(StorageFault) {
            return try row(.positionLock, Int64(position), "read a position's lock", PositionLock.init)
        } catch {
            guard let row = error.row else { throw error }
            return PositionLock(position: position, since: .epoch, reason: "\(row)")
        }
    }

    package func clearLock(of position: Int) throws(StorageFault) {
        try commitRows("clear a position's lock") { try $0.delete(Int64(position), from: .positionLock) }
    }

    package func damagedRows() throws(StorageFault) -> [DamagedRow] {
        var findings = start.findings
        if let further = survey.findings { findings.merge(further) }
        return findings.damaged
    }

    /// A technician has looked at the damaged rows: what is there with a right code counts from the next start on. Rows
    /// with a wrong code stay as they are, and named.
    package func acceptRows() throws(StorageFault) {
        let keys = keys
        let key = start.key
        try queue.commit("accept the rows") { db in
            if let key, let state = try db.journalState(key) {
                try RowWriter.acceptRows(db, key, after: state)
            } else {
                let (key, state) = try keys.newJournal(key)
                try RowWriter.acceptRows(db, key, after: state)
            }
        }
    }

    /// - Throws: `StorageFault` also when the file is damaged anywhere; the first call waits until that is known.
    package func room() throws(StorageFault) -> Int {
        let atStart = try survey.count()
        return try counted.withLock { counted throws(StorageFault) in
            var count = counted ?? atStart
            try queue.view("count the records") { db in
                let new = try db.numbers("SELECT count(*), max(ttc) FROM sale WHERE ttc > ?", [count.lastTTC])
                count.records += Int(new.first.flatMap(\.self) ?? 0)
                count.lastTTC = new.last.flatMap(\.self) ?? count.lastTTC
            }
            counted = count
            return max(0, capacity - count.records)
        }
    }

    package func roomIfCounted() throws(StorageFault) -> Int? { survey.isSound ? try room() : nil }

    // MARK: - Belief

    /// By what a read judges rows now.
    func believing() throws(StorageFault) -> Belief {
        var doubts = doubts.withLock { $0 }
        if let further = survey.findings { doubts.merge(further.doubts) }
        return Belief(key: start.key, doubts: doubts)
    }

    private func row<Value>(
        _ table: JournalTable,
        _ key: Int64,
        _ operation: String,
        _ read: (StoredRow) throws(StorageFault) -> Value
    ) throws(StorageFault) -> Value? {
        let belief = try believing()
        return try queue.view(operation) { try $0.believed(table, key, belief, read) }
    }

    /// One transaction of rows with their codes.
    func commitRows(_ operation: String, _ body: (inout RowWriter) throws -> Void) throws(StorageFault) {
        guard let key = start.key else {
            throw StorageFault(operation: operation, reason: start.stateFault?.description ?? "no key makes its codes")
        }
        let further = survey.findings?.doubts
        try doubts.withLock { doubts throws(StorageFault) in
            var written = doubts
            if let further { written.merge(further) }
            try queue.commit(operation) { db in
                var writer = RowWriter(db, key, written, try db.journalState(key))
                try body(&writer)
                try writer.finish()
                written = writer.doubts
            }
            doubts = written
        }
    }
}

extension TransactionTime {
    /// Of a lock whose own time is not known.
    fileprivate static let epoch = StartCheck.unknownTime
}

extension Configuration {
    /// How long a reader's lock is waited for.
    private static let busySecondsMax = 1.0
    /// SQLite's page cache, beside which it maps nothing into memory.
    private static let cacheKibibytes = 256
    /// Pages of 4 KiB in the `-wal` file after which they move to the main file. A checkpoint is one page, so that a
    /// sale of two to four minutes waits for one move.
    private static let walPagesMax = 256

    /// GRDB's own WAL mode would lower `synchronous` to NORMAL, which does not sync each commit.
    fileprivate static var writer: Configuration {
        var configuration = common
        configuration.prepareDatabase { db in
            try JournalSchema.requireJournal(db, mayBeEmpty: true)
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = \(walPagesMax);
                    PRAGMA journal_size_limit = \(walPagesMax * 4_096);
                    """
            )
            guard try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal" else {
                throw StorageFault(operation: "open", reason: "the file has no write-ahead log")
            }
        }
        return configuration
    }

    /// A second connection of the writing process.
    static var reader: Configuration {
        var configuration = common
        configuration.readonly = true
        configuration.prepareDatabase { db in
            try JournalSchema.requireJournal(db, mayBeEmpty: false)
            try JournalSchema.requirePresentVersion(db)
        }
        return configuration
    }

    /// A connection whose database is the image.
    static func reader(of image: JournalImage) -> Configuration {
        var configuration = common
        configuration.prepareDatabase { db in
            try image.open(in: db)
            try db.execute(sql: "PRAGMA query_only = 1")
            try JournalSchema.requireJournal(db, mayBeEmpty: false)
            try JournalSchema.requirePresentVersion(db)
        }
        return configuration
    }

    private static var common: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busySecondsMax)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -\(cacheKibibytes); PRAGMA mmap_size = 0")
        }
        return configuration
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

/// The index of a `-wal` file on the heap: a memory-mapped one dies by a signal when the disk is full.
///
/// The corresponding C functions are `sqlite3_vfs_find` and `sqlite3_vfs_register`.
private enum HeapIndex {
    /// For every connection of this process from now on.
    static func choose() { _ = isChosen }

    private static let isChosen: Bool = {
        let found = unsafe sqlite3_vfs_find("unix-excl")
        guard let found = unsafe found else { preconditionFailure("SQLite for Unix has it") }
        let code = unsafe sqlite3_vfs_register(found, 1)
        precondition(code == SQLITE_OK, "a file system that was found is registered")
        return true
    }()
}

extension ApplicationSerialNumber {
    /// The sixteen digits by which a card is known (D30), as the columns have them after four more.
    fileprivate var number: String { Hex.string(diversificationFactor) }
}
