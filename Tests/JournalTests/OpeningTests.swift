import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import TestJournals
import Testing

@testable import Journal

struct OpeningTests {
    private let customer = Customer()

    @Test func theFilesAreTheOwnersAlone() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(1, .intent)))
        for suffix in ["", "-wal", "-mark"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + suffix)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(suffix)")
        }
    }

    @Test func eachCommitIsSyncedAndTheLogStaysSmall() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let (mode, synchronous, mapped) = try journal.connection.withDatabase { db in
            (
                try db.value("PRAGMA journal_mode"), try db.value("PRAGMA synchronous"),
                try db.value("PRAGMA mmap_size")
            )
        }
        #expect(mode == "wal" && synchronous == 2 && mapped == 0)
        for fen in 1...2_000 as ClosedRange<UInt32> { try journal.checkpoint(try customer.checkpoint(1, fen: fen)) }
        let size = try FileManager.default.attributesOfItem(atPath: scratch.path + "-wal")[.size] as? Int
        #expect(try #require(size) < 300 * 4_120)
    }

    @Test func aSecondWriterIsRefusedWhileReadersWork() throws {
        let scratch = try Scratch()
        let record = try customer.record(1, .settled)
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(record))
            let refusal = StorageFault(operation: "open", reason: "the journal is in use by another process")
            #expect(try fault { try scratch.open() } == refusal)
            let reader = try JournalReader(path: scratch.path)
            #expect(try reader.records(limit: 5) == [record])
            let next = try customer.record(2, .intent)
            try journal.commit(JournalEntry(next))
            #expect(try reader.records(limit: 5) == [record, next])
            #expect(try reader.records(limit: 1) == [next])
            #expect(try reader.records(limit: 0) == [])
        }
        #expect(try scratch.open().reserve() == RecordNumber(3))
    }

    @Test func aReaderFindsWhatACrashLeftAndChangesNothing() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(1, .locked)
        try journal.commit(JournalEntry(record))
        for suffix in ["", "-wal", "-mark"] {
            try FileManager.default.copyItem(atPath: scratch.path + suffix, toPath: scratch.path("crash.db") + suffix)
        }
        let files = try ["", "-wal"].map { try Data(contentsOf: URL(filePath: scratch.path("crash.db") + $0)) }
        do {
            #expect(try JournalReader(path: scratch.path("crash.db")).records(limit: 9) == [record])
        }
        #expect(try ["", "-wal"].map { try Data(contentsOf: URL(filePath: scratch.path("crash.db") + $0)) } == files)
        #expect(try scratch.open("crash.db").openRecords() == [record])
    }

    @Test func aReaderMakesNoJournal() throws {
        let scratch = try Scratch()
        #expect(try fault { try JournalReader(path: scratch.path) }?.reason == "No such file or directory")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.directory.path).isEmpty)
    }

    @Test func aFileThatIsNoDatabaseIsRefusedAndLeftAlone() throws {
        let scratch = try Scratch()
        for text in ["x", String(repeating: "not a database ", count: 1_000)] {
            try Data(text.utf8).write(to: URL(filePath: scratch.path))
            let faults = [try fault { try scratch.open() }, try fault { try JournalReader(path: scratch.path) }]
            for fault in faults { #expect(fault?.reason.hasPrefix("the file is not a database") == true) }
            #expect(try Data(contentsOf: URL(filePath: scratch.path)) == Data(text.utf8))
        }
    }

    @Test func aDatabaseOfSomethingElseIsRefusedAndLeftAlone() throws {
        let scratch = try Scratch()
        try Connection(scratch.path).close()
        let other = try Connection(scratch.path)
        try other.write { try $0.execute("CREATE TABLE holiday (day TEXT)") }
        other.close()
        let before = try Data(contentsOf: URL(filePath: scratch.path))
        #expect(try fault { try scratch.open() }?.reason == "the database is not a journal")
        #expect(try fault { try JournalReader(path: scratch.path) }?.reason == "the database is not a journal")
        #expect(try Data(contentsOf: URL(filePath: scratch.path)) == before)
    }

    @Test func aNewerVersionIsRefused() throws {
        let scratch = try Scratch()
        try scratch.withConnection { connection in
            try connection.write { try $0.execute("INSERT INTO grdb_migrations VALUES ('999')") }
        }
        let reason = "a newer version of this program wrote the journal: its migrations name 999"
        #expect(try fault { try scratch.open() }?.reason == reason)
        #expect(try fault { try JournalReader(path: scratch.path) }?.reason == reason)
    }

    @Test func anOlderVersionIsNotReadWithoutAWriter() throws {
        let scratch = try Scratch()
        try scratch.withConnection { connection in
            try connection.write { try $0.execute("DELETE FROM grdb_migrations") }
        }
        let refusal = try fault { try JournalReader(path: scratch.path) }
        #expect(refusal?.reason == "an older version wrote the journal: the service must open it once")
    }

    /// The kernel's own directory refuses even the superuser.
    @Test func aDirectoryThatMayNotBeWrittenIsRefused() throws {
        let refusal = try #require(try fault { try SQLiteJournal(path: "/sys/journal.db", capacity: 1) })
        #expect(refusal == StorageFault(operation: "create", reason: "Permission denied"))
        let missing = try #require(try fault { try SQLiteJournal(path: "/nonexistent/journal.db", capacity: 1) })
        #expect(missing.reason == "No such file or directory")
    }

    @Test(.enabled(if: geteuid() == 0, "only root may make a file in another user's folder"))
    func rootMakesNoJournalForAnotherUsersService() throws {
        let scratch = try Scratch()
        let folder = URL(filePath: scratch.path).deletingLastPathComponent().path
        try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: folder)
        let fault = #expect(throws: StorageFault.self) { try scratch.open() }
        #expect(fault?.reason.contains("its folder belongs to user") == true, "\(String(describing: fault))")
        #expect(!FileManager.default.fileExists(atPath: scratch.path))
        try FileManager.default.setAttributes([.ownerAccountID: 0], ofItemAtPath: folder)
        _ = try scratch.open()
    }

    @Test func aFullDiskIsAFaultAndLosesNothing() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        var kept = [try customer.record(1, .locked)]
        // Which leaves room in its page.
        kept[0].remark = String(repeating: "x", count: 200)
        try journal.commit(JournalEntry(kept[0]))
        let checkpoint = try customer.checkpoint(1, fen: 50)
        try journal.checkpoint(checkpoint)
        try journal.connection.withDatabase { db in
            let pages = try #require(try db.value("PRAGMA page_count")?.integer)
            try db.execute("PRAGMA max_page_count = \(pages)")
        }
        var refusal: StorageFault?
        for number: UInt32 in 2...100 where refusal == nil {
            let record = try customer.record(number, .intent)
            refusal = try fault { try journal.commit(JournalEntry(record, grey: try customer.grey(number, fen: 0))) }
            if refusal == nil { kept.append(record) }
        }
        #expect(try #require(refusal).reason.hasPrefix("no space is left for the journal"))
        #expect(try journal.openRecords() == kept)
        #expect(try journal.lastCheckpoint(of: RecordNumber(1)) == checkpoint)
        #expect(try JournalReader(path: scratch.path).greyRecords().count == kept.count - 1)
        // What needs no new page still goes to disk: the sale can end.
        let ended = try customer.record(1, .ended, fen: 50)
        try journal.commit(JournalEntry(ended))
        #expect(try journal.record(RecordNumber(1)) == ended)
    }
}
