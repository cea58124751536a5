import Foundation
import Testing

/// Decision record 0029 names a test for each row of its tables: each must be there.
struct TriedTableTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Rows of the tables, cell by cell, without their heads.
    private func rows() throws -> [[Substring]] {
        let record = Self.root.appendingPathComponent("Sources/Station/Documentation.docc/0029-what-was-tried.md")
        return try String(contentsOf: record, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| ") && !$0.hasSuffix("| Decision |") }
            .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
    }

    /// Of every Swift file of the tests, what it declares.
    private func sources() throws -> [String] {
        let tests = Self.root.appendingPathComponent("Tests")
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
    }

    @Test func eachRowNamesTestsThatExist() throws {
        let sources = try sources()
        let rows = try rows()
        #expect(rows.count > 45)
        for row in rows {
            // An empty cell before the first bar and behind the last.
            try #require(row.count == 6, "\(row)")
            let names = row[3].matches(of: /`([^`]+)`/).map { String($0.1) }
            #expect(!names.isEmpty, "\(row[1])")
            for name in names { #expect(exists(name, sources), "\(row[1]): \(name)") }
        }
    }

    @Test(arguments: ["TriedTableTests.eachRowNamesNothing", "NoSuchTests.eachRowNamesTestsThatExist", "board/none"])
    func aNameThatIsNowhereIsFound(name: String) throws {
        #expect(try !exists(name, sources()))
    }

    private func exists(_ name: String, _ sources: [String]) -> Bool {
        if name.hasPrefix("board/") {
            return FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(name).path)
        }
        let parts = name.split(separator: ".")
        guard parts.count == 2 else { return false }
        return sources.contains { $0.contains("struct \(parts[0]) {") && $0.contains("func \(parts[1])(") }
    }
}
