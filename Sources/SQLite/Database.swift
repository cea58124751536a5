private import CSQLite

/// An open database, for one caller at a time: a ``Connection`` sees to that. It is closed when the value ends.
@safe
package final class Database {
    package enum Access {
        case readOnly
        case readWrite
        /// And makes the file where there is none.
        case create

        /// One thread at a time, so that SQLite need not lock; errors with their extensions.
        fileprivate var flags: Int32 {
            let access =
                switch self {
                case .readOnly: SQLITE_OPEN_READONLY
                case .readWrite: SQLITE_OPEN_READWRITE
                case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                }
            return access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        }
    }

    private let handle: OpaquePointer
    /// By their texts.
    var statements: [String: Statement] = [:]
    /// Nothing may write.
    private var isReading = false
    private var isInTransaction = false

    /// The corresponding C function is `sqlite3_open_v2`.
    ///
    /// - Parameters:
    ///   - path: ":memory:" for a database of its own that is nowhere else.
    ///   - fileSystem: nil for the process's.
    package init(_ path: String, _ access: Access, _ fileSystem: FileSystem? = nil) throws(DatabaseError) {
        var handle: OpaquePointer?
        let code = unsafe sqlite3_open_v2(path, &handle, access.flags, fileSystem?.name)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            unsafe _ = sqlite3_close_v2(handle)
            throw DatabaseError(code)
        }
        unsafe self.handle = handle
        guard unsafe greylock_sqlite_refuse_quoted_texts(handle) == SQLITE_OK else {
            throw unsafe DatabaseError(lastOf: handle)
        }
    }

    /// The corresponding C function is `sqlite3_close_v2`, which waits for a statement that somebody still has.
    deinit {
        statements = [:]
        unsafe _ = sqlite3_close_v2(handle)
    }

    /// How long another's lock is waited for. The corresponding C function is `sqlite3_busy_timeout`.
    package func waitForLocks(milliseconds: Int32) { unsafe _ = sqlite3_busy_timeout(handle, milliseconds) }

    /// Ends what another thread has running, with an error. The corresponding C function is `sqlite3_interrupt`, which any
    /// thread may call.
    func interrupt() { unsafe sqlite3_interrupt(handle) }

    /// How many rows the last statement changed. The corresponding C function is `sqlite3_changes`.
    package var changesCount: Int { Int(unsafe sqlite3_changes(handle)) }

    // MARK: - Statements

    /// Runs statements without parameters, one after the other. The corresponding C function is `sqlite3_exec`.
    package func execute(_ script: String) throws(DatabaseError) {
        try requireTransaction()
        guard !isReading else { throw Self.isOnlyReading }
        guard unsafe sqlite3_exec(handle, script, nil, nil, nil) == SQLITE_OK else {
            throw unsafe DatabaseError(lastOf: handle)
        }
    }

    /// Runs a statement to its end.
    package func run(_ sql: String, _ arguments: [ColumnValue] = []) throws(DatabaseError) {
        let statement = try bound(sql, arguments)
        defer { statement.reset() }
        while try statement.step() {}
    }

    /// Calls `body` for each row, on which the statement stands.
    package func forEach(
        _ sql: String,
        _ arguments: [ColumnValue] = [],
        _ body: (Statement) throws -> Void
    ) throws {
        let statement = try bound(sql, arguments)
        defer { statement.reset() }
        while try statement.step() { try body(statement) }
    }

    /// What `read` makes of the first row of which it makes something.
    package func first<Result>(
        _ sql: String,
        _ arguments: [ColumnValue] = [],
        _ read: (Statement) throws -> Result?
    ) throws -> Result? {
        let statement = try bound(sql, arguments)
        defer { statement.reset() }
        while try statement.step() {
            if let result = try read(statement) { return result }
        }
        return nil
    }

    /// The first column of the first row; nil without one.
    package func value(_ sql: String, _ arguments: [ColumnValue] = []) throws -> ColumnValue? {
        try first(sql, arguments) { $0.value(at: 0) }
    }

    /// The rows, each with its columns.
    package func rows(_ sql: String, _ arguments: [ColumnValue] = []) throws -> [[ColumnValue]] {
        var rows: [[ColumnValue]] = []
        try forEach(sql, arguments) { rows.append($0.values) }
        return rows
    }

    /// Each text is prepared once; one that is in use is prepared once more, for this use.
    private func bound(_ sql: String, _ arguments: [ColumnValue]) throws(DatabaseError) -> Statement {
        try requireTransaction()
        let statement: Statement
        if let known = statements[sql], !known.isBusy {
            statement = known
        } else {
            statement = try unsafe Statement(sql, handle)
            statements[sql] = statement
        }
        guard !isReading || statement.onlyReads else { throw Self.isOnlyReading }
        try statement.bind(arguments)
        return statement
    }

    private static let isOnlyReading = DatabaseError(.readOnly, "attempt to write a readonly database")

    // MARK: - Transactions

    package enum Transaction: String {
        /// Locks when it reads, and writes nothing.
        case reading = "BEGIN DEFERRED"
        /// Locks at once, so that it never has to give up between reading and writing.
        case writing = "BEGIN IMMEDIATE"
    }

    /// On disk when this returns, or not begun.
    package func transaction<Result>(_ kind: Transaction, _ body: () throws -> Result) throws -> Result {
        try run(kind.rawValue)
        (isInTransaction, isReading) = (true, kind == .reading)
        defer { (isInTransaction, isReading) = (false, false) }
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// SQLite has done it by itself after some errors, and what it cannot write it has not written.
    private func rollBack() {
        guard isOpenTransaction else { return }
        do throws(DatabaseError) { try run("ROLLBACK") } catch { return }
    }

    /// The corresponding C function is `sqlite3_get_autocommit`.
    private var isOpenTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    /// - Throws: `DatabaseError` in a transaction that SQLite has ended by itself: what came after it would stay.
    private func requireTransaction() throws(DatabaseError) {
        guard !isInTransaction || isOpenTransaction else {
            throw DatabaseError(.abort, "Transaction was aborted")
        }
    }

    // MARK: - Pages

    /// The pages as of the last commit; nil where SQLite cannot tell them. The corresponding C function is
    /// `sqlite3_serialize`.
    package func serialized() -> [UInt8]? {
        var count: sqlite3_int64 = 0
        guard let pages = unsafe sqlite3_serialize(handle, "main", &count, 0) else { return nil }
        defer { unsafe sqlite3_free(pages) }
        // SAFETY: SQLite's block of `count` bytes is copied before it is freed.
        return unsafe Array(UnsafeBufferPointer(start: pages, count: Int(count)))
    }

    /// Takes these pages for its database, and never writes them. The corresponding C function is `sqlite3_deserialize`.
    package func deserialize(_ pages: [UInt8]) throws(DatabaseError) {
        guard let copy = unsafe sqlite3_malloc64(UInt64(pages.count)) else { throw DatabaseError(SQLITE_NOMEM) }
        unsafe UnsafeMutableRawBufferPointer(start: copy, count: pages.count).copyBytes(from: pages)
        let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
        let count = Int64(pages.count)
        // SAFETY: SQLite owns the copy from here on, also when the call fails.
        let code = unsafe sqlite3_deserialize(
            handle,
            "main",
            copy.assumingMemoryBound(to: UInt8.self),
            count,
            count,
            flags
        )
        guard code == SQLITE_OK else { throw DatabaseError(code) }
    }
}
