import Foundation
import SQLite
import Simulation

extension SplitMix64 {
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// What is done to a journal.
enum Edit: String, CaseIterable {
    // To the files
    case bytes, pages, header, log, truncation, logTruncation, logGone
    case index = "index page"
    // To rows, by SQL
    case digit, number, text, null, blob, untyped, swap, otherKey, putBack, deletion, copiedKey, forged, state, versions

    private static let coded = [
        "sale", "checkpoint", "grey_record", "totaliser", "position_lock", "clock_acceptance", "clock_floor",
        "numbering",
        "journal_acceptance", "service_run", "overrun", "parameter_mark", "pulser_fault", "lock_clearing",
        "price_change",
        "position_block", "station_order", "price_order", "acknowledgement",
    ]
    private static let tables = coded + ["journal_state"]

    /// - Parameter history: of the same journal, the oldest first.
    /// - Returns: what was done.
    func apply(_ path: String, _ history: [JournalFiles], _ numbers: inout SplitMix64) throws -> String {
        switch self {
        case .bytes, .pages, .header, .log, .truncation, .logTruncation, .logGone, .index:
            return try editFiles(path, history[history.count - 1], &numbers)
        case _:
            try history[history.count - 1].write(path)
            return try editRows(path, history, &numbers)
        }
    }

    // MARK: - Files

    /// Half of the edits of the database's file, and each of an index, which may be in the log else.
    private func endsCleanly(_ numbers: inout SplitMix64) -> Bool {
        switch self {
        case .index: true
        case .bytes, .pages, .header, .truncation: numbers.below(2) == 0
        case _: false
        }
    }

    private func editFiles(_ path: String, _ last: JournalFiles, _ numbers: inout SplitMix64) throws -> String {
        var files = last
        if endsCleanly(&numbers) {
            try files.write(path)
            let connection = try Connection(path)
            // Opens the log, which closing moves.
            _ = try connection.read { try $0.value("SELECT count(*) FROM sqlite_schema") }
            connection.close()
            files = try JournalFiles(path)
        }
        var words = ""
        switch self {
        case .bytes: words = Self.spoil(&files.database, count: 1 + numbers.below(8), &numbers)
        case .pages:
            let page = numbers.below(files.database.count / 4_096)
            let other = numbers.below(files.database.count / 4_096)
            let bytes = Data(files.database[other * 4_096..<(other + 1) * 4_096])
            files.database.replaceSubrange(page * 4_096..<(page + 1) * 4_096, with: bytes)
            words = "page \(page) is page \(other)"
        case .header:
            let offset = numbers.below(100)
            files.database[offset] = UInt8(truncatingIfNeeded: numbers.next())
            words = "header byte \(offset)"
        case .log:
            var log = files.log ?? Data()
            words = Self.spoil(&log, count: 1 + numbers.below(8), &numbers)
            files.log = log
        case .truncation:
            files.database = files.database.prefix(numbers.below(files.database.count))
            words = "database of \(files.database.count) bytes"
        case .logTruncation:
            files.log = files.log.map { $0.prefix(numbers.below($0.count)) }
            words = "log of \(files.log?.count ?? 0) bytes"
        case .logGone:
            files.log = nil
        case .index: words = try Self.spoilIndex(path, &files.database, &numbers)
        case _: preconditionFailure("an edit of files")
        }
        try files.write(path)
        return words
    }

    /// One bit of the bytes in use of an index's root page.
    private static func spoilIndex(_ path: String, _ file: inout Data, _ numbers: inout SplitMix64) throws -> String {
        let connection = try Connection(path)
        let sql = "SELECT rootpage FROM sqlite_schema WHERE type = 'index' ORDER BY name"
        let pages = try connection.read { try $0.rows(sql).compactMap(\.first?.integer) }
        connection.close()
        let page = Int(numbers.pick(pages))
        let start = (page - 1) * 4_096
        let places = (start..<start + 4_096).filter { file[$0] != 0 }
        let place = numbers.pick(places)
        file[place] ^= 1 << UInt8(numbers.below(8))
        return "byte \(place - start) of page \(page)"
    }

    private static func spoil(_ data: inout Data, count: Int, _ numbers: inout SplitMix64) -> String {
        let offsets = (0..<count).map { _ in numbers.below(data.count) }
        for offset in offsets { data[offset] ^= UInt8(1 + numbers.below(255)) }
        return "bytes \(offsets)"
    }

    // MARK: - Rows

    private func editRows(_ path: String, _ history: [JournalFiles], _ numbers: inout SplitMix64) throws -> String {
        let connection = try Connection(path)
        let older = numbers.below(history.count - 1)
        let seed = numbers.next()
        var words = ""
        do {
            words = try connection.write { try edit($0, path, history[older], SplitMix64(state: seed)) }
        } catch let error as DatabaseError where error.code == .constraint {
            words = "refused by the table"
        }
        connection.close()
        return words
    }

