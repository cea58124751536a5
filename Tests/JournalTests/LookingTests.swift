import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import TestFolders
import TestJournals
import Testing

@testable import Journal

/// Looking changes nothing, locks nothing and makes nothing (decision record 0018).
struct LookingTests {
    private let customer = Customer()

    private func names(_ scratch: Scratch) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: scratch.directory.path))
    }

    /// The files of a journal whose process was killed: everything is in the log.
    private func killed(_ scratch: Scratch, as name: String, _ suffixes: [String] = ["", "-wal"]) throws {
        let journal = try scratch.open()
        for number: UInt32 in 1...40 { try journal.commit(JournalEntry(try customer.record(number, .settled))) }
        for suffix in suffixes {
            try FileManager.default.copyItem(atPath: scratch.path + suffix, toPath: scratch.path(name) + suffix)
        }
        withExtendedLifetime(journal) {}
    }

    @Test func aLogAppliedBySQLiteAndByUsIsTheSame() throws {
        let scratch = try Scratch()
        try killed(scratch, as: "killed.db")
        let ours = try JournalReader(path: scratch.path("killed.db")).records(limit: 99)
        let theirs = try Connection(scratch.path("killed.db")).read { db in
            try db.rows(of: .sale, "ORDER BY ttc").map(Record.init)
        }
        #expect(ours == theirs && ours.count == 40)
    }

    /// Cut anywhere in its frames, what SQLite would recover: the same records, or none because there is no table yet.
    @Test func everyTornLogIsReadAsSQLiteReadsIt() throws {
        let scratch = try Scratch()
        try killed(scratch, as: "killed.db")
        let log = try Data(contentsOf: URL(filePath: scratch.path("killed.db-wal")))
        var counts: Set<Int> = []
        for length in Array(stride(from: 0, to: log.count, by: 4_100)) + [log.count] {
            let cut = try Scratch(in: .memory)
            try FileManager.default.copyItem(atPath: scratch.path("killed.db"), toPath: cut.path)
            try log.prefix(length).write(to: URL(filePath: cut.path + "-wal"))
            var ours: Int?
            let refusal = try fault { ours = try JournalReader(path: cut.path).count() }
            #expect(try names(cut) == ["journal.db", "journal.db-wal"])
            let theirs = try Connection(cut.path).read { db in
                try JournalSchema.migrations.areDone(in: db)
                    ? db.value("SELECT count(*) FROM sale")?.integer.map(Int.init) : nil
            }
            #expect(ours == theirs, "\(length) bytes: \(String(describing: refusal))")
            counts.insert(ours ?? -1)
        }
        #expect(counts.isSuperset(of: [-1, 40]) && counts.count > 30)
    }

    @Test func nothingStaysOfThePrivateCopy() throws {
        let scratch = try Scratch()
        try killed(scratch, as: "killed.db")
        let main = try Data(contentsOf: URL(filePath: scratch.path("killed.db")))
        let log = try Data(contentsOf: URL(filePath: scratch.path("killed.db-wal")))
        let place = try Scratch(in: .memory)
        for log in [log, Data(log.prefix(5_000)), Data("no log".utf8)] {
            for main in [main, Data(main.prefix(3_000)), Data("no database".utf8)] {
                let places = ["/nonexistent", place.directory.path]
                #expect(try !JournalImage.pages(Array(main), Array(log), places: places).isEmpty)
                #expect(try names(place).isEmpty)
            }
        }
    }

    @Test func aRunningServicesJournalIsReadWithoutAFileMadeOrALockTaken() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.connection.withDatabase { try $0.execute("PRAGMA wal_autocheckpoint = 3") }
        let reader = try JournalReader(path: scratch.path)
        for number: UInt32 in 1...60 {
            try journal.commit(JournalEntry(try customer.record(number, .settled)))
            #expect(try reader.count() == Int(number))
        }
        #expect(try names(scratch) == ["journal.db", "journal.db-wal", "journal.db-mark"])
        // Closing the reader's descriptors took none of the writer's locks.
        #expect(try fault { try scratch.open() }?.reason == StorageFault.inUse)
    }

    @Test func aJournalThatEndedCleanlyIsReadWithoutAFileMade() throws {
        let scratch = try Scratch()
        do { try scratch.open().commit(JournalEntry(try customer.record(1, .settled))) }
        let file = try Data(contentsOf: URL(filePath: scratch.path))
        let before = try names(scratch)
        #expect(try JournalReader(path: scratch.path).count() == 1)
        #expect(try names(scratch) == before && !before.contains("journal.db-wal"))
        #expect(try Data(contentsOf: URL(filePath: scratch.path)) == file)
    }

    @Test func aSymbolicLinkARelativePathAndAHardLinkAreTheSameJournal() throws {
        let scratch = try Scratch()
        let link = scratch.path("link.db")
        let journal = try scratch.open()
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scratch.path)
        let relative = "../../../../../../../../.." + scratch.path
        for path in [link, relative, scratch.directory.path + "/./journal.db"] {
            #expect(try fault { try SQLiteJournal(path: path, capacity: 9) }?.reason == StorageFault.inUse, "\(path)")
        }
        try FileManager.default.linkItem(atPath: scratch.path, toPath: scratch.path("hard.db"))
        let refusal = try #require(try fault { try scratch.open("hard.db") })
        #expect(refusal.reason == "the journal's file has 2 names: remove the other hard links")
        try journal.commit(JournalEntry(try customer.record(1, .settled)))
        withExtendedLifetime(journal) {}
    }

    @Test func aJournalThatOthersMayWriteIsRefused() throws {
        let scratch = try Scratch()
        do { _ = try scratch.open().reserve() }
        for mode in [0o660, 0o606] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: scratch.path)
            #expect(try fault { try scratch.open() }?.reason == "others may write the journal: chmod 600")
        }
    }
}
