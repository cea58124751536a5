import FuelPassbook
import Quantities
import Records
import SQLite

/// What stands in a database's schema, which is under no code: a trigger, a view in a table's place or a changed text makes
/// other rows of the same writes.
struct JournalLayout: Equatable {
    struct Object: Hashable {
        let type: String
        let name: String
        let table: String
        /// Empty for what SQLite made by itself; white space counts as one blank.
        let text: String

        var words: String { "\(type) \(name)".printable }
    }

    let objects: Set<Object>

    init(_ db: Database) throws {
        let rows = try db.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema")
        let all = rows.map { row in
            let values = row.map { $0.text ?? "" }
            let text = values[3].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return Object(type: values[0], name: values[1], table: values[2], text: text)
        }
        objects = Set(all).subtracting(Self.list)
    }

    /// After no migration, the first, and so on.
    private static let known: Result<[JournalLayout], any Error> = Result {
        let connection = try Connection(":memory:")
        return try [connection.read(JournalLayout.init)]
            + JournalSchema.migrations.steps.map { step in
                try JournalSchema.migrations.migrate(connection, upTo: step.identifier)
                return try connection.read(JournalLayout.init)
            }
    }

    /// After all of them: what a start finds, as a rule, and so made without the others.
    private static let newest: Result<JournalLayout, any Error> = Result {
        let connection = try Connection(":memory:")
        try JournalSchema.migrations.migrate(connection)
        return try connection.read(JournalLayout.init)
    }

    /// The list of migrations, which is put right when the tables are there.
    private static let list: Set<Object> = [
        Object(
            type: "table",
            name: JournalMigrations.listName,
            table: JournalMigrations.listName,
            text: "CREATE TABLE \(JournalMigrations.listLayout)"
        ),
        Object(
            type: "index",
            name: "sqlite_autoindex_\(JournalMigrations.listName)_1",
            table: JournalMigrations.listName,
            text: ""
        ),
    ]

    var isNewest: Bool { get throws { try Self.newest.get() == self } }

    /// After how many migrations it is there; nil for none that they make.
    var steps: Int? {
        get throws {
            try isNewest ? JournalSchema.migrations.steps.count : Self.known.get().firstIndex(of: self)
        }
    }

    /// - Throws: `StorageFault` with the name of a trigger, a view or a virtual table, before another table is read.
    static func requireTables(_ db: Database) throws {
        let sql = """
            SELECT type || ' ' || name FROM sqlite_schema
            WHERE type NOT IN ('table', 'index') OR type = 'table' AND rootpage = 0 ORDER BY name LIMIT 1
            """
        guard let other = try db.value(sql)?.text else { return }
        throw fault("\(other.printable) is none of this program")
    }

    /// - Parameter mayBeOlder: it may be that of an earlier version.
    /// - Throws: `StorageFault` with the name of an object that is missing, changed or of another program.
    func require(mayBeOlder: Bool) throws {
        if try isNewest { return }
        let known = mayBeOlder ? try Self.known.get() : [try Self.newest.get()]
        let distances = known.map { $0.objects.symmetricDifference(objects).count }
        guard let nearest = zip(known, distances).min(by: { $0.1 < $1.1 })?.0, nearest != self else { return }
        if let other = objects.subtracting(nearest.objects).min(by: { $0.words < $1.words }) {
            let isKnown = nearest.objects.contains { $0.type == other.type && $0.name == other.name }
            throw Self.fault("\(other.words) \(isKnown ? "was changed" : "is none of this program")")
        }
        let missing = nearest.objects.subtracting(objects).map(\.words).min() ?? "nothing"
        throw Self.fault("\(missing) is missing")
    }

    private static func fault(_ finding: String) -> StorageFault {
        StorageFault(
            operation: "open",
            reason: "the journal's tables are not as this program made them: \(finding). "
                + "Bring back the newest sound copy, or have a technician put it right by SQL"
        )
    }
}
