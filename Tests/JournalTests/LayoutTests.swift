import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import TestFolders
import Testing

@testable import Journal

/// A journal has the tables that its migrations make, and nothing else.
struct LayoutTests {
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n"

    @Test(
        .timeLimit(.minutes(10)),
        arguments: [
            ("CREATE TRIGGER t AFTER INSERT ON sale BEGIN DELETE FROM grey_record; END", "trigger t is"),
            ("CREATE TRIGGER t AFTER UPDATE ON journal_state BEGIN \(endless); END", "trigger t is"),
            ("CREATE TRIGGER t AFTER INSERT ON grdb_migrations BEGIN DELETE FROM sale; END", "trigger t is"),
            ("ALTER TABLE sale RENAME TO s; CREATE VIEW sale AS SELECT * FROM s", "view sale is"),
            ("DROP TABLE grdb_migrations; CREATE VIEW grdb_migrations AS \(endless)", "view grdb_migrations is"),
            ("ALTER TABLE sale ADD COLUMN spy TEXT", "table sale was changed"),
            ("CREATE TABLE spy (x)", "table spy is"), ("DROP INDEX sale_card", "index sale_card is missing"),
            ("DROP TABLE service_run", "table service_run is missing"),
        ]
    )
    func anotherLayoutIsRefusedByName(sql: String, finding: String) throws {
        let scratch = try Scratch()
        do { _ = try scratch.open().reserve() }
        let connection = try Connection(scratch.path)
        try connection.withDatabase { try $0.execute(sql) }
        connection.close()
        let before = try Data(contentsOf: URL(filePath: scratch.path))
        for refusal in [try fault { try scratch.open() }, try fault { try JournalReader(path: scratch.path) }] {
            let reason = try #require(refusal?.reason)
            #expect(reason.hasPrefix("the journal's tables are not as this program made them: \(finding)"), "\(reason)")
        }
        #expect(try Data(contentsOf: URL(filePath: scratch.path)) == before)
    }

    /// A full disk can end the first opening after any of its transactions.
    @Test func aJournalWhoseFirstOpeningDidNotEndSaysSo() throws {
        let rest = "its first opening did not end, as on a full disk. Make room, and let the service open it once"
        for (upTo, words) in [(nil, "the journal is empty"), ("1", "the journal has no record")] {
            let scratch = try Scratch()
            let connection = try Connection(scratch.path)
            if let upTo { try JournalSchema.migrations.migrate(connection, upTo: upTo) }
            connection.close()
            #expect(try fault { try JournalReader(path: scratch.path) }?.reason == "\(words): \(rest)")
            _ = try scratch.open()
            #expect(try JournalReader(path: scratch.path).count() == 0)
        }
    }

    /// Whoever opens a pipe waits for its other end.
    @Test(.timeLimit(.minutes(10)), arguments: ["", "-wal", "-journal", "-shm", "-beat"])
    func aPipeInTheJournalsPlacesIsRefusedAtOnce(suffix: String) throws {
        let scratch = try Scratch()
        if !suffix.isEmpty { _ = try scratch.open().reserve() }
        #expect(unsafe mkfifo(scratch.path + suffix, 0o600) == 0)
        for refusal in [try fault { try scratch.open() }, try fault { try JournalReader(path: scratch.path) }] {
            #expect(refusal?.operation == "open" && refusal?.reason.contains("is not a regular file") == true)
        }
    }

    @Test func whatAKilledProcessLeftIsRemovedAndWhatAnotherHoldsStays() throws {
        let place = try Scratch(in: .memory)
        for name in ["greylock-killed", "greylock-inUse0", "greylock-other-long"] {
            try FileManager.default.createDirectory(atPath: place.path(name), withIntermediateDirectories: false)
            try Data("rest".utf8).write(to: URL(filePath: place.path(name) + "/journal"))
        }
        let held = unsafe open(place.path("greylock-inUse0"), O_RDONLY | O_DIRECTORY)
        defer { close(held) }
        #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
        _ = try JournalImage.pages([1], [2], places: [place.directory.path])
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: place.directory.path)) == [
                "greylock-inUse0", "greylock-other-long",
            ]
        )
    }
}
