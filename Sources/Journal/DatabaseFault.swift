import GRDB
import Records

extension StorageFault {
    init(_ operation: String, _ error: any Error) {
        switch error {
        case let fault as StorageFault: self = fault
        case let error as DatabaseError: self.init(operation, error)
        case _: self.init(operation: operation, reason: "\(error)")
        }
    }

    private init(_ operation: String, _ error: DatabaseError) {
        let cause =
            switch error.resultCode {
            case .SQLITE_NOTADB: Self.notADatabase
            case .SQLITE_CORRUPT: "the file is damaged"
            case .SQLITE_FULL: "no space is left for the journal"
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: "the journal may not be written"
            case .SQLITE_CANTOPEN: "a file of the journal cannot be opened"
            case .SQLITE_BUSY, .SQLITE_LOCKED: Self.inUse
            case .SQLITE_IOERR: "the disk failed"
            case _: "SQLite failed"
            }
        let code = error.extendedResultCode.rawValue
        self.init(operation: operation, reason: "\(cause) (SQLite \(code): \(error.message ?? "no text"))")
    }
}

extension DatabaseQueue {
    /// One transaction: on disk when this returns, or not begun.
    func commit(_ operation: String, _ body: (Database) throws -> Void) throws(StorageFault) {
        do {
            try inTransaction(.immediate) { db in
                try body(db)
                return .commit
            }
        } catch {
            throw StorageFault(operation, error)
        }
    }

    /// One consistent view.
    func view<Result>(_ operation: String, _ body: (Database) throws -> Result) throws(StorageFault) -> Result {
        do {
            return try read(body)
        } catch {
            throw StorageFault(operation, error)
        }
    }
}
