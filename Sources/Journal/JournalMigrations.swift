import Quantities
import Records
import SQLite

/// One step from a layout of the journal to the next, in a transaction of its own.
struct JournalMigration: Sendable {
    let identifier: String
    let apply: @Sendable (Database) throws -> Void

    init(_ identifier: String, _ apply: @escaping @Sendable (Database) throws -> Void) {
        self.identifier = identifier
        self.apply = apply
    }
}

/// The steps in their order, and the list in each journal of those that were done. The list has the name and the layout
/// that GRDB gave it, in journals of whatever age.
struct JournalMigrations: Sendable {
    static let listName = "grdb_migrations"
    static let listLayout = "\(listName) (identifier TEXT NOT NULL PRIMARY KEY)"

    let steps: [JournalMigration]

    init(_ steps: [JournalMigration]) { self.steps = steps }

    private func done(_ db: Database) throws -> Set<String> {
        let isThere = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
        guard try db.value(isThere, [ColumnValue(Self.listName)]) != nil else { return [] }
        return Set(try db.rows("SELECT identifier FROM \(Self.listName)").compactMap { $0.first?.text })
    }

    /// Whether the last one is done, and all before it.
    func areDone(in db: Database) throws -> Bool {
        try done(db).isSuperset(of: steps.map(\.identifier))
    }

    /// One of a newer version; nil without any.
    func unknown(in db: Database) throws -> String? {
        try done(db).subtracting(steps.map(\.identifier)).min()
    }

    /// - Parameter last: nil for all.
    func migrate(_ connection: Connection, upTo last: String? = nil) throws {
        try connection.withDatabase { db in
            try createList(db)
            let done = try done(db)
            for step in steps {
                if !done.contains(step.identifier) {
                    try db.transaction(.writing) {
                        try step.apply(db)
                        try enter(step, db)
                    }
                }
                if step.identifier == last { break }
            }
        }
    }

    /// Enters those of the first `count` that are not in the list.
    func enter(first count: Int, in db: Database) throws {
        let done = try done(db)
        let missing = steps.prefix(count).filter { !done.contains($0.identifier) }
        guard !missing.isEmpty else { return }
        try createList(db)
        for step in missing { try enter(step, db) }
    }

    private func createList(_ db: Database) throws {
        try db.execute("CREATE TABLE IF NOT EXISTS \(Self.listLayout)")
    }

    private func enter(_ step: JournalMigration, _ db: Database) throws {
        try db.run("INSERT INTO \(Self.listName) (identifier) VALUES (?)", [ColumnValue(step.identifier)])
    }
}
