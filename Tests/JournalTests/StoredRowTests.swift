import CardCryptography
import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

/// A value in a column that it may not have, as SQL.
struct Corruption: CustomTestStringConvertible, Sendable {
    let table: String
    let column: String
    let value: String

    init(_ table: String, _ column: String, _ value: String) {
        self.table = table
        self.column = column
        self.value = value
    }

    var testDescription: String { "\(table).\(column) = \(value)" }

    private static let ofReadings = [
        ("counts", "'[]'"), ("counts", "'[1,2'"), ("counts", "'[1, 2]'"), ("counts", "'[1,,2]'"), ("counts", "'[+1]'"),
        ("counts", "'[1,2,3,4,5,6,7,8,9,10,11]'"), ("counts", "'[9223372036854775808]'"), ("counts", "''"),
        ("missed_edges", "'[1]'"), ("dead_legs", "'[1,2,3]'"), ("sequence_gaps", "'{}'"),
        ("further_faults", "'[1,2,3,4,5,6]'"), ("further_faults", "''"), ("further_faults", "'[1,2,3,4,5,6,7,8]'"),
        ("further_faults", "'[1,2,3,4,5,6,7,0,0]'"), ("further_faults", "'[0,0,0,0,0,0,0]'"),
    ]
    private static let ofSeals = [
        ("key_index", "256"), ("key_version", "-1"), ("ctc", "65536"), ("amount_fen", "4294967296"),
        ("sealed_gmac", "zeroblob(31)"), ("lock_ttc", "-1"), ("sealed_gmac", "zeroblob(33)"),
        ("card_asn", "'0001000000000000004A'"),
        ("card_asn", "'000100000000000000'"),
    ]
    private static let ofDebits = [
        ("debit_ttc", "4294967296"), ("debit_ttc", "NULL"), ("debit_type", "'1'"), ("debit_time", "'20280229246000'"),
    ]
    private static let ofSales = [
        ("kind", "'Sale'"), ("phase", "''"), ("terminal_id", "'00112233445'"), ("terminal_id", "'00112233445g'"),
        ("lock_time", "'20270229000000'"), ("lock_time", "'2028022900000A'"), ("end_time", "''"),
        ("balance_before_fen", "-1"), ("mac3", "'A1B2C3'"), ("mac3", "'a1b2c3d4'"), ("lock_tac", "'zz'"),
        ("unit_price_fen_per_litre", "0"), ("unit_price_fen_per_litre", "100000"), ("non_card_part_fen", "-1"),
        ("debit_tac", "'DEB17AC000'"), ("mac4_is_valid", "2"), ("totaliser_nozzle", "NULL"),
        ("totaliser_counts", "'[1;2]'"), ("settles_ttc", "-1"),
        ("mac3", "NULL"), ("sealed_gmac", "NULL"), ("phase", "'torn'"),
    ]

    static let all =
        (ofSales + ofSeals + ofReadings + ofDebits).map { Corruption("sale", $0.0, $0.1) }
        + (ofSeals + ofReadings + [("non_card_part_fen", "-1")]).map { Corruption("checkpoint", $0.0, $0.1) }
        + (ofSeals + ofDebits + [("state", "'opened'"), ("mac3", "''")]).map { Corruption("grey_record", $0.0, $0.1) }
        + [("counts", "'[]'"), ("counts", "'1'")].map { Corruption("totaliser", $0.0, $0.1) }
}

struct StoredRowTests {
    private let customer = Customer()

