import Records
import SQLite

/// A column as CREATE TABLE names it.
struct ColumnDefinition: Hashable, Sendable {
    let name: String
    let type: ColumnType
    /// As NULL in rows from before the migration that added it, or because its value need not be there.
    let mayBeNull: Bool
}

/// Values that do not go together, by the column that is at fault.
struct ColumnFault: Error {
    let column: String
    let reason: String

    init(_ column: String, _ reason: String) { (self.column, self.reason) = (column, reason) }
}

/// The columns in which a value of `Row` stands, said once: what is written, what is read with its bounds, and what CREATE TABLE
/// says. A row's code is over the columns in the order of their names, whatever order they have here.
struct Columns<Row, Value>: Sendable {
    let definitions: [ColumnDefinition]
    let write: @Sendable (Row, inout [ColumnValue]) -> Void
    let read: @Sendable (StoredRow) throws(StorageFault) -> Value

    /// Several that make a value together.
    init<each Part>(
        _ make: @escaping @Sendable (repeat each Part) throws(ColumnFault) -> Value,
        _ parts: repeat Columns<Row, each Part>
    ) {
        var definitions: [ColumnDefinition] = []
        var writers: [@Sendable (Row, inout [ColumnValue]) -> Void] = []
        for part in repeat each parts {
            definitions += part.definitions
            writers.append(part.write)
        }
        self.definitions = definitions
        let parts = (repeat each parts)
        write = { [writers] row, cells in for write in writers { write(row, &cells) } }
        read = { (row) throws(StorageFault) in
            let values = (repeat try (each parts).read(row))
            do throws(ColumnFault) { return try make(repeat each values) } catch {
                throw row.fault(error.column, error.reason)
            }
        }
    }

    fileprivate init(
        _ definitions: [ColumnDefinition],
        write: @escaping @Sendable (Row, inout [ColumnValue]) -> Void,
        read: @escaping @Sendable (StoredRow) throws(StorageFault) -> Value
    ) {
        self.definitions = definitions
        self.write = write
        self.read = read
    }
}

/// One column.
///
/// - Parameter isAdded: a migration added it, so that the table itself requires no value.
func column<Row, Value: Stored>(
    _ name: String,
    isAdded: Bool = false,
    _ value: @escaping @Sendable (Row) -> Value
) -> Columns<Row, Value> {
    Columns(
        [ColumnDefinition(name: name, type: Value.type, mayBeNull: Value.mayBeNull || isAdded)],
        write: { $1.append(value($0).cell) },
        read: { (row) throws(StorageFault) in try row.value(name) }
    )
}

extension Columns where Row == Value {
    /// The same as a part of another row.
    func of<Whole>(_ value: @escaping @Sendable (Whole) -> Value) -> Columns<Whole, Value> {
        Columns<Whole, Value>(definitions, write: { [write] in write(value($0), &$1) }, read: read)
    }

    /// The same as a part that may be missing: all of them are NULL then, or none.
    func ifThere<Whole>(_ value: @escaping @Sendable (Whole) -> Value?) -> Columns<Whole, Value?> {
        let names = definitions.map(\.name)
        return Columns<Whole, Value?>(
            definitions.map { ColumnDefinition(name: $0.name, type: $0.type, mayBeNull: true) },
            write: { [write] whole, cells in
                if let value = value(whole) { write(value, &cells) } else { cells += names.map { _ in .null } }
            },
            read: { [read] (row) throws(StorageFault) in try row.isPresent(names) ? read(row) : nil }
        )
    }
}

/// A value that is a row of a table.
protocol TableRow: Sendable {
    static var columns: TableColumns<Self> { get }
}

extension TableRow {
    /// - Throws: `StorageFault` with the row when a value is none that its column may have, or they do not go together.
    init(_ row: StoredRow) throws(StorageFault) { self = try Self.columns.all.read(row) }
}

/// A table, and all columns of its rows but their code.
final class TableColumns<Row>: Sendable {
    let table: JournalTable
    let all: Columns<Row, Row>
    let layout: RowLayout

    init(_ table: JournalTable, _ all: Columns<Row, Row>) {
        self.table = table
        self.all = all
        layout = RowLayout.of(table, all.definitions.map(\.name))
    }

    /// In the order of the layout; the key comes first.
    func cells(of row: Row) -> [ColumnValue] {
        var cells: [ColumnValue] = []
        // And its code.
        cells.reserveCapacity(all.definitions.count + 1)
        all.write(row, &cells)
        return cells
    }
}
