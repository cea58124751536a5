private import CSQLite

/// A prepared statement: bound, stepped through its rows, and reset for the next time.
///
/// Its database gives it out, and resets it when whoever asked is done: see ``Database/forEach(_:_:_:)``.
@safe
package final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private var names: [String]
    private var timesPrepared: Int32 = 0

    /// The corresponding C function is `sqlite3_prepare_v3`.
    ///
    /// - Parameter sql: one statement.
    init(_ sql: String, _ connection: OpaquePointer) throws(DatabaseError) {
        var handle: OpaquePointer?
        var sql = sql
        // SAFETY: SQLite copies the text, of as many bytes as it is told.
        let code = sql.withUTF8 { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe sqlite3_prepare_v3(
                    connection,
                    text.baseAddress,
                    Int32(text.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT),
                    &handle,
                    nil
                )
            }
        }
        guard code == SQLITE_OK else { throw unsafe DatabaseError(lastOf: connection) }
        guard let handle = unsafe handle else { preconditionFailure("a text without a statement") }
        unsafe self.handle = handle
        unsafe self.connection = connection
        names = unsafe Self.names(handle)
    }

    /// The corresponding C function is `sqlite3_finalize`, whose result is that of the last step.
    deinit { unsafe _ = sqlite3_finalize(handle) }

    /// It changes nothing in the file. The corresponding C function is `sqlite3_stmt_readonly`.
    var onlyReads: Bool { unsafe sqlite3_stmt_readonly(handle) != 0 }

    /// It stands on a row. The corresponding C function is `sqlite3_stmt_busy`.
    var isBusy: Bool { unsafe sqlite3_stmt_busy(handle) != 0 }

    /// - Parameter values: as many as the statement has parameters.
    func bind(_ values: [ColumnValue]) throws(DatabaseError) {
        precondition(values.count == Int(unsafe sqlite3_bind_parameter_count(handle)), "each parameter has a value")
        var index: Int32 = 0
        for value in values {
            index += 1
            guard bind(value, index) == SQLITE_OK else { throw unsafe DatabaseError(lastOf: connection) }
        }
    }

    /// The corresponding C functions are those of `sqlite3_bind_int64`.
    private func bind(_ value: ColumnValue, _ index: Int32) -> Int32 {
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number): unsafe sqlite3_bind_double(handle, index, number)
        case .text(let text) where text.isEmpty: unsafe greylock_sqlite_bind_text(handle, index, "", 0)
        case .text(var text):
            // SAFETY: SQLite copies the text, of as many bytes as it is told.
            text.withUTF8 { text in
                unsafe text.withMemoryRebound(to: CChar.self) { text in
                    unsafe greylock_sqlite_bind_text(handle, index, text.baseAddress, UInt64(text.count))
                }
            }
        case .blob(let bytes) where bytes.isEmpty: unsafe sqlite3_bind_zeroblob(handle, index, 0)
        case .blob(let bytes):
            // SAFETY: SQLite copies the bytes, as many as it is told.
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe greylock_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
            }
        }
    }

    /// The corresponding C function is `sqlite3_step`.
    ///
    /// - Returns: whether it stands on a row.
    func step() throws(DatabaseError) -> Bool {
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case _: throw unsafe DatabaseError(lastOf: connection)
        }
    }

    /// The corresponding C function is `sqlite3_reset`, whose result is that of the last step.
    func reset() { unsafe _ = sqlite3_reset(handle) }

    // MARK: - The row it stands on

    /// The columns' names. A change of the schema makes others: SQLite prepares the statement anew at its next step.
    ///
    /// The corresponding C functions are `sqlite3_stmt_status` and `sqlite3_column_name`.
    package var columns: [String] {
        let times = unsafe sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
        if times != timesPrepared { (timesPrepared, names) = unsafe (times, Self.names(handle)) }
        return names
    }

    private static func names(_ handle: OpaquePointer) -> [String] {
        let count = unsafe sqlite3_column_count(handle)
        // SAFETY: SQLite's text ends with a zero, and is copied.
        return (0..<count).map { unsafe String(cString: sqlite3_column_name(handle, $0)) }
    }

    /// The value where SQLite has it.
    ///
    /// The corresponding C functions are `sqlite3_column_type` and those for its results.
    package func standing(at column: Int) -> StandingValue {
        let index = Int32(column)
        switch unsafe sqlite3_column_type(handle, index) {
        case SQLITE_NULL: return unsafe .null
        case SQLITE_INTEGER: return unsafe .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: return unsafe .real(sqlite3_column_double(handle, index))
        case SQLITE_TEXT: return unsafe .text(bytes(at: index, UnsafeRawPointer(sqlite3_column_text(handle, index))))
        case _: return unsafe .blob(bytes(at: index, sqlite3_column_blob(handle, index)))
        }
    }

    /// The corresponding C function is `sqlite3_column_bytes`.
    private func bytes(at index: Int32, _ start: UnsafeRawPointer?) -> UnsafeRawBufferPointer {
        // SAFETY: there are as many bytes as SQLite says; an empty value, and one for which there is no memory, has none.
        unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(handle, index)))
    }

    package func value(at column: Int) -> ColumnValue {
        // SAFETY: the bytes are copied before the statement goes on.
        switch unsafe standing(at: column) {
        case .null: .null
        case .integer(let number): .integer(number)
        case .real(let number): .real(number)
        case .text(let bytes): .text(unsafe String(decoding: bytes, as: UTF8.self))
        case .blob(let bytes): .blob(unsafe Array(bytes))
        }
    }

    /// In the order of ``columns``.
    package var values: [ColumnValue] { columns.indices.map(value) }
}

/// A value of the row that a statement stands on. The bytes, a text's in UTF-8, are the statement's until it goes on.
@unsafe
package enum StandingValue {
    case null
    case integer(Int64)
    case real(Double)
    case text(UnsafeRawBufferPointer)
    case blob(UnsafeRawBufferPointer)
}
