import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import TestJournals
import Testing

@testable import Journal

/// What goes wrong under the journal has a cause in words, and what was on disk before is still there.
struct FaultTests {
    private let customer = Customer()

    @Test func aJournalThatMayNotBeWrittenSaysSo() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(1, .locked)
        try journal.commit(JournalEntry(record))
        try journal.connection.withDatabase { try $0.execute("PRAGMA query_only = 1") }
        let faults = [
            try fault { try journal.commit(JournalEntry(try customer.record(2, .intent))) },
            try fault { try journal.checkpoint(try customer.checkpoint(1, fen: 5)) },
            try fault { try journal.clearLock(of: 1) },
        ]
        #expect(faults.compactMap(\.self).map(\.operation) == ["commit", "checkpoint", "clear a position's lock"])
        for fault in faults { #expect(fault?.reason.hasPrefix("the journal may not be written (SQLite 8") == true) }
        #expect(try journal.openRecords() == [record])
        #expect(try journal.lastCheckpoint(of: RecordNumber(1)) == nil)
    }

    /// A tool that writes past the lock file holds the journal up for a second, and no longer.
    @Test func aWriterThatDoesNotEndIsNamed() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(1, .locked)
        try journal.commit(JournalEntry(record))
        let other = try Connection(scratch.path)
        try other.withDatabase { db in
            try db.execute("BEGIN IMMEDIATE; DELETE FROM sale")
            let refusal = try fault { try journal.commit(JournalEntry(try customer.record(2, .intent))) }
            #expect(refusal?.reason.hasPrefix("the journal is in use by another process (SQLite 5") == true)
            #expect(try journal.openRecords() == [record])
            try db.execute("ROLLBACK")
        }
        try journal.commit(JournalEntry(try customer.record(2, .intent)))
        #expect(try journal.openRecords().count == 2)
    }

    @Test func aDirectoryInTheJournalsPlaceIsRefused() throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: false)
        let refusal = try #require(try fault { try scratch.open() })
        #expect(refusal.operation == "open")
        #expect(refusal.reason == "Is a directory")
    }

    @Test func aLinkToNowhereIsRefused() throws {
        let scratch = try Scratch()
        try FileManager.default.createSymbolicLink(atPath: scratch.path, withDestinationPath: scratch.path("nowhere"))
        #expect(
            try fault { try scratch.open() } == StorageFault(operation: "open", reason: "No such file or directory")
        )
    }

    @Test func aFileThatLostItsEndIsDamaged() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            var entry = JournalEntry()
            for number in 1...100 as ClosedRange<UInt32> { entry.records.append(try customer.record(number, .settled)) }
            try journal.commit(entry)
        }
        let file = try FileHandle(forUpdating: URL(filePath: scratch.path))
        try file.truncate(atOffset: 4_096 * 10)
        try file.close()
        let refusal = try #require(try fault { try scratch.open().room() })
        #expect(refusal.reason.hasPrefix("the file is damaged"))
    }

    /// The journal's own tables are strict; one that another tool made need not be.
    @Test(
        arguments: [
            ("position", "'x'", "is not an integer"), ("position", "1.5", "is not an integer"),
            ("reason", "7", "is not text"), ("reason", "x'00'", "is not text"),
            ("since", "20280229000000", "is not text"),
        ]
    )
    func aValueOfTheWrongTypeIsRefusedByName(column: String, value: String, reason: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.connection.write { db in
            try db.execute(
                """
                DROP TABLE position_lock;
                CREATE TABLE position_lock (position, since, reason);
                INSERT INTO position_lock VALUES (3, '20280229000000', 'test');
                UPDATE position_lock SET \(column) = \(value);
                """
            )
        }
        let rows = try fault {
            try journal.connection.view("read") { db in try db.rows(of: .sideLock, "").map(SideLock.init) }
        }
        #expect(rows?.reason.hasPrefix("table position_lock, position ") == true)
        #expect(rows?.reason.hasSuffix("column \(column): \(reason)") == true, "\(String(describing: rows))")
    }

    @Test func aRowWithoutItsKeyIsNamedUnknown() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.connection.write { db in
            try db.execute("DROP TABLE totaliser; CREATE TABLE totaliser (counts TEXT)")
            try db.execute("INSERT INTO totaliser VALUES ('[1]')")
        }
        let refusal = try fault {
            try journal.connection.view("read") { db in try db.rows(of: .totaliser, "").map(Totaliser.init) }
        }
        #expect(refusal?.reason == "table totaliser, nozzle unknown, column nozzle: is missing")
    }
}
