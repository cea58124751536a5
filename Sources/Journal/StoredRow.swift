import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite

/// A row on its way to disk: columns and their values.
struct RowValues {
    private(set) var columns: [String] = []
    private(set) var values: [ColumnValue] = []

    init() {
        columns.reserveCapacity(Self.columnsMax)
        values.reserveCapacity(Self.columnsMax)
    }

    /// As many as the widest table has, so that neither array grows.
    private static let columnsMax = 48

    private mutating func set(_ column: String, value: ColumnValue?) {
        columns.append(column)
        values.append(value ?? .null)
    }

    mutating func set(_ column: String, _ number: (some FixedWidthInteger)?) {
        set(column, value: number.map { ColumnValue($0) })
    }

    mutating func set(_ column: String, _ text: String?) { set(column, value: text.map { ColumnValue($0) }) }

    mutating func set(_ column: String, _ flag: Bool?) { set(column, value: flag.map { ColumnValue($0) }) }

    mutating func set(hex column: String, _ element: (some DataElement)?) {
        set(column, element.map { Hex.string($0.bytes) })
    }

    /// The four bytes of a MAC or TAC.
    mutating func set(code column: String, _ bytes: [UInt8]?) {
        precondition(bytes.map { $0.count == MAC.length } ?? true)
        set(column, bytes.map { Hex.string($0) })
    }

    mutating func set(list column: String, _ numbers: [Int]?) {
        set(column, numbers.map(JSONList.text))
    }

    mutating func set(blob column: String, _ bytes: [UInt8]?) {
        set(column, value: bytes.map { ColumnValue($0) })
    }
}

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

    private static let textMax = 4_096
    private static let blobMax = 4_096
    /// What sums and products of stored numbers stay clear of.
    static let countRange = -(1 << 38)...1 << 38
    static let volumeRange = -(1 << 50)...1 << 50
    static let totalRange = 0...1 << 60

    func isNull(_ column: String) throws(StorageFault) -> Bool { try value(column) == .null }

    /// Whether the columns hold a value: all of them, or none.
    func isPresent(_ columns: String...) throws(StorageFault) -> Bool {
        var nulls = 0
        for column in columns where try isNull(column) { nulls += 1 }
        guard nulls == 0 || nulls == columns.count else {
            throw fault(columns[0], "is only there together with \(columns.dropFirst().joined(separator: ", "))")
        }
        return nulls == 0
    }

    /// nil for NULL.
    func optional<Value>(
        _ column: String,
        _ read: (String) throws(StorageFault) -> Value
    ) throws(StorageFault) -> Value? {
        try isNull(column) ? nil : try read(column)
    }

    func integer<Integer: FixedWidthInteger>(_ column: String) throws(StorageFault) -> Integer {
        guard case .integer(let stored) = try value(column) else { throw fault(column, "is not an integer") }
        guard let value = Integer(exactly: stored) else { throw fault(column, "is out of range: \(stored)") }
        return value
    }

    func integer(_ column: String, in range: ClosedRange<Int>) throws(StorageFault) -> Int {
        let value: Int = try integer(column)
        guard range.contains(value) else { throw fault(column, "is out of range: \(value)") }
        return value
    }

    func flag(_ column: String) throws(StorageFault) -> Bool {
        let value: Int = try integer(column)
        guard value == 0 || value == 1 else { throw fault(column, "is neither 0 nor 1") }
        return value == 1
    }

    func text(_ column: String) throws(StorageFault) -> String {
        guard case .text(let text) = try value(column) else { throw fault(column, "is not text") }
        guard text.utf8.count <= Self.textMax else { throw fault(column, "is longer than any text of this program") }
        return text
    }

    func choice<Choice: RawRepresentable<String>>(_ column: String) throws(StorageFault) -> Choice {
        guard let choice = Choice(rawValue: try text(column)) else { throw fault(column, "is none of its values") }
        return choice
    }

    func hex(_ column: String, count: Int) throws(StorageFault) -> [UInt8] {
        let text = try text(column)
        do throws(ParseError) {
            let bytes = try Hex.bytes(text)
            guard bytes.count == count, Hex.string(bytes) == text else { throw .wrongLength("text") }
            return bytes
        } catch {
            throw fault(column, "is not \(2 * count) upper-case hexadecimal digits")
        }
    }

    func code(_ column: String) throws(StorageFault) -> [UInt8] { try hex(column, count: MAC.length) }

    func element<Element: DataElement>(_ column: String) throws(StorageFault) -> Element {
        let bytes = try hex(column, count: Element.length)
        do throws(ParseError) {
            return try Element(parsing: bytes)
        } catch {
            throw fault(column, "\(error)")
        }
    }

    func time(_ column: String) throws(StorageFault) -> TransactionTime {
        let bytes = try hex(column, count: TransactionTime.length)
        do throws(ParseError) {
            return try TransactionTime(stored: bytes)
        } catch {
            throw fault(column, "\(error)")
        }
    }

    func list(_ column: String, count: ClosedRange<Int>) throws(StorageFault) -> [Int] {
        guard let numbers = JSONList.numbers(try text(column)), count.contains(numbers.count) else {
            throw fault(column, "is not a list of \(count.lowerBound) to \(count.upperBound) integers")
        }
        guard numbers.allSatisfy(Self.countRange.contains) else { throw fault(column, "is out of range") }
        return numbers
    }

    /// - Parameter count: nil for any up to ``blobMax``.
    func blob(_ column: String, count: Int?) throws(StorageFault) -> [UInt8] {
        guard case .blob(let bytes) = try value(column), bytes.count == count ?? min(bytes.count, Self.blobMax) else {
            throw fault(column, "is not a blob of \(count ?? Self.blobMax) bytes")
        }
        return bytes
    }

    func fault(_ column: String, _ reason: String) -> StorageFault { StorageFault(damagedRow(column: column, reason)) }

    private func value(_ column: String) throws(StorageFault) -> ColumnValue {
        guard let value = value(of: column) else { throw fault(column, "is missing") }
        return value
    }
}

extension TransactionTime {
    /// Of the digits `YYYYMMDDhhmmss`, two in a byte.
    init(stored bytes: [UInt8]) throws(ParseError) {
        guard bytes.count == Self.length else { throw .wrongLength("time") }
        let date = try CalendarDate(parsing: Array(bytes.prefix(CalendarDate.length)))
        let clock = try BCD.decode(bytes.suffix(3), "time")
        try self.init(date: date, hour: clock / 10_000, minute: clock / 100 % 100, second: clock % 100)
    }
}

/// A JSON array of integers, in the one form that this program writes.
enum JSONList {
    static func text(_ numbers: [Int]) -> String { "[" + numbers.map(String.init).joined(separator: ",") + "]" }

    /// nil for any other text.
    static func numbers(_ text: String) -> [Int]? {
        var numbers: [Int] = []
        for part in text.dropFirst().dropLast().split(separator: ",") {
            guard let number = Int(part) else { return nil }
            numbers.append(number)
        }
        return Self.text(numbers) == text ? numbers : nil
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
