import Dispenser
import Foundation
import FuelPassbook
import Quantities
import Records
import SQLite
import SecurityModule
import Synchronization
import TestJournals
import Testing

@testable import Journal

/// The check of the whole file, beside the journal's work (decision record 0012).
struct SurveyTests {
    private static let pageBytes = 4_096
    private static let mark = "the marked record"
    private let customer = Customer()

    /// A journal of 200 records, of which only the last is open, with its checkpoint.
    ///
    /// - Returns: the open record.
    private func journal(in scratch: Scratch) throws -> Record {
        let journal = try scratch.open()
        let open = try customer.record(200, .locked)
        var entry = JournalEntry(open)
        for number in 1..<200 as Range<UInt32> { entry.records.append(try customer.record(number, .settled)) }
        entry.records[100].remark = Self.mark
        try journal.commit(entry)
        try journal.checkpoint(try customer.checkpoint(200, fen: 700))
        return open
    }

    private func damage(page: Int, in scratch: Scratch) throws {
        let file = try FileHandle(forUpdating: URL(filePath: scratch.path))
        try file.seek(toOffset: UInt64(Self.pageBytes * page))
        try file.write(contentsOf: Data(repeating: 0xA5, count: Self.pageBytes))
        try file.close()
    }

    /// The page of a record in the middle, which neither recovery nor a sale reads.
    private func damageAnOldRecord(in scratch: Scratch) throws {
        let file = try Data(contentsOf: URL(filePath: scratch.path))
        let mark = try #require(file.range(of: Data(Self.mark.utf8)))
        try damage(page: mark.lowerBound / Self.pageBytes, in: scratch)
    }

    @Test func aPageDamagedBehindEveryReadIsFoundAndNoSaleBegins() async throws {
        let scratch = try Scratch()
        let open = try journal(in: scratch)
        try damageAnOldRecord(in: scratch)
        let (found, continuation) = AsyncStream.makeStream(of: Void.self)
        let journal = try SQLiteJournal(path: scratch.path, capacity: 1_000) { continuation.yield() }
        let refusal = try #require(try fault { try journal.room() })
        #expect(refusal.operation == "check" && refusal.reason.hasPrefix("the file is damaged"), "\(refusal)")
        #expect(try fault { try journal.room() } == refusal)
        #expect(journal.damage == refusal)
        #expect(try journal.roomIfCounted(nanosecondsMax: 0) == nil)
        for await _ in found { break }
        // What recovery needs is there, and what it writes.
        #expect(try journal.openRecords() == [open])
        #expect(try journal.lastCheckpoint(of: open.number)?.amount == Amount(fen: 700))
        let escaped = try customer.record(200, .escaped, fen: 700)
        try journal.commit(JournalEntry(escaped, grey: try customer.grey(200, fen: 700)))
        #expect(try JournalReader(path: scratch.path).greyRecords().map(\.amount) == [Amount(fen: 700)])
    }

    @Test func aDamagedPageThatAReadMeetsIsAFaultOfThatRead() throws {
        let scratch = try Scratch()
        _ = try journal(in: scratch)
        let root = try scratch.withConnection { connection in
            try connection.read { try $0.value("SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'sale'")?.integer }
        }
        try damage(page: Int(try #require(root)), in: scratch)
        #expect(try fault { try scratch.open() }?.reason.hasPrefix("the file is damaged") == true)
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try reader.damagedRows.first?.description.hasPrefix("table sale, record unknown: pages") == true)
        #expect(try reader.records(limit: 1) == [])
    }

    @Test func aDamagedSchemaIsRefusedAtOnce() throws {
        let scratch = try Scratch()
        _ = try journal(in: scratch)
        try damage(page: 0, in: scratch)
        let refusal = try #require(try fault { try scratch.open() })
        #expect(refusal.reason.hasPrefix("the file is not a database"))
    }

    @Test func roomIsCountedOnFromTheStart() throws {
        let scratch = try Scratch()
        for number: UInt32 in [1, 2, 3, 4] {
            let journal = try scratch.open(capacity: 6)
            #expect(journal.damage == nil)
            #expect(try journal.roomIfCounted(nanosecondsMax: 60_000_000_000) == 6 - Int(2 * number - 2))
            try journal.commit(JournalEntry(try customer.record(2 * number - 1, .intent)))
            try journal.commit(JournalEntry(try customer.record(2 * number, .intent)))
            #expect(try journal.room() == max(0, 6 - Int(2 * number)))
        }
    }

    /// A clean end moves the `-wal` file into the main file, also when the check still goes on.
    @Test func aJournalThatIsClosedDuringTheCheckEndsClean() throws {
        let scratch = try Scratch()
        var entry = JournalEntry()
        var fields = try customer.fields(1, .settled, kind: .sale, fen: 0)
        for number in 1...5_000 as ClosedRange<UInt32> {
            fields.head.number = RecordNumber(number)
            entry.records.append(try Record(fields))
        }
        try scratch.open().commit(entry)
        let isCalled = Atomic(false)
        for number: UInt32 in 5_001...5_030 {
            do {
                let journal = try SQLiteJournal(path: scratch.path, capacity: 9) {
                    isCalled.store(true, ordering: .relaxed)
                }
                try journal.commit(JournalEntry(try customer.record(number, .intent)))
            }
            #expect(!FileManager.default.fileExists(atPath: scratch.path + "-wal"))
        }
        let damageWasFound = isCalled.load(ordering: .relaxed)
        #expect(!damageWasFound)
        #expect(try scratch.open(capacity: 6_000).room() == 970)
    }
}
