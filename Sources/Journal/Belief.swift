import Records
import SQLite

/// By what rows are judged when they are read.
struct Belief: Sendable {
    /// nil where nothing can be judged.
    let key: JournalKey?
    let doubts: Doubts
    /// Where nothing can be judged, whoever only looks sees what stands there. Else no row is believed.
    var showsUnjudged = false

    /// nil for a row that is not believed.
    func ifBelieved<Value>(_ read: () throws(StorageFault) -> Value) throws(StorageFault) -> Value? {
        do throws(StorageFault) {
            return try read()
        } catch {
            guard error.row != nil else { throw error }
            return nil
        }
    }
}

extension StoredRow {
    /// - Throws: `StorageFault` with the row when it is not what the service wrote last.
    func believed(_ belief: Belief) throws(StorageFault) -> StoredRow {
        guard let key = belief.key else {
            if belief.showsUnjudged { return self }
            throw damaged("its code cannot be judged without the journal's state")
        }
        _ = try verifiedCode(key)
        if let rowKey, let doubt = belief.doubts.reason(rowClass, rowKey) { throw damaged(doubt) }
        return self
    }
}

extension Database {
    /// The row of that key as a value; nil where there is none.
    ///
    /// - Throws: `StorageFault` with the row when it is not believed, or there was one.
    func believed<Value: TableRow>(_ value: Value.Type, _ rowKey: Int64, _ belief: Belief) throws -> Value? {
        let table = Value.columns.table
        return try withRow(of: table, rowKey) { row in
            if let row { return try Value(row.believed(belief)) }
            if let doubt = belief.doubts.reason(table.rowClass(phase: nil), rowKey) { throw table.fault(rowKey, doubt) }
            return nil
        }
    }

    /// - Parameter body: called with the row of that key; nil where there is none.
    func withRow<Result>(
        of table: JournalTable,
        _ rowKey: Int64,
        _ body: (StoredRow?) throws -> Result
    ) throws -> Result {
        let found = try first("SELECT * FROM \(table.name) WHERE \(table.key) = ?", [ColumnValue(rowKey)]) {
            statement in
            Optional.some(try body(StoredRow(table, statement)))
        }
        return try found ?? body(nil)
    }

    /// Those that are believed, as values.
    func believed<Value: TableRow>(
        _ belief: Belief,
        _ condition: String,
        _ arguments: [ColumnValue] = []
    ) throws -> [Value] {
        try rows(of: Value.columns.table, condition, arguments).compactMap { row in
            try belief.ifBelieved { () throws(StorageFault) in try Value(row.believed(belief)) }
        }
    }

    func firstBelieved(
        of table: JournalTable,
        _ condition: String,
        _ arguments: [ColumnValue],
        _ belief: Belief
    ) throws -> StoredRow? {
        try first("SELECT * FROM \(table.name) \(condition)", arguments) { statement in
            let row = StoredRow(table, statement)
            return try belief.ifBelieved { () throws(StorageFault) in try row.believed(belief) }?.kept
        }
    }

    /// The integers of the first row; nil for anything else in a column.
    func numbers(_ sql: String, _ arguments: [ColumnValue] = []) throws -> [Int64?] {
        try first(sql, arguments) { $0.values.map(\.integer) } ?? []
    }
}