    @Test(arguments: Corruption.all) func aCorruptValueIsRefusedByName(corruption: Corruption) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(
            JournalEntry(
                try customer.record(8, .debitSent, fen: 9),
                grey: try customer.grey(8, fen: 9),
                totaliser: customer.totaliser(fen: 9)
            )
        )
        try journal.checkpoint(try customer.checkpoint(8, fen: 9))
        try journal.connection.write { db in
            try db.execute("UPDATE \(corruption.table) SET \(corruption.column) = \(corruption.value)")
        }
        let damaged = try JournalReader(path: scratch.path).damagedRows
        let key = corruption.table == "totaliser" ? "nozzle 5" : "record 8"
        #expect(damaged.count == 1)
        let refusal = try #require(damaged.first).description
        // Who has the key sees more: whatever the value is, it is not what was written.
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(
            try reader.damagedRows.map(\.description) == [
                "table \(corruption.table), \(key): it is not what the service wrote: its code is wrong"
            ]
        )
        #expect(try reader.unjudged == nil)
        // Columns that are only there together are named by the first of them.
        let column = corruption.column.hasPrefix("totaliser_nozzle") ? "totaliser_nozzle" : corruption.column
        #expect(refusal.hasPrefix("table \(corruption.table), \(key), column \(column): "), "\(refusal)")
    }

    @Test(
        "values that are right by themselves and together are no record",
        arguments: [
            ("phase = 'ended'", "debit_ttc"), ("phase = 'settled'", "mac4_is_valid"), ("kind = 'escape'", "phase"),
            ("kind = 'local-unlock'", "settles_ttc"), ("kind = 'refund'", "phase"),
            ("kind = 'prepaid', mac3 = NULL", "debit_ttc"), ("sealed_gmac = NULL, lock_ttc = 9", "lock_ttc"),
        ]
    )
    func noRecord(change: String, column: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, .debitSent, fen: 9)))
        // It would find the change in its own words, or not yet.
        _ = try journal.survey.count()
        try journal.connection.write { try $0.execute("UPDATE sale SET \(change)") }
        #expect(try JournalReader(path: scratch.path).damagedRows.map(\.column) == [column])
        // The start of a service names it, and changes nothing.
        #expect(try journal.recover() == journal.damagedRows().map { .damagedRow($0) })
        #expect(try JournalReader(path: scratch.path).damagedRows.map(\.column) == [column])
    }

    @Test(
        "a value that a phase has not is refused by name",
        arguments: [
            (RecordKind.sale, RecordPhase.locked, "debit_tac = '01020304'", "debit_tac"),
            (.sale, .locked, "mac4_is_valid = 1", "mac4_is_valid"), (.sale, .ended, "icc = '01020304'", "icc"),
            (.sale, .debitSent, "mac4_is_valid = 0", "mac4_is_valid"),
            (.sale, .settled, "sealed_gmac = zeroblob(32)", "sealed_gmac"),
            (.sale, .settled, "mac2_is_valid = 1", "mac2_is_valid"),
            (.sale, .settled, "settles_ttc = 1", "settles_ttc"),
            (.prepaid, .torn, "mac2_is_valid = 1", "mac2_is_valid"),
            (.prepaid, .torn, "lock_tac = '01020304'", "lock_tac"),
            (.refund, .settled, "mac3 = '01020304'", "mac3"), (.refund, .settled, "counts = '[1]'", "counts"),
            (.onlineUnlock, .settled, "lock_tac = '01020304'", "lock_tac"),
            (.noCard, .settled, "balance_before_fen = 1", "balance_before_fen"),
            (.noCard, .settled, "amount_fen = 1", "amount_fen"),
            (.test, .settled, "amount_fen = 1", "amount_fen"),
            (.test, .settled, "settles_ttc = 1", "settles_ttc"),
        ]
    )
    func noValueOfThePhase(kind: RecordKind, phase: RecordPhase, change: String, column: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, phase, kind: kind, fen: 9)))
        #expect(try JournalReader(path: scratch.path).damagedRows == [])
        try journal.connection.write { try $0.execute("UPDATE sale SET \(change)") }
        let damaged = try JournalReader(path: scratch.path).damagedRows
        #expect(damaged.map(\.column) == [column])
        #expect(damaged.first?.reason == "is none of a record of kind \(kind.rawValue) in phase \(phase.rawValue)")
    }

    /// Versions until schema 3 wrote a claim's reading by calibration point, and a key's index with fuel that no card pays.
    @Test(
        "what earlier versions wrote otherwise is read",
        arguments: [
            (RecordKind.refund, RecordPhase.settled, "counts = '[0,0,0,0]'"),
            (.onlineUnlock, .settled, "counts = '[0,0]'"),
            (.localUnlock, .debitSent, "counts = '[0]'"), (.noCard, .flowing, "key_index = 3"),
            (.sale, .ended, "non_card_part_fen = 7"),
        ]
    )
    func earlierForm(kind: RecordKind, phase: RecordPhase, change: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(8, phase, kind: kind, fen: 9)
        try journal.commit(JournalEntry(record))
        try journal.connection.write { try $0.execute("UPDATE sale SET \(change)") }
        let reader = try JournalReader(path: scratch.path)
        #expect(try reader.damagedRows == [] && reader.record(RecordNumber(8)) == record)
    }

    @Test func aPhaseThatIsNoneIsNotTakenForAFinishedOne() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, .locked), grey: try customer.grey(8, fen: 0)))
        try journal.connection.write { db in
            try db.execute("UPDATE sale SET phase = 'lockee'; UPDATE grey_record SET state = 'opem'")
        }
        let rows = try JournalReader(path: scratch.path).damagedRows
        #expect(rows.map(\.column) == ["phase", "state"] && rows.first?.isOpen == true)
        #expect(try journal.openRecords() == [] && journal.openGreyRecords(of: customer.asn) == [])
    }

    @Test func aKeyBeyondTheLastTTCIsRefused() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, .locked)))
        try journal.connection.write { try $0.execute("UPDATE sale SET ttc = 4294967296") }
        let reason = "table sale, record 4294967296, column ttc: is out of range: 4294967296"
        #expect(try JournalReader(path: scratch.path).damagedRows.map(\.description) == [reason])
        #expect(try journal.reserve() == RecordNumber(9))
        try journal.connection.write { try $0.execute("UPDATE sale SET ttc = 9223372036854775807") }
        #expect(try journal.reserve() == RecordNumber(10))
    }

    @Test func theWrongTypeIsRefusedByTheTableItself() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, .locked)))
        for change in ["amount_fen = 'x'", "amount_fen = 1.5", "kind = NULL", "sealed_gmac = 'text'"] {
            #expect(throws: DatabaseError.self) {
                try journal.connection.write { try $0.execute("UPDATE sale SET \(change)") }
            }
        }
    }

    @Test func aMissingColumnIsRefusedByName() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(8, .locked)))
        try journal.connection.write { try $0.execute("ALTER TABLE sale DROP COLUMN remark") }
        let refusal = try fault { try journal.record(RecordNumber(8)) }
        #expect(refusal?.reason == "table sale, record 8, column remark: is missing")
    }

    /// Whoever takes the storage card of a board finds no GMAC on it.
    @Test func aGMACIsNowhereInClear() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(1, .ended, fen: 31_415)
        let gmac = try customer.module.open(try #require(record.gmac)).bytes
        try journal.commit(JournalEntry(record, grey: try customer.grey(1, fen: 31_415)))
        try journal.checkpoint(try customer.checkpoint(1, fen: 31_415))
        let hex = gmac.map { String($0, radix: 16) }.joined()
        for suffix in ["", "-wal", "-mark"] {
            let file = try Data(contentsOf: URL(filePath: scratch.path + suffix))
            #expect(file.range(of: Data(gmac)) == nil, "\(suffix)")
            #expect(file.range(of: Data(hex.utf8)) == nil && file.range(of: Data(hex.uppercased().utf8)) == nil)
        }
        // The same search finds what is there.
        let log = try Data(contentsOf: URL(filePath: scratch.path + "-wal"))
        #expect(log.range(of: Data(try #require(record.gmac).sealed)) != nil)
    }
}
