import GRDB
private import GRDBSQLite
import Records

extension Configuration {
    /// How long a reader's lock is waited for.
    private static let busySecondsMax = 1.0
    /// SQLite's page cache, beside which it maps nothing into memory.
    private static let cacheKibibytes = 256
    /// Pages of 4 KiB in the `-wal` file after which they move to the main file. A checkpoint is one page, so that a
    /// sale of two to four minutes waits for one move.
    private static let walPagesMax = 256

    /// GRDB's own WAL mode would lower `synchronous` to NORMAL, which does not sync each commit.
    static var writer: Configuration {
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

/// The index of a `-wal` file on the heap: a memory-mapped one dies by a signal when the disk is full.
///
/// The corresponding C functions are `sqlite3_vfs_find` and `sqlite3_vfs_register`.
enum HeapIndex {
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
