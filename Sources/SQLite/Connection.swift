import Synchronization

/// A database that several threads share, one at a time. Calls block until their turn and until SQLite is done; none may be
/// made from within another's body.
package final class Connection: @unchecked Sendable {
    private let turn = Mutex<Void>(())
    /// nil when it was closed. Only whoever has the turn uses it; it changes under `opening` too.
    private var database: Database?
    private let opening = Mutex<Void>(())

    /// - Parameter prepare: what each use relies on.
    package init(
        _ path: String,
        _ access: Database.Access = .create,
        _ prepare: (Database) throws -> Void = { _ in }
    ) throws {
        let database = try Database(path, access)
        try prepare(database)
        self.database = database
    }

    /// A later use is a programmer's error.
    package func close() {
        turn.withLock { _ in opening.withLock { _ in database = nil } }
    }

    /// Ends what another thread has running, with an error.
    package func interrupt() {
        opening.withLock { _ in database?.interrupt() }
    }

    /// One consistent view: nothing that is committed meanwhile is seen, and nothing is written.
    package func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try withDatabase { database in try database.transaction(.reading) { try body(database) } }
    }

    /// One transaction: on disk when this returns, or not begun.
    package func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try withDatabase { database in try database.transaction(.writing) { try body(database) } }
    }

    /// Without a transaction.
    package func withDatabase<Result>(_ body: (Database) throws -> Result) throws -> Result {
        var result: Result?
        try turn.withLock { _ in
            guard let database else { preconditionFailure("the connection was closed") }
            result = try body(database)
        }
        guard let result else { preconditionFailure("the body has ended") }
        return result
    }
}
