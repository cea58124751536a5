import FuelPassbook
import Quantities
import Records
import SQLite

/// The journal's layout on disk.
///
/// Card numbers, terminal ids and codes are upper-case hexadecimal text, times the 14 digits `YYYYMMDDhhmmss`, lists
/// JSON arrays of integers: `counts` by calibration point, the pulser's faults by channel A and B. GMACs are sealed;
/// what a seal is bound to stands in the columns of its row. Any tool that reads SQLite can read the rest. A row that
/// any tool wrote has no right `code` (decision record 0017).
enum JournalSchema {
    /// "GLJR" in the file's header.
    static let applicationID: Int64 = 0x474C_4A52

    static let migrations = JournalMigrations([
        JournalMigration("1") { db in
            try db.execute(version1)
            try db.execute("PRAGMA application_id = \(applicationID)")
        },
        JournalMigration("2") { try $0.execute(version2) },
        JournalMigration("3") { db in
            try db.execute(version3)
            try db.keepClockFloor()
            for table in codedInVersion3 {
                try db.execute("ALTER TABLE \(table) ADD COLUMN code BLOB")
            }
        },
        JournalMigration("4") { try $0.execute(version4) },
        JournalMigration("5") { try $0.execute(version5) },
        JournalMigration("6") { try $0.execute(version6) },
        // The sealed state tells how far the keys had been changed: an earlier version would not read it.
        JournalMigration("7") { _ in },
        JournalMigration("8") { try $0.execute(version8) },
        JournalMigration("9") { try $0.execute(version9) },
        JournalMigration("10") { try $0.execute(version10) },
        JournalMigration("11") { try $0.execute(version11) },
    ])

    /// - Throws: `StorageFault` for a database of something else, of a newer version, or with other tables than a journal
    ///   has, before anything is written.
    static func requireJournal(_ db: Database, mayBeEmpty: Bool) throws {
        let id = try db.value("PRAGMA application_id")?.integer
        let isNew = try id == 0 && isEmpty(db)
        guard id == applicationID || isNew else {
            throw StorageFault(operation: "open", reason: "the database is not a journal")
        }
        try JournalLayout.requireTables(db)
        guard !isNew else {
            if mayBeEmpty { return }
            throw StorageFault(operation: "open", reason: "the journal is empty: \(neverOpened)")
        }
        if let unknown = try migrations.unknown(in: db) {
            throw StorageFault(
                operation: "open",
                reason: "\(StorageFault.newerVersion): its migrations name \(unknown.printable)"
            )
        }
        try JournalLayout(db).require(mayBeOlder: true)
    }

    /// - Throws: `StorageFault` for a journal that an older version wrote and no writer has opened since.
    static func requirePresentVersion(_ db: Database) throws {
        let layout = try JournalLayout(db)
        guard try migrations.areDone(in: db) else {
            let isUnused = try !layout.isNewest && db.value("SELECT 1 FROM sale LIMIT 1") == nil
            throw StorageFault(
                operation: "open",
                reason: isUnused
                    ? "the journal has no record: \(neverOpened)"
                    : "an older version wrote the journal: the service must open it once"
            )
        }
        try layout.require(mayBeOlder: false)
    }

    private static let neverOpened =
        "its first opening did not end, as on a full disk. Make room, and let the service open it once"

    /// The list of migrations is under no code. What the tables show to be done is done, whatever stands in it.
    static func mendList(_ db: Database) throws {
        let count = try JournalLayout(db).steps ?? 0
        try migrations.enter(first: count, in: db)
    }

