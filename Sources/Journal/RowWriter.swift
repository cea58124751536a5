import CardCryptography
import Records
import SQLite

/// The rows of one transaction, each with its code, and the state that they leave. A row is judged before it is replaced.
struct RowWriter {
    let db: Database
    private let key: JournalKey
    private(set) var doubts: Doubts
    /// nil when it is not believed: then it stays as it is, until a technician accepts the rows.
    private(set) var state: JournalState?
    private var renewed: Set<RowClass> = []

    init(_ db: Database, _ key: JournalKey, _ doubts: Doubts, _ state: JournalState?) {
        self.db = db
        self.key = key
        self.doubts = doubts
        self.state = state
    }

    /// By what rows are judged in this transaction.
    var belief: Belief { Belief(key: key, doubts: doubts) }

    /// Inserts the row, or replaces the one with its key.
    ///
    /// - Throws: `StorageFault` when the key belongs to a row with other fixed columns, or to one that is not believed and
    ///   that nothing may overwrite.
    mutating func replace<Row: TableRow>(_ row: Row) throws {
        let (table, layout) = (Row.columns.table, Row.columns.layout)
        var cells = Row.columns.cells(of: row)
        guard case .integer(let rowKey)? = cells.first else { preconditionFailure("the key comes first") }
        let code = key.code(of: layout.bytes(cells))
        let rowClass = layout.rowClass(phase: layout.phase.flatMap { cells[$0].text })
        try giveUp(rowKey, of: table)
        cells.append(ColumnValue(code.bytes))
        try db.run(layout.replacement, cells)
        guard db.changesCount == 1 else {
            throw StorageFault(
                operation: "commit",
                reason: "\(table.keyName) \(rowKey) of table \(table.name) is another one"
            )
        }
        state?.add(code, rowKey, rowClass)
        doubts.isWritten(rowClass, rowKey)
    }

    mutating func delete(_ rowKey: Int64, from table: JournalTable) throws {
        guard try giveUp(rowKey, of: table) else { return }
        try db.run("DELETE FROM \(table.name) WHERE \(table.key) = ?", [ColumnValue(rowKey)])
        doubts.isWritten(table.rowClass(phase: nil), rowKey)
    }

    /// - Returns: whether there is a row, or was one that is doubted.
    @discardableResult
    private mutating func giveUp(_ rowKey: Int64, of table: JournalTable) throws -> Bool {
        try db.withRow(of: table, rowKey) { try giveUp($0, rowKey, of: table) }
    }

    private mutating func giveUp(_ old: StoredRow?, _ rowKey: Int64, of table: JournalTable) throws -> Bool {
        let rowClass = old?.rowClass ?? table.rowClass(phase: nil)
        let doubt = doubts.reason(rowClass, rowKey)
        guard old != nil || doubt != nil else { return false }
        do throws(StorageFault) {
            if let old, let doubt { throw old.damaged(doubt) }
            guard let old else {
                guard rowClass.isRenewed else { throw table.fault(rowKey, doubt ?? "the row was removed") }
                renewed.insert(rowClass)
                return true
            }
            let code = try old.verifiedCode(key)
            state?[rowClass].remove(code.hidden, key: rowKey)
        } catch {
            guard error.row != nil, rowClass.isRenewed else { throw error }
            renewed.insert(rowClass)
        }
        return true
    }

    mutating func note(_ mark: CustodyMark) { state?.custody = mark }

    /// The end of the transaction's rows.
    ///
    /// - Returns: the state as it was sealed; nil where none is believed.
    @discardableResult
    mutating func finish() throws -> JournalState? {
        guard state != nil else { return nil }
        for rowClass in renewed {
            let sums = try believedSums(rowClass)
            state?[rowClass] = sums
        }
        try state?.countCommit()
        if let state { try db.write(state, key) }
        return state
    }

    private func believedSums(_ rowClass: RowClass) throws -> RowSums {
        var sums = RowSums.zero
        try db.visit(rowClass.table, "", []) { row in
            guard let rowKey = row.rowKey, doubts.reason(rowClass, rowKey) == nil else { return }
            do throws(StorageFault) {
                sums.add(try row.verifiedCode(key).hidden, key: rowKey)
            } catch {
                guard error.row != nil else { throw error }
            }
        }
        return sums
    }
}

extension RowWriter {
    /// Some seconds of a slow board.
    private static let rowsBetweenSigns = 10_000

    /// The first opening after the migration gives every row its code. One that cannot be read gets none, and is named
    /// from then on.
    static func codeEverything(
        _ db: Database,
        _ key: JournalKey,
        _ identity: [UInt8],
        _ goesOn: () -> Void
    ) throws {
        var state = JournalState(identity: identity, reference: key.reference)
        for table in JournalTable.coded {
            var codes: [(Int64, [UInt8])] = []
            try db.visit(table, "", []) { row in
                guard let rowKey = row.rowKey else { return }
                do throws(StorageFault) {
                    try table.parse(row)
                } catch {
                    guard error.row != nil else { throw error }
                    return
                }
                let code = row.code(key)
                codes.append((rowKey, code.bytes))
                if codes.count % Self.rowsBetweenSigns == 0 { goesOn() }
                state.add(code, rowKey, row.rowClass)
            }
            let sql = "UPDATE \(table.name) SET \(JournalTable.codeColumn) = ? WHERE \(table.key) = ?"
            for (index, (rowKey, code)) in codes.enumerated() {
                if index % Self.rowsBetweenSigns == 0 { goesOn() }
                try db.run(sql, [ColumnValue(code), ColumnValue(rowKey)])
            }
        }
        state.commits = 1
        try db.write(state, key)
    }

    /// A technician has looked: what is there with a right code counts from now on. Rows with a wrong one stay as they are,
    /// and named.
    ///
    /// - Returns: the state that follows `old`, not written.
    static func stateOfRows(_ db: Database, _ key: JournalKey, after old: JournalState) throws -> JournalState {
        var state = JournalState(identity: old.identity, reference: old.reference)
        state.lastNumber = old.lastNumber
        state.commits = old.commits
        for table in JournalTable.coded {
            try db.visit(table, "", []) { row in
                guard let rowKey = row.rowKey else { return }
                do throws(StorageFault) {
                    state.add(try row.verifiedCode(key), rowKey, row.rowClass)
                } catch {
                    guard error.row != nil else { throw error }
                }
            }
        }
        return state
    }
}

extension JournalTable {
    func fault(_ key: Int64, _ reason: String) -> StorageFault {
        StorageFault(DamagedRow(table: name, keyName: keyName, key: key, column: nil, reason: reason))
    }
}
