package import Dispenser
package import FuelPassbook
import GRDB
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
// - One process writes (``JournalLock``); any number read at the same time.
// - A record that is ended or later has no checkpoint.
// - A row of a TTC never changes its card, terminal, position or lock time.
// - No row of the sale table is deleted, and a new one has the highest TTC: ``SQLiteJournal/room()`` counts on.

/// The terminal's records in an SQLite file. Calls block until they are on disk; any thread may call.
package final class SQLiteJournal: SaleJournal, Sendable {
    let queue: DatabaseQueue
    private let capacity: Int
    private let lock: JournalLock
    private let survey: JournalSurvey
    /// nil until ``room()`` is asked for the first time.
    private let counted = Mutex<JournalSurvey.Count?>(nil)

    /// Opens the journal, or creates it with mode 0600. The file is checked while the journal is in use already: see
    /// ``damage`` and ``room()``.
    ///
    /// - Parameters:
    ///   - capacity: how many records ``room()`` counts down from.
    ///   - damageFound: called once from another thread when ``damage`` is found.
    /// - Throws: `StorageFault` when another process writes this journal, when the file cannot be opened for writing,
    ///   is damaged where opening reads it, is no journal or one of a newer version.
    package init(
        path: String,
        capacity: Int,
        damageFound: @escaping @Sendable () -> Void = {}
    ) throws(StorageFault) {
        precondition(capacity > 0)
        self.capacity = capacity
        lock = try JournalLock(path: path)
        try JournalFile.create(path)
        try JournalFile.requireAccess(path, writing: true)
        do {
            queue = try DatabaseQueue(path: path, configuration: .writer)
            try JournalSchema.migrator.migrate(queue)
            survey = try JournalSurvey(path: path, damageFound: damageFound)
        } catch {
            throw StorageFault("open", error)
        }
    }

    /// Before `queue` is closed, so that the last connection of all is the one that may empty the `-wal` file.
    deinit { survey.end() }

    /// What the check of the whole file found; nil while it goes on, and of a sound file.
    package var damage: StorageFault? { survey.fault }

    package func nextTTC() throws(StorageFault) -> TTC {
        try queue.view("read the last TTC") { db in
            let sql = "SELECT max(ttc) FROM sale"
            guard let last = try Int64.fetchOne(db.cachedStatement(sql: sql)) else { return TTC(1) }
            guard let number = UInt32(exactly: last), number < .max else {
                throw StorageFault(operation: "read the last TTC", reason: "no TTC follows \(last)")
            }
            return TTC(number + 1)
        }
    }

    package func commit(_ entry: JournalEntry) throws(StorageFault) {
        try queue.commit("commit") { db in
            for record in entry.records {
                try db.replace(record)
                guard record.phase.isPastFuelling else { continue }
                let sql = "DELETE FROM checkpoint WHERE ttc = ?"
                try db.cachedStatement(sql: sql).execute(arguments: [record.ttc.number])
            }
            if let grey = entry.grey { try db.replace(grey) }
            if let totaliser = entry.totaliser { try db.replace(totaliser) }
            if let lock = entry.lock { try db.replace(lock) }
        }
    }

    package func checkpoint(_ checkpoint: Checkpoint) throws(StorageFault) {
        try queue.commit("checkpoint") { try $0.replace(checkpoint) }
    }

    package func record(_ ttc: TTC) throws(StorageFault) -> SaleRecord? {
        try queue.view("read a record") { db in
            try db.rows(of: .sale, "WHERE ttc = ?", [ttc.number]).first.map(SaleRecord.init)
        }
    }

    package func openRecords() throws(StorageFault) -> [SaleRecord] {
        try queue.view("read the open records") { try $0.openRecords() }
    }

    package func lastCheckpoint(of ttc: TTC) throws(StorageFault) -> Checkpoint? {
        try queue.view("read a checkpoint") { db in
            try db.rows(of: .checkpoint, "WHERE ttc = ?", [ttc.number]).first.map(Checkpoint.init)
        }
    }

    package func openGreyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        try queue.view("read the grey records") { db in
            let open = "WHERE card_asn = ? AND state NOT IN ('settled', 'void', 'elsewhere') ORDER BY ttc"
            return try db.rows(of: .greyRecord, open, [card.description]).map(GreyRecord.init)
        }
    }

    package func totaliser(of nozzle: Int) throws(StorageFault) -> Totaliser? {
        try queue.view("read a totaliser") { db in
            try db.rows(of: .totaliser, "WHERE nozzle = ?", [nozzle]).first.map(Totaliser.init)
        }
    }

    package func lock(of position: Int) throws(StorageFault) -> PositionLock? {
        try queue.view("read a position's lock") { db in
            try db.rows(of: .positionLock, "WHERE position = ?", [position]).first.map(PositionLock.init)
        }
    }

    package func clearLock(of position: Int) throws(StorageFault) {
        try queue.commit("clear a position's lock") { db in
            try db.cachedStatement(sql: "DELETE FROM position_lock WHERE position = ?").execute(arguments: [position])
        }
    }

    /// - Throws: `StorageFault` also when the file is damaged anywhere; the first call waits until that is known.
    package func room() throws(StorageFault) -> Int {
        let atStart = try survey.count()
        return try counted.withLock { counted throws(StorageFault) in
            var count = counted ?? atStart
            try queue.view("count the records") { db in
                let sql = "SELECT count(*), max(ttc) FROM sale WHERE ttc > ?"
                let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [count.lastTTC])
                guard let row else { preconditionFailure("an aggregate has a row") }
                count.records += row[0]
                count.lastTTC = row[1] ?? count.lastTTC
            }
            counted = count
            return max(0, capacity - count.records)
        }
    }

    package func roomIfCounted() throws(StorageFault) -> Int? { survey.isSound ? try room() : nil }
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
                throw StorageFault(operation: "open", reason: "the file system has no shared memory for WAL mode")
            }
        }
        return configuration
    }

    static var reader: Configuration {
        var configuration = common
        configuration.readonly = true
        configuration.prepareDatabase { db in
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
