import Dispenser
import GRDB

/// A table whose rows are replaced by key.
struct JournalTable: Sendable {
    let name: String
    let key: String
    /// The key's name in a fault.
    let keyName: String
    /// Columns by which a row is known to belong to the same sale; they never change.
    let fixed: [String]

    static let sale = JournalTable(
        name: "sale",
        key: "ttc",
        keyName: "TTC",
        fixed: ["position", "terminal_id", "lock_time", "card_asn"]
    )
    static let checkpoint = JournalTable(name: "checkpoint", key: "ttc", keyName: "TTC", fixed: [])
    static let greyRecord = JournalTable(name: "grey_record", key: "ttc", keyName: "TTC", fixed: ["card_asn", "mac3"])
    static let totaliser = JournalTable(name: "totaliser", key: "nozzle", keyName: "nozzle", fixed: [])
    static let positionLock = JournalTable(name: "position_lock", key: "position", keyName: "position", fixed: [])
    static let clockAcceptance = JournalTable(name: "clock_acceptance", key: "after_ttc", keyName: "TTC", fixed: [])
}

/// The journal's layout on disk.
///
/// Card numbers, terminal ids and codes are upper-case hexadecimal text, times the 14 digits `YYYYMMDDhhmmss`, lists
/// JSON arrays of integers: `counts` by calibration point, the pulser's faults by channel A and B. GMACs are sealed;
/// what a seal is bound to stands in the columns of its row. Any tool that reads SQLite can read the rest.
enum JournalSchema {
    /// "GLJR" in the file's header.
    static let applicationID: Int64 = 0x474C_4A52

    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version1)
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        }
        migrator.registerMigration("2", foreignKeyChecks: .immediate) { try $0.execute(sql: version2) }
        return migrator
    }()

    /// - Throws: `StorageFault` for a database of something else or of a newer version, before anything is written.
    static func requireJournal(_ db: Database, mayBeEmpty: Bool) throws {
        let id = try Int64.fetchOne(db, sql: "PRAGMA application_id")
        if mayBeEmpty, id == 0, try isEmpty(db) { return }
        guard id == applicationID else {
            throw StorageFault(operation: "open", reason: "the database is not a journal")
        }
        guard try !migrator.hasBeenSuperseded(db) else {
            throw StorageFault(operation: "open", reason: "a newer version of this program wrote the journal")
        }
    }

    /// - Throws: `StorageFault` for a journal that an older version wrote and no writer has opened since.
    static func requirePresentVersion(_ db: Database) throws {
        guard try migrator.hasCompletedMigrations(db) else {
            throw StorageFault(
                operation: "open",
                reason: "an older version wrote the journal: the service must open it once"
            )
        }
    }

    /// A power cut can leave the list of migrations without the first one.
    private static func isEmpty(_ db: Database) throws -> Bool {
        let others = "SELECT count(*) FROM sqlite_schema WHERE tbl_name != 'grdb_migrations'"
        return try Int64.fetchOne(db, sql: others) == 0
    }

    /// A technician's word that the clock was right at `accepted`, although records up to `after_ttc` were as late as
    /// `behind`.
    private static let version2 = """
        CREATE TABLE clock_acceptance (
            after_ttc INTEGER PRIMARY KEY,
            accepted TEXT NOT NULL,
            behind TEXT NOT NULL
        ) STRICT;
        """

    private static let version1 = """
        CREATE TABLE sale (
            ttc INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            phase TEXT NOT NULL,
            position INTEGER NOT NULL,
            terminal_id TEXT NOT NULL,
            lock_time TEXT NOT NULL,
            end_time TEXT,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            balance_before_fen INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            mac3 TEXT,
            lock_tac TEXT,
            icc TEXT,
            nozzle INTEGER NOT NULL,
            grade TEXT NOT NULL,
            unit_price_fen_per_litre INTEGER NOT NULL,
            counts TEXT NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            missed_edges TEXT NOT NULL,
            dead_legs TEXT NOT NULL,
            sequence_gaps TEXT NOT NULL,
            both_together INTEGER NOT NULL,
            amount_fen INTEGER NOT NULL,
            non_card_part_fen INTEGER NOT NULL,
            sealed_gmac BLOB,
            debit_ttc INTEGER,
            debit_type TEXT,
            debit_time TEXT,
            debit_tac TEXT,
            mac4_is_valid INTEGER,
            mac2_is_valid INTEGER,
            totaliser_nozzle INTEGER,
            totaliser_counts TEXT,
            totaliser_base_microlitres INTEGER,
            totaliser_volume_microlitres INTEGER,
            totaliser_fen INTEGER,
            totaliser_overrun_counts INTEGER,
            settles_ttc INTEGER,
            remark TEXT
        ) STRICT;
        CREATE INDEX sale_open ON sale (ttc) WHERE phase NOT IN ('settled', 'escaped', 'void');
        CREATE INDEX sale_lock_time ON sale (lock_time);
        CREATE INDEX sale_end_time ON sale (end_time) WHERE end_time IS NOT NULL;
        CREATE INDEX sale_debit_time ON sale (debit_time) WHERE debit_time IS NOT NULL;

        CREATE TABLE position_lock (
            position INTEGER PRIMARY KEY,
            since TEXT NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;

        CREATE TABLE checkpoint (
            ttc INTEGER PRIMARY KEY,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            counts TEXT NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            missed_edges TEXT NOT NULL,
            dead_legs TEXT NOT NULL,
            sequence_gaps TEXT NOT NULL,
            both_together INTEGER NOT NULL,
            amount_fen INTEGER NOT NULL,
            non_card_part_fen INTEGER NOT NULL,
            sealed_gmac BLOB NOT NULL
        ) STRICT;

        CREATE TABLE grey_record (
            ttc INTEGER PRIMARY KEY,
            card_asn TEXT NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            ctc INTEGER NOT NULL,
            mac3 TEXT NOT NULL,
            amount_fen INTEGER NOT NULL,
            sealed_gmac BLOB NOT NULL,
            state TEXT NOT NULL,
            debit_ttc INTEGER,
            debit_type TEXT,
            debit_time TEXT
        ) STRICT;
        CREATE INDEX grey_record_open ON grey_record (card_asn, ttc)
            WHERE state NOT IN ('settled', 'void', 'elsewhere');

        CREATE TABLE totaliser (
            nozzle INTEGER PRIMARY KEY,
            counts TEXT NOT NULL,
            base_microlitres INTEGER NOT NULL,
            volume_microlitres INTEGER NOT NULL,
            fen INTEGER NOT NULL,
            overrun_counts INTEGER NOT NULL
        ) STRICT;
        """
}
