import Records
import SQLite

/// Whether the pages of a file are sound and its indexes say what their tables do, which no code covers.
enum FileCheck {
    case sound
    /// An index lacks rows, or finds others; the pages are sound, so that it can be made anew.
    case indexes(String)
    case pages(String)
}

extension Database {
    /// The whole file, which is read from end to end.
    func checkFile() throws -> FileCheck {
        guard let finding = try finding("integrity_check(1)") else { return .sound }
        return try self.finding("quick_check(1)").map(FileCheck.pages) ?? .indexes(finding)
    }

    /// The first finding of one of SQLite's checks; nil when there is none.
    func finding(_ check: String) throws -> String? {
        let words = try value("PRAGMA \(check)")?.text ?? "no verdict"
        guard words != "ok" else { return nil }
        // A heading names the database.
        return words.split(separator: "\n").filter { !$0.hasPrefix("***") }.joined(separator: ", ")
    }

    func rebuildIndexes() throws { try execute("REINDEX") }

    /// Each table in which the file is not sound.
    func damagedTables() throws -> [DamagedRow] {
        let reason: String
        let first: String
        switch try checkFile() {
        case .sound: return []
        case .indexes(let finding):
            (reason, first) = ("an index does not agree with it; the service's next start makes it anew", finding)
        case .pages(let finding): (reason, first) = ("pages of the file are damaged, and no card is served", finding)
        }
        let rows = try (JournalTable.coded + [.state]).compactMap { table in
            try finding("integrity_check(\(table.name))").map { table.damagedRow("\(reason): \($0)") }
        }
        guard rows.isEmpty else { return rows }
        return [
            DamagedRow(table: "sqlite_schema", keyName: "page", key: nil, column: nil, reason: "\(reason): \(first)")
        ]
    }
}

extension JournalTable {
    /// Of the whole table.
    func damagedRow(_ reason: String) -> DamagedRow {
        DamagedRow(table: name, keyName: keyName, key: nil, column: nil, reason: reason)
    }
}

extension Connection {
    /// Makes the indexes anew when one does not say what its table does, and the pages are sound.
    ///
    /// - Returns: what was amiss; nil when nothing was done.
    func mendIndexes() throws -> DamagedRow? {
        guard case .indexes(let finding) = try read({ try $0.checkFile() }) else { return nil }
        try commit("make the indexes anew") { try $0.rebuildIndexes() }
        return .index(finding)
    }
}

extension DamagedRow {
    /// An index that is made anew.
    static func index(_ finding: String) -> DamagedRow {
        DamagedRow(
            table: "sqlite_schema",
            keyName: "index",
            key: nil,
            column: nil,
            reason: "an index did not agree with its table and was made anew: \(finding)"
        )
    }
}
