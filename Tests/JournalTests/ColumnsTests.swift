import CardCryptography
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

extension TableRow {
    /// What a statement that made the newest table at once would say.
    fileprivate static var createTable: String {
        let lines = columns.all.definitions.map { column in
            let isKey = column.name == columns.table.key
            return "\(column.name) \(column.type.rawValue)"
                + (isKey ? " PRIMARY KEY" : column.mayBeNull ? "" : " NOT NULL")
        }
        let code = "\(JournalTable.codeColumn) BLOB"
        return "CREATE TABLE \(columns.table.name) (\((lines + [code]).joined(separator: ", "))) STRICT"
    }

    /// The row of the same value, and what its code is over.
    fileprivate static func bytesRewritten(_ row: StoredRow) throws -> [UInt8] {
        try columns.layout.bytes(columns.cells(of: Self(row)))
    }
}

/// Each table's columns are said once, and are what the migrations have made.
struct ColumnsTests {
    private static let tables = JournalTable.coded.map(\.name)
    /// Without those in which the journal of schema 3 has no row.
    private static let filled = tables.filter {
        ![
            "position_lock", "clock_acceptance", "journal_acceptance", "overrun", "pulser_fault", "lock_clearing",
            "price_change", "totals_difference", "parameter_mark", "position_block", "station_order", "price_order",
            "acknowledgement",
        ].contains($0)
    }

    private func rows(_ table: String) throws -> any TableRow.Type {
        try #require(JournalTable.coded.first { $0.name == table }?.rows)
    }

    private func columns(_ db: Database, _ table: String) throws -> Set<[String]> {
        let sql = "SELECT name, type, CAST(\"notnull\" AS TEXT), CAST(pk AS TEXT) FROM pragma_table_info(?)"
        return Set(try db.rows(sql, [ColumnValue(table)]).map { $0.compactMap(\.text) })
    }

    @Test("the list of a table's columns agrees with its migrations", arguments: tables)
    func agree(table: String) throws {
        let listed = try Connection(":memory:")
        let migrated = try Connection(":memory:")
        try listed.write { [createTable = try rows(table).createTable] in try $0.execute(createTable) }
        try JournalSchema.migrations.migrate(migrated)
        let made = try migrated.read { try columns($0, table) }
        #expect(try listed.read { try columns($0, table) } == made)
        #expect(made.count > 2)
    }

    @Test("a row of an earlier version is written as it was", arguments: filled)
    func rewritten(table: String) throws {
        let connection = try Connection(":memory:")
        try connection.write { try $0.execute(PreviousJournalTests.dump) }
        try JournalSchema.migrations.migrate(connection)
        let rows = try rows(table)
        try connection.read { db in
            let identity = try #require(try db.value("SELECT identity FROM journal_state"))
            guard case .blob(let bytes) = identity else { throw StorageFault(operation: "read", reason: "no identity") }
            let key = RecordKey.demonstration.journalKey(identity: bytes)
            let table = try #require(JournalTable.coded.first { $0.name == table })
            let stored = try db.rows(of: table, "")
            #expect(!stored.isEmpty)
            for row in stored {
                #expect(key.code(of: try rows.bytesRewritten(row)).bytes == (try row.verifiedCode(key)).bytes)
            }
        }
    }
}
