import Records
import SQLite

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
            switch error.code {
            case .notADatabase: Self.notADatabase
            case .corrupt: "the file is damaged"
            case .full: "no space is left for the journal"
            case .readOnly, .permission, .authorization: "the journal may not be written"
            case .cannotOpen: "a file of the journal cannot be opened"
            case .busy, .locked: Self.inUse
            case .inputOutput: "the disk failed"
            case _: "SQLite failed"
            }
        self.init(operation: operation, reason: "\(cause) (\(error))")
    }
}

extension Connection {
    /// One transaction: on disk when this returns, or not begun.
    func commit(_ operation: String, _ body: (Database) throws -> Void) throws(StorageFault) {
        do {
            try write(body)
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