    /// A power cut can leave the list of migrations without the first one.
    private static func isEmpty(_ db: Database) throws -> Bool {
        try db.value(
            "SELECT 1 FROM sqlite_schema WHERE tbl_name != ? LIMIT 1",
            [ColumnValue(JournalMigrations.listName)]
        ) == nil
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

    /// The overrun is no total, and stands apart. The columns that it had keep 0: without them a row would have another code.
    private static let version6 = """
        CREATE TABLE overrun (
            nozzle INTEGER PRIMARY KEY,
            counts INTEGER NOT NULL,
            code BLOB
        ) STRICT;
        """

    /// What each valve has shown, by rate band, -1 in a band without anything; NULL where nothing is learnt. `counts` is what was
    /// learnt before, of both valves.
    private static let version8 = """
        ALTER TABLE overrun ADD COLUMN main_microseconds TEXT;
        ALTER TABLE overrun ADD COLUMN slow_microseconds TEXT;
        ALTER TABLE overrun ADD COLUMN change_over_microseconds TEXT;
        """

    /// A record's number is the journal's own: `ttc` holds it, and `lock_ttc` the module's number of the lock that the sealed GMAC
    /// is bound to, where that is another one.
    private static let version5 = """
        ALTER TABLE sale ADD COLUMN lock_ttc INTEGER;
        ALTER TABLE checkpoint ADD COLUMN lock_ttc INTEGER;
        """

    /// A grey record is whole, so that one of another terminal can stand here: `lock_ttc` is the lock's where it is not the row's,
    /// `imported` when it came from another terminal.
    private static let version4 = """
        ALTER TABLE grey_record ADD COLUMN lock_ttc INTEGER;
        ALTER TABLE grey_record ADD COLUMN balance_before_fen INTEGER;
        ALTER TABLE grey_record ADD COLUMN imported TEXT;
        """

    private static let codedInVersion3 = [
        "sale", "checkpoint", "grey_record", "totaliser", "position_lock", "clock_acceptance", "clock_floor",
        "numbering", "journal_acceptance", "service_run",
    ]

    /// The terminal of a seal and of each debit, all debits whose answers were not seen, and cards found by the right eight
    /// bytes of their numbers (spec/grey-lock.md, D28 and D30). What earlier versions wrote is of the sale's own terminal.
    ///
    /// `further_faults`, NULL when there is none of it: what time shows of the pulser's signals, what flowed back, and what
    /// the other inputs' numbers show as lost, as a list: silent edges of A and of B, gaps in the flow, edges too fast of A
    /// and of B, reversals, lost edges of the nozzle and emergency lines.
    ///
    /// `numbering` has one row. `identity` names this copy of the journal in its mark, `reserved` is the highest number that
    /// was reserved. `journal_acceptance` is a technician's word that the journal is to be used although it was not known
    /// to be the newest: it went on after `after_ttc`. A row of `service_run` is a run of the service; from
    /// `uncounted_since` until it had `begun`, nobody counted. `ended` is until when it counted, of one that was killed
    /// (`has_ended` 0) what the next start found.
    ///
    /// `journal_state`, twice the same and sealed: which journal it is, how often something was committed, and what its rows
    /// add up to. Empty until the rows have their codes. A migration after this one adds columns that may be NULL, or
    /// tables: a row that has no value in a new column keeps its code.
    private static let version3 = """
        ALTER TABLE sale ADD COLUMN debit_terminal_id TEXT;
        ALTER TABLE sale ADD COLUMN earlier_debits TEXT;
        UPDATE sale SET debit_terminal_id = terminal_id WHERE debit_ttc IS NOT NULL;
        ALTER TABLE checkpoint ADD COLUMN terminal_id TEXT;
        UPDATE checkpoint SET terminal_id = (SELECT terminal_id FROM sale WHERE sale.ttc = checkpoint.ttc);
        ALTER TABLE grey_record ADD COLUMN terminal_id TEXT;
        ALTER TABLE grey_record ADD COLUMN debit_terminal_id TEXT;
        ALTER TABLE grey_record ADD COLUMN earlier_debits TEXT;
        UPDATE grey_record SET terminal_id = (SELECT terminal_id FROM sale WHERE sale.ttc = grey_record.ttc);
        UPDATE grey_record SET debit_terminal_id = terminal_id WHERE debit_ttc IS NOT NULL;
        DROP INDEX grey_record_open;
        CREATE INDEX grey_record_open ON grey_record (substr(card_asn, 5), ttc)
            WHERE state NOT IN ('settled', 'void', 'elsewhere');
        CREATE INDEX sale_card ON sale (substr(card_asn, 5), ctc);

        ALTER TABLE sale ADD COLUMN further_faults TEXT;
        ALTER TABLE checkpoint ADD COLUMN further_faults TEXT;

        CREATE TABLE numbering (
            journal INTEGER PRIMARY KEY CHECK (journal = 1),
            identity TEXT NOT NULL,
            reserved INTEGER NOT NULL,
            is_marked INTEGER NOT NULL
        ) STRICT;
        INSERT INTO numbering SELECT 1, hex(randomblob(16)), coalesce(max(ttc), 0), 0 FROM sale;

        CREATE TABLE journal_acceptance (
            number INTEGER PRIMARY KEY,
            accepted TEXT,
            reason TEXT NOT NULL,
            standing TEXT NOT NULL,
            reserved INTEGER NOT NULL,
            after_ttc INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE service_run (
            run INTEGER PRIMARY KEY,
            begun TEXT,
            follows_unclean_end INTEGER NOT NULL,
            uncounted_since TEXT,
            ended TEXT,
            has_ended INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE journal_state (
            id INTEGER PRIMARY KEY,
            identity BLOB NOT NULL,
            key_index INTEGER NOT NULL,
            key_version INTEGER NOT NULL,
            commits INTEGER NOT NULL,
            sealed BLOB NOT NULL
        ) STRICT;
        INSERT INTO journal_state VALUES (1, x'', 0, 0, 0, x''), (2, x'', 0, 0, 0, x'');
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
