import CardCryptography
import Dispenser
import Foundation
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SQLite
import SecurityModule
import TestJournals
import Testing

@testable import Journal

/// Journals of earlier layouts open and keep everything.
struct MigrationTests {
    private let customer = Customer()

    /// A journal as the program of schema 1 left it: a running sale with its checkpoint, a grey record, totals, and a closed
    /// side.
    private func makeSchema1(_ path: String) throws {
        let connection = try Connection(path)
        let gmacs = try [customer.gmac(TTC(1), fen: 90), customer.gmac(TTC(2), fen: 0), customer.gmac(TTC(2), fen: 50)]
            .map { ColumnValue($0.sealed) }
        try connection.write { db in
            try db.execute(Self.schema1)
            try db.execute(
                """
                CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                INSERT INTO grdb_migrations VALUES ('1');
                PRAGMA application_id = 1196182098;
                INSERT INTO totaliser VALUES (5, '[90]', 0, 225000, 177, 2);
                INSERT INTO position_lock VALUES (3, '20280228235900', '11 pulser faults in one sale');
                """
            )
            for (ttc, kind, phase, fen) in [(1, "escape", "escaped", 90), (2, "sale", "locked", 0)] {
                try db.run(
                    """
                    INSERT INTO sale (ttc, kind, phase, position, terminal_id, lock_time, card_asn, key_index, key_version,
                        balance_before_fen, ctc, mac3, nozzle, grade, unit_price_fen_per_litre, counts,
                        volume_microlitres, missed_edges, dead_legs, sequence_gaps, both_together, amount_fen,
                        non_card_part_fen, sealed_gmac)
                    VALUES (?, ?, ?, 3, '001122334455', '20280228235800', '00010000000000000042', 1, 1, 50000, 291,
                        'A1B2C3D4', 5, '92', 785, '[90]', 225000, '[0,0]', '[0,0]', '[0,0]', 0, ?, 0, ?)
                    """,
                    [ColumnValue(ttc), ColumnValue(kind), ColumnValue(phase), ColumnValue(fen), gmacs[ttc - 1]]
                )
            }
            try db.run(
                """
                INSERT INTO grey_record VALUES (1, '00010000000000000042', 1, 1, 291, 'A1B2C3D4', 90, ?, 'open', 1,
                    '10', '20280228235900')
                """,
                [gmacs[0]]
            )
            try db.run(
                """
                INSERT INTO checkpoint VALUES (2, '00010000000000000042', 1, 1, 291, '[64]', 160000, '[0,0]', '[0,0]',
                    '[0,0]', 0, 50, 0, ?)
                """,
                [gmacs[2]]
            )
        }
        connection.close()
    }

