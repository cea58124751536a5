import Records
import SQLite

extension Connection {
    /// How long a reader's lock is waited for.
    private static let busyMillisecondsMax: Int32 = 1_000
    /// SQLite's page cache, beside which it maps nothing into memory.
    private static let cacheKibibytes = 256
    /// Pages of 4 KiB in the `-wal` file after which they move to the main file. A checkpoint is one page, so that a
    /// sale of two to four minutes waits for one move.
    private static let walPagesMax = 256

    /// FULL syncs the log at each commit; NORMAL would not.
    static func writer(_ path: String) throws -> Connection {
        try Connection(path, .create) { db in
            try prepare(db)
            try JournalSchema.requireJournal(db, mayBeEmpty: true)
            try db.execute(
                """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA wal_autocheckpoint = \(walPagesMax);
                PRAGMA journal_size_limit = \(walPagesMax * 4_096);
                """
            )
            guard try db.value("PRAGMA journal_mode")?.text == "wal" else {
                throw StorageFault(operation: "open", reason: "the file has no write-ahead log")
            }
        }
    }

    /// A second connection of the writing process.
    static func reader(_ path: String) throws -> Connection {
        try Connection(path, .readOnly) { db in
            try prepare(db)
            try JournalSchema.requireJournal(db, mayBeEmpty: false)
            try JournalSchema.requirePresentVersion(db)
        }
    }

    /// A connection whose database is the image.
    static func reader(of image: JournalImage) throws -> Connection {
        try Connection(":memory:") { db in
            try prepare(db)
            try image.open(in: db)
            try db.execute("PRAGMA query_only = 1")
            try JournalSchema.requireJournal(db, mayBeEmpty: false)
            try JournalSchema.requirePresentVersion(db)
        }
    }

    private static func prepare(_ db: Database) throws(DatabaseError) {
        db.waitForLocks(milliseconds: busyMillisecondsMax)
        try db.execute("PRAGMA cache_size = -\(cacheKibibytes); PRAGMA mmap_size = 0")
    }
}
