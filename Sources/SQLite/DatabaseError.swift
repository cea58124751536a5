private import CSQLite

/// What SQLite answered in place of a result.
package struct DatabaseError: Error, CustomStringConvertible {
    /// With its extension: 778 is an I/O error (10) of a write.
    package let extendedCode: Int32
    package let message: String

    package var code: ResultCode { ResultCode(extendedCode & 0xFF) }

    package var description: String { "SQLite \(extendedCode): \(message)" }

    init(_ code: ResultCode, _ message: String) {
        extendedCode = code.rawValue
        self.message = message
    }

    /// The connection's last call. The corresponding C functions are `sqlite3_extended_errcode` and `sqlite3_errmsg`.
    init(lastOf connection: OpaquePointer) {
        extendedCode = unsafe sqlite3_extended_errcode(connection)
        // SAFETY: SQLite's text ends with a zero, and is copied before another call can change it.
        message = unsafe String(cString: sqlite3_errmsg(connection))
    }

    /// Without a connection that knows more. The corresponding C function is `sqlite3_errstr`.
    init(_ extendedCode: Int32) {
        self.extendedCode = extendedCode
        // SAFETY: a text of SQLite's own that ends with a zero and never goes.
        message = unsafe String(cString: sqlite3_errstr(extendedCode))
    }
}

/// A result code without its extension (https://www.sqlite.org/rescode.html).
package struct ResultCode: Equatable, Sendable {
    package let rawValue: Int32

    init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let permission = ResultCode(SQLITE_PERM)
    package static let abort = ResultCode(SQLITE_ABORT)
    package static let busy = ResultCode(SQLITE_BUSY)
    package static let locked = ResultCode(SQLITE_LOCKED)
    package static let noMemory = ResultCode(SQLITE_NOMEM)
    package static let readOnly = ResultCode(SQLITE_READONLY)
    package static let inputOutput = ResultCode(SQLITE_IOERR)
    package static let corrupt = ResultCode(SQLITE_CORRUPT)
    package static let full = ResultCode(SQLITE_FULL)
    package static let cannotOpen = ResultCode(SQLITE_CANTOPEN)
    package static let constraint = ResultCode(SQLITE_CONSTRAINT)
    package static let authorization = ResultCode(SQLITE_AUTH)
    package static let notADatabase = ResultCode(SQLITE_NOTADB)
}