    private func edit(_ db: Database, _ path: String, _ older: JournalFiles, _ numbers: SplitMix64) throws -> String {
        var numbers = numbers
        switch self {
        case .putBack: return try putBack(db, path, older, &numbers)
        case .deletion:
            let row = try Self.row(db, &numbers)
            try db.run("DELETE FROM \(row.table) WHERE rowid = ?", [ColumnValue(row.id)])
            return "\(row.table) \(row.id) is gone"
        case .copiedKey, .otherKey: return try move(db, &numbers)
        case .swap: return try swap(db, &numbers)
        case .forged: return try forge(db, &numbers)
        case .state: return try changeState(db, &numbers)
        case .versions: return try changeVersions(db, &numbers)
        case .untyped: return try removeTypes(db, &numbers)
        case _: return try changeValue(db, Self.row(db, &numbers), &numbers)
        }
    }

    private struct Place {
        let table: String
        let id: Int64
    }

    private static func row(_ db: Database, _ numbers: inout SplitMix64) throws -> Place {
        while true {
            let table = numbers.pick(tables)
            let ids = try db.rows("SELECT rowid FROM \(table)").compactMap(\.first?.integer)
            guard !ids.isEmpty else { continue }
            return Place(table: table, id: numbers.pick(ids))
        }
    }

    private func changeValue(_ db: Database, _ place: Place, _ numbers: inout SplitMix64) throws -> String {
        let columns = try Self.columns(of: place.table, db)
        let column = numbers.pick(columns)
        let sql = "SELECT \(column) FROM \(place.table) WHERE rowid = ?"
        let old = try db.value(sql, [ColumnValue(place.id)]) ?? .null
        let new = value(old, &numbers)
        do throws(DatabaseError) {
            try db.run(
                "UPDATE OR REPLACE \(place.table) SET \(column) = ? WHERE rowid = ?",
                [new, ColumnValue(place.id)]
            )
        } catch {
            return "\(place.table) \(place.id) \(column): refused by the table: \(error.extendedCode)"
        }
        return "\(place.table) \(place.id) \(column): \(Self.words(old)) is \(Self.words(new))"
    }

    private func value(_ old: ColumnValue, _ numbers: inout SplitMix64) -> ColumnValue {
        switch self {
        case .digit:
            var text = Array(Self.words(old).utf8)
            let digits = text.indices.filter { (48...57).contains(text[$0]) }
            guard !digits.isEmpty else { return ColumnValue(numbers.below(10)) }
            text[numbers.pick(digits)] = UInt8(48 + numbers.below(10))
            let edited = String(decoding: text, as: UTF8.self)
            if case .integer = old { return Int64(edited).map { ColumnValue($0) } ?? .null }
            return ColumnValue(edited)
        case .number:
            let picked: Int64 = numbers.pick([
                0, -1, 1, .max, .min, 1 << 32, 1 << 53, 1 << 61, 65_536, 256, Int64(truncatingIfNeeded: numbers.next()),
            ])
            return ColumnValue(picked)
        case .text:
            let picked: String = numbers.pick([
                "", "locked", "settled", "open", "[9223372036854775807]", "[1,2,3,4,5,6,7,8,9,10]",
                "\u{1B}[2J\n123    sale", "20991231235959", "00010000000000000042",
                String(repeating: "9", count: 5_000),
            ])
            return ColumnValue(picked)
        case .null: return .null
        case .blob:
            return ColumnValue((0..<numbers.below(40)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) })
        case _: preconditionFailure("an edit of a value")
        }
    }

    /// The row as it was at an earlier commit, with its code.
    private func putBack(
        _ db: Database,
        _ path: String,
        _ older: JournalFiles,
        _ numbers: inout SplitMix64
    ) throws -> String {
        try older.write(path + "-older")
        let source = try Connection(path + "-older")
        let seed = numbers.next()
        let (table, row) = try source.read { old in
            var numbers = SplitMix64(state: seed)
            let place = try Self.row(old, &numbers)
            return (place.table, try Self.values(of: place, old))
        }
        source.close()
        try Self.insert(db, table, row)
        return "\(table) \(Self.words(row[0])) as it was"
    }

    private static func insert(_ db: Database, _ table: String, _ values: [ColumnValue]) throws {
        let marks = repeatElement("?", count: values.count).joined(separator: ", ")
        try db.run("INSERT OR REPLACE INTO \(table) VALUES (\(marks))", values)
    }

