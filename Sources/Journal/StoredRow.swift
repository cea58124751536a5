import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite

/// A row from disk. Each column is read whole into its type or refused with its table, key and name.
struct StoredRow {
    private enum Source {
        /// That stands on the row.
        case statement(Statement)
        case values([ColumnValue])
    }

    let layout: RowLayout
    private let source: Source

    init(layout: RowLayout, statement: Statement) {
        self.layout = layout
        source = .statement(statement)
    }

    init(_ table: JournalTable, _ statement: Statement) {
        self.init(layout: RowLayout.of(table, statement.columns), statement: statement)
    }

    private init(layout: RowLayout, values: [ColumnValue]) {
        self.layout = layout
        source = .values(values)
    }

    /// The same row when its statement has gone on.
    var kept: StoredRow { StoredRow(layout: layout, values: values) }

    private var values: [ColumnValue] {
        switch source {
        case .statement(let statement): statement.values
        case .values(let values): values
        }
    }

    /// In the order of the layout's columns.
    func value(at index: Int) -> ColumnValue {
        switch source {
        case .statement(let statement): statement.value(at: index)
        case .values(let values): values[index]
        }
    }

    /// nil where there is no such column.
    func value(of column: String) -> ColumnValue? { layout.index(of: column).map(value) }

    /// What its code is made over.
    var codedBytes: [UInt8] {
        switch source {
        case .statement(let statement): layout.bytes(statement)
        case .values(let values): layout.bytes(values)
        }
    }

    var table: JournalTable { layout.table }

    private static let blobMax = 4_096

    /// Whether the columns hold a value: all of them, or none.
    func isPresent(_ columns: [String]) throws(StorageFault) -> Bool {
        var nulls = 0
        for column in columns where try cell(column) == .null { nulls += 1 }
        guard nulls == 0 || nulls == columns.count else {
            throw fault(columns[0], "is only there together with \(columns.dropFirst().joined(separator: ", "))")
        }
        return nulls == 0
    }

    func value<Value: Stored>(_ column: String) throws(StorageFault) -> Value {
        let cell = try cell(column)
        do throws(CellFault) { return try Value(cell: cell) } catch { throw fault(column, error.reason) }
    }

    /// - Parameter count: nil for any up to ``blobMax``.
    func blob(_ column: String, count: Int?) throws(StorageFault) -> [UInt8] {
        guard case .blob(let bytes) = try cell(column), bytes.count == count ?? min(bytes.count, Self.blobMax) else {
            throw fault(column, "is not a blob of \(count ?? Self.blobMax) bytes")
        }
        return bytes
    }

    func fault(_ column: String, _ reason: String) -> StorageFault { StorageFault(damagedRow(column: column, reason)) }

    private func cell(_ column: String) throws(StorageFault) -> ColumnValue {
        guard let value = value(of: column) else { throw fault(column, "is missing") }
        return value
    }
}

extension Database {
    func rows(
        of table: JournalTable,
        _ condition: String,
        _ arguments: [ColumnValue] = []
    ) throws -> [StoredRow] {
        var rows: [StoredRow] = []
        try visit(table, condition, arguments) { rows.append($0.kept) }
        return rows
    }
}

extension JournalTable {
    /// The statement that inserts a row, or replaces the one with its key.
    func replacement(of columns: [String]) -> String {
        let marks = repeatElement("?", count: columns.count).joined(separator: ", ")
        let changes = columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let same = fixed.map { "\(name).\($0) = excluded.\($0)" }.joined(separator: " AND ")
        return "INSERT INTO \(name) (\(columns.joined(separator: ", "))) VALUES (\(marks)) "
            + "ON CONFLICT (\(key)) DO UPDATE SET \(changes)" + (fixed.isEmpty ? "" : " WHERE \(same)")
    }
}