    @Test func aJournalOfSchema1OpensAndKeepsEverything() throws {
        let scratch = try Scratch()
        try makeSchema1(scratch.path)
        let refusal = try fault { try JournalReader(path: scratch.path) }
        #expect(refusal?.reason == "an older version wrote the journal: the service must open it once")
        for number: UInt32 in 3...4 {
            let journal = try scratch.open()
            let escape = try #require(try journal.record(RecordNumber(1)))
            #expect(escape.kind == .escape && escape.phase == .escaped && escape.amount == Amount(fen: 90))
            let gmac = try #require(escape.gmac)
            #expect(try customer.module.open(gmac).isValid(try customer.module.open(customer.gmac(TTC(1), fen: 90))))
            #expect(try journal.openRecords().map(\.number) == [RecordNumber(2)])
            let checkpoint = try #require(try journal.lastCheckpoint(of: RecordNumber(2)))
            #expect(checkpoint.amount == Amount(fen: 50) && checkpoint.reading.counts == [64])
            _ = try customer.module.open(checkpoint.gmac)
            let grey = try #require(try journal.openGreyRecords(of: customer.asn).first)
            #expect(grey.number == RecordNumber(1) && grey.gmac.terminal == TerminalID(0x0011_2233_4455))
            #expect(grey.debits.map(\.terminal) == [TerminalID(0x0011_2233_4455)])
            #expect(try journal.totaliser(of: 5)?.counts == [90])
            #expect(try journal.overrun(of: 5)?.counts == 2 && journal.damagedRows() == [])
            #expect(try journal.lock(of: 3)?.reason == "11 pulser faults in one sale")
            #expect(try journal.reserve() == RecordNumber(number))
            #expect(try journal.latestTime()?.local == time(0))
        }
        let journal = try scratch.open()
        #expect(
            try JournalReader(path: scratch.path).records(limit: 9).map(\.number) == [RecordNumber(1), RecordNumber(2)]
        )
        let earlier = try TransactionTime(
            date: CalendarDate(year: 2026, month: 1, day: 1),
            hour: 0,
            minute: 0,
            second: 0
        )
        let accepted = StationTime(utcSeconds: 1_767_225_600, local: earlier)
        try journal.acceptClock(accepted)
        #expect(try journal.latestTime() == accepted)
    }

    /// The first coding of a large journal may take longer than a supervisor waits.
    @Test func theFirstCodingSaysThatItGoesOn() throws {
        let scratch = try Scratch()
        try makeSchema1(scratch.path)
        var signs = 0
        for _ in 0..<2 {
            _ = try SQLiteJournal(path: scratch.path, capacity: 9, key: .demonstration, goesOn: { signs += 1 })
        }
        // Once for each table that has rows; the second opening has nothing to do.
        #expect(signs == 7)
    }

    /// Migrations add tables and columns; what a table had before stands before what was added.
    @Test func schema1IsStillThere() throws {
        let scratch = try Scratch()
        try makeSchema1(scratch.path("old.db"))
        let old = try Connection(scratch.path("old.db"))
        let tables = ["sale", "checkpoint", "grey_record", "totaliser", "position_lock"]
        func columns(_ db: Database, _ table: String) throws -> [String] {
            let sql =
                "SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || pk FROM pragma_table_info(?) ORDER BY cid"
            return try db.rows(sql, [ColumnValue(table)]).compactMap(\.first?.text)
        }
        let before = try old.read { db in try tables.map { try columns(db, $0) } }
        old.close()
        let journal = try scratch.open()
        let now = try journal.connection.read { db in try tables.map { try columns(db, $0) } }
        for (before, now) in zip(before, now) { #expect(now.starts(with: before) && !before.isEmpty) }
    }

    @Test func timesOfAnEarlierVersionAreThoseOfTheBoardsZone() async {
        await #expect(processExitsWith: .success) {
            unsafe setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
            let test = MigrationTests()
            // Computed with `TZ=Europe/Berlin date -d '2026-07-15 12:00:00' +%s`, and so on.
            for (local, utc) in [
                ("20260715120000", 1_784_109_600), ("20260115120000", 1_768_474_800),
                // The hour that autumn repeats: an hour before `date`, which takes its second time. What spring leaves out: by the time before it.
                ("20261025023000", 1_792_888_200), ("20261025033000", 1_792_895_400), ("20260329023000", 1_774_744_200),
            ] {
                let moment = try test.floor(of: ["20260101000000", local, "20251231235959"])
                #expect(moment?.utcSeconds == Int64(utc), "\(local)")
                #expect(moment.map { Hex.string($0.local.bytes) } == local)
            }
        }
    }

    @Test func timesThatAreNoneArePassedOver() throws {
        #expect(
            try floor(of: ["20260101000000", "20269901000000", "x", ""])?.local.description == "2026-01-01 00:00:00"
        )
        #expect(try floor(of: ["20260229000000"])?.local.description == "2020-01-01 00:00:00")
        #expect(try floor(of: []) == nil)
        // A technician's word counts, and what came after it.
        let acceptance = "INSERT INTO clock_acceptance VALUES (2, '20260105000000', '20260701000000')"
        let before = ["20260701000000", "20260601000000"]
        #expect(try floor(of: before, acceptance)?.local.description == "2026-01-05 00:00:00")
        #expect(
            try floor(of: before + ["20260106000000"], acceptance)?.local.description == "2026-01-06 00:00:00"
        )
    }

    /// What a journal of schema 2 with sales at these times makes of them.
    private func floor(of times: [String], _ more: String = "") throws -> StationTime? {
        let scratch = try Scratch()
        try makeSchema1(scratch.path)
        let connection = try Connection(scratch.path)
        try connection.write { db in
            try db.execute(
                """
                CREATE TABLE clock_acceptance (
                    after_ttc INTEGER PRIMARY KEY,
                    accepted TEXT NOT NULL,
                    behind TEXT NOT NULL
                ) STRICT;
                INSERT INTO grdb_migrations VALUES ('2');
                CREATE TEMP TABLE model AS SELECT * FROM sale WHERE ttc = 1;
                DELETE FROM sale;
                \(more)
                """
            )
            for (index, time) in times.enumerated() {
                try db.run(
                    "UPDATE model SET ttc = ?, lock_time = '20200101000000', end_time = NULL, debit_time = NULL",
                    [ColumnValue(index + 1)]
                )
                // Each of the three columns may be the latest.
                let column = ["lock_time", "end_time", "debit_time"][(index + 2) % 3]
                try db.run("UPDATE model SET \(column) = ?", [ColumnValue(time)])
                try db.execute("INSERT INTO sale SELECT * FROM model")
            }
        }
        connection.close()
        return try scratch.open().latestTime()
    }

    private static let schema1 = """
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