    private static func values(of place: Place, _ db: Database) throws -> [ColumnValue] {
        let row = try db.rows("SELECT * FROM \(place.table) WHERE rowid = ?", [ColumnValue(place.id)]).first
        guard let row else { preconditionFailure("the row is there") }
        return row
    }

    private static func columns(of table: String, _ db: Database) throws -> [String] {
        try db.rows("SELECT name FROM pragma_table_info(?)", [ColumnValue(table)]).compactMap(\.first?.text)
    }

    private static func words(_ value: ColumnValue) -> String {
        switch value {
        case .null: "NULL"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .text(let text): text
        case .blob(let bytes): "\(bytes)"
        }
    }

    private func move(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        let place = try Self.row(db, &numbers)
        let row = try Self.values(of: place, db)
        let key: Int64 = numbers.pick([1, 2, 3, 50, 122, 123, 124, 125, 130, 4_294_967_295, 4_294_967_296, -5])
        guard key != place.id else { return "nothing" }
        try Self.insert(db, place.table, [ColumnValue(key)] + row.dropFirst())
        if self == .otherKey {
            try db.run("DELETE FROM \(place.table) WHERE rowid = ?", [ColumnValue(place.id)])
        }
        return "\(place.table) \(place.id) is \(key)"
    }

    private func swap(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        let place = try Self.row(db, &numbers)
        let rows = try db.rows("SELECT * FROM \(place.table) ORDER BY rowid")
        guard rows.count > 1 else { return "nothing" }
        let first = numbers.below(rows.count)
        let second = (first + 1 + numbers.below(rows.count - 1)) % rows.count
        for (from, to) in [(first, second), (second, first)] {
            try Self.insert(db, place.table, [rows[to][0]] + rows[from].dropFirst())
        }
        return "\(place.table): rows \(first) and \(second) changed places"
    }

    /// A row that nobody wrote, with whatever code.
    private func forge(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        let words = try move(db, &numbers)
        let table = numbers.pick(Self.coded)
        let code = (0..<16).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
        let newest = "(SELECT max(rowid) FROM \(table))"
        try db.run("UPDATE \(table) SET code = ? WHERE rowid = \(newest)", [ColumnValue(code)])
        return words + ", and the last code of \(table)"
    }

    private func changeState(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        switch numbers.below(6) {
        case 0:
            try db.execute("DELETE FROM journal_state")
            return "no state"
        case 1:
            try db.execute("DELETE FROM journal_state WHERE id = 1")
            return "one copy of the state"
        case 2:
            try db.execute("UPDATE journal_state SET commits = commits - 1")
            return "commits"
        case 3:
            try db.execute("UPDATE journal_state SET identity = zeroblob(16)")
            return "identity"
        case 4:
            try db.execute("UPDATE journal_state SET identity = x'', sealed = x''")
            return "a state as if without codes"
        case _:
            try db.run("UPDATE journal_state SET key_version = 9 WHERE id = ?", [ColumnValue(1 + numbers.below(2))])
            return "key version of a copy"
        }
    }

    /// The list of the layouts that the journal has had.
    private func changeVersions(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        let sql = numbers.pick([
            "DROP TABLE grdb_migrations", "DELETE FROM grdb_migrations",
            "DELETE FROM grdb_migrations WHERE identifier = '\(1 + numbers.below(3))'",
            "UPDATE grdb_migrations SET identifier = '\(4 + numbers.below(9))' WHERE identifier = '3'",
            "INSERT INTO grdb_migrations VALUES ('\(4 + numbers.below(9))')",
        ])
        try db.execute(sql)
        return sql
    }

    /// A table like it, without types, in its place.
    private func removeTypes(_ db: Database, _ numbers: inout SplitMix64) throws -> String {
        let table = numbers.pick(Self.tables)
        let columns = try Self.columns(of: table, db)
        try db.execute("CREATE TABLE copied AS SELECT * FROM \(table)")
        try db.execute("DROP TABLE \(table)")
        try db.execute(
            "CREATE TABLE \(table) (\(columns[0]) INTEGER PRIMARY KEY, \(columns.dropFirst().joined(separator: ", ")))"
        )
        try db.execute("INSERT INTO \(table) SELECT * FROM copied")
        try db.execute("DROP TABLE copied")
        let column = numbers.pick(columns)
        let value = numbers.pick(["'x'", "1.5", "NULL", "x'00FF'", "1e300", "-0.0", "''"])
        do throws(DatabaseError) {
            try db.execute("UPDATE \(table) SET \(column) = \(value)")
        } catch {
            return "\(table) without types, \(column) refused: \(error.extendedCode)"
        }
        return "\(table) without types, \(column) \(value)"
    }
}
