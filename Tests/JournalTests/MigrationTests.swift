import CardCryptography
import Dispenser
import Foundation
import FuelPassbook
import GRDB
import ISO7816
import Metering
import SecurityModule
import Testing

@testable import Journal

/// Journals of earlier layouts open and keep everything.
struct MigrationTests {
    private let customer = Customer()

    /// A journal as the program of schema 1 left it: a running sale with its checkpoint, a grey record, totals, and a closed
    /// position.
    private func makeSchema1(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        let gmacs = try [customer.gmac(TTC(1), fen: 90), customer.gmac(TTC(2), fen: 0), customer.gmac(TTC(2), fen: 50)]
            .map { Data($0.sealed) }
        try queue.write { db in
            try db.execute(sql: Self.schema1)
            try db.execute(
                sql: """
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations VALUES ('1');
                    PRAGMA application_id = 1196182098;
                    INSERT INTO totaliser VALUES (5, '[90]', 0, 225000, 177, 2);
                    INSERT INTO position_lock VALUES (3, '20280228235900', '11 pulser faults in one sale');
                    """
            )
            for (ttc, kind, phase, fen) in [(1, "escape", "escaped", 90), (2, "sale", "locked", 0)] {
                try db.execute(
                    sql: """
                        INSERT INTO sale (ttc, kind, phase, position, terminal_id, lock_time, card_asn, key_index, key_version,
                            balance_before_fen, ctc, mac3, nozzle, grade, unit_price_fen_per_litre, counts,
                            volume_microlitres, missed_edges, dead_legs, sequence_gaps, both_together, amount_fen,
                            non_card_part_fen, sealed_gmac)
                        VALUES (?, ?, ?, 3, '001122334455', '20280228235800', '00010000000000000042', 1, 1, 50000, 291,
                            'A1B2C3D4', 5, '92', 785, '[90]', 225000, '[0,0]', '[0,0]', '[0,0]', 0, ?, 0, ?)
                        """,
                    arguments: [ttc, kind, phase, fen, gmacs[ttc - 1]]
                )
            }
            try db.execute(
                sql: """
                    INSERT INTO grey_record VALUES (1, '00010000000000000042', 1, 1, 291, 'A1B2C3D4', 90, ?, 'open', NULL,
                        NULL, NULL)
                    """,
                arguments: [gmacs[0]]
            )
            try db.execute(
                sql: """
                    INSERT INTO checkpoint VALUES (2, '00010000000000000042', 1, 1, 291, '[64]', 160000, '[0,0]', '[0,0]',
                        '[0,0]', 0, 50, 0, ?)
                    """,
                arguments: [gmacs[2]]
            )
        }
        try queue.close()
    }

    @Test func aJournalOfSchema1OpensAndKeepsEverything() throws {
        let scratch = try Scratch()
        try makeSchema1(scratch.path)
        let refusal = try fault { try JournalReader(path: scratch.path) }
        #expect(refusal?.reason == "an older version wrote the journal: the service must open it once")
        for _ in 0..<2 {
            let journal = try scratch.open()
            let escape = try #require(try journal.record(TTC(1)))
            #expect(escape.kind == .escape && escape.phase == .escaped && escape.amount == Amount(fen: 90))
            let gmac = try #require(escape.gmac)
            #expect(try customer.module.open(gmac).isValid(try customer.module.open(customer.gmac(TTC(1), fen: 90))))
            #expect(try journal.openRecords().map(\.ttc) == [TTC(2)])
            let checkpoint = try #require(try journal.lastCheckpoint(of: TTC(2)))
            #expect(checkpoint.amount == Amount(fen: 50) && checkpoint.reading.counts == [64])
            _ = try customer.module.open(checkpoint.gmac)
            #expect(try journal.openGreyRecords(of: customer.asn).map(\.ttc) == [TTC(1)])
            #expect(try journal.totaliser(of: 5)?.counts == [90])
            #expect(try journal.lock(of: 3)?.reason == "11 pulser faults in one sale")
            #expect(try journal.nextTTC() == TTC(3))
            #expect(try journal.latestTime() == time(0))
        }
        let journal = try scratch.open()
        #expect(try JournalReader(path: scratch.path).records(limit: 9).map(\.ttc) == [TTC(1), TTC(2)])
        let earlier = try TransactionTime(
            date: CalendarDate(year: 2026, month: 1, day: 1),
            hour: 0,
            minute: 0,
            second: 0
        )
        try journal.acceptClock(earlier)
        #expect(try journal.latestTime() == earlier)
    }

    /// The migration adds one table, and changes no other.
    @Test func schema1IsAsItWas() throws {
        let scratch = try Scratch()
        try makeSchema1(scratch.path("old.db"))
        let old = try DatabaseQueue(path: scratch.path("old.db"))
        let sql = "SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'grdb%' AND sql IS NOT NULL ORDER BY name"
        let before = try old.read { try String.fetchAll($0, sql: sql) }
        try old.close()
        let journal = try scratch.open()
        let now = try journal.queue.read { try String.fetchAll($0, sql: sql) }
        #expect(now.filter { !$0.contains("clock_acceptance") } == before)
        #expect(now.count == before.count + 1)
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
