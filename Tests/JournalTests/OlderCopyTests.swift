import Dispenser
import Foundation
import FuelPassbook
import Records
import SecurityModule
import TestJournals
import Testing

@testable import Journal

/// An older journal in the place of the newest stays one, whatever else is done to it or to its mark (decision record
/// 0018): what the newest has finished is not finished again.
struct OlderCopyTests {
    private let customer = Customer()

    /// A journal whose sale has ended and, in "older.db", its copy from while the sale went on.
    private func scratchWithOlderCopy() throws -> Scratch {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(try customer.record(try journal.reserve().value, .locked)))
            try scratch.copy("journal.db", to: "older.db")
            try journal.commit(JournalEntry(try customer.record(1, .ended, fen: 8_219)))
            try journal.commit(JournalEntry(try customer.record(1, .settled, fen: 8_219)))
            // The mark does not count what ends no record.
            for fen: UInt32 in 1...3 { try journal.checkpoint(customer.checkpoint(2, fen: fen)) }
        }
        return scratch
    }

    private func accept(_ scratch: Scratch) throws -> RecordNumber {
        try SQLiteJournal.accept(path: scratch.path, mark: nil, reason: "the disk was replaced", time: time(7))
    }

    private func reader(_ scratch: Scratch) throws -> JournalReader {
        try JournalReader(path: scratch.path, key: .demonstration)
    }

    private func mark(_ scratch: Scratch) -> HighWaterMark { HighWaterMark(path: scratch.path + "-mark") }

    @Test(arguments: [
        "UPDATE numbering SET reserved = reserved + 1", "UPDATE numbering SET code = x'00'", "DELETE FROM numbering",
    ])
    func anOlderCopyWhoseNumbersAreNotBelievedIsRefused(sql: String) throws {
        let scratch = try scratchWithOlderCopy()
        try scratch.copy("journal.db", to: "newest.db")
        try scratch.copy("older.db", to: "journal.db")
        try scratch.edit(sql)
        for _ in 0..<3 {
            let refusal = try #require(try fault { try scratch.open() })
            for words in ["an older copy: 2 later writes", "table numbering, journal 1", "--accept-journal"] {
                #expect(refusal.reason.contains(words), "\(refusal)")
            }
        }
        let standing = try reader(scratch).standing(markPath: nil)
        #expect(standing.copy == .behind(highest: nil, left: 1, commitsMissing: 2))
        #expect(standing.damagedNumbers?.table == "numbering")
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        let words = try reader(scratch).acceptances().map(\.standing)
        #expect(words == ["behind, 2 writes missing, numbers damaged"])
        #expect(try scratch.open().reserve() == RecordNumber(1_000_002))
        // From now on the other one is the older.
        try scratch.copy("newest.db", to: "journal.db")
        try scratch.edit(sql)
        #expect(try fault { try scratch.open() }?.reason.contains("an older copy") == true)
    }

    @Test func withoutNumbersAndMarkNothingIsFinished() throws {
        let scratch = try scratchWithOlderCopy()
        try scratch.copy("older.db", to: "journal.db")
        try scratch.edit("UPDATE numbering SET reserved = 2")
        try FileManager.default.removeItem(atPath: scratch.path + "-mark")
        #expect(try fault { try scratch.open() }?.reason.contains("the journal's mark is missing") == true)
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        #expect(try reader(scratch).acceptances().map(\.standing) == ["mark missing, numbers damaged"])
    }

    /// What the newest journal finishes while its numbers are not believed is in the mark.
    @Test func theMarkCountsOnWhereTheNumbersAreNotBelieved() throws {
        let scratch = try scratchWithOlderCopy()
        let before = try #require(mark(scratch).content)
        try scratch.edit("UPDATE numbering SET reserved = 9")
        try scratch.copy("journal.db", to: "older.db")
        do { try scratch.open().commit(JournalEntry(try customer.record(2, .settled))) }
        let after = try #require(mark(scratch).content)
        #expect(after.identity == before.identity && after.highest == 1 && after.commits > before.commits)
        try scratch.copy("older.db", to: "journal.db")
        #expect(try fault { try scratch.open() }?.reason.contains("an older copy") == true)
    }

    @Test(arguments: [
        "UPDATE journal_state SET sealed = x'00'", "UPDATE journal_state SET commits = 1 << 59",
        "UPDATE journal_state SET commits = 9223372036854775807", "UPDATE journal_state SET identity = zeroblob(16)",
        "UPDATE journal_state SET identity = x'00'", "DELETE FROM journal_state",
    ])
    func aJournalWhoseStateIsNotBelievedIsRefused(sql: String) throws {
        let scratch = try scratchWithOlderCopy()
        try scratch.copy("older.db", to: "journal.db")
        try scratch.edit(sql)
        for _ in 0..<2 {
            let refusal = try #require(try fault { try scratch.open() })
            #expect(refusal.reason.contains("how many writes are in the journal is not believed"), "\(refusal)")
            #expect(refusal.reason.hasSuffix("accept this one: greylock position --accept-journal \"REASON\""))
        }
        let reader = try reader(scratch)
        #expect(try reader.lock(of: 1)?.remedy == .acceptJournal)
        #expect(try reader.standing(markPath: nil).copy == .uncounted(left: 1))
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        #expect(try reader.acceptances().map(\.standing).allSatisfy { $0.hasPrefix("writes unknown") })
        #expect(try reader.acceptances().count == 1)
        let journal = try scratch.open()
        #expect(try journal.lock(of: 1) == nil && journal.reserve() == RecordNumber(1_000_002))
    }

    /// The service's codes are judged by keys; whoever has none sees what stands there.
    @Test func aReaderWithoutKeysComparesWhatStandsThere() throws {
        let scratch = try scratchWithOlderCopy()
        #expect(try JournalReader(path: scratch.path).standing(markPath: nil) == JournalStanding(.upToDate))
        try scratch.copy("older.db", to: "journal.db")
        let standing = try JournalReader(path: scratch.path).standing(markPath: nil)
        #expect(standing == JournalStanding(.behind(highest: 1, left: 1, commitsMissing: 2)))
    }

    @Test(
        arguments: [
            (1, .max), (1, .max - 1), (1, 1 << 60), (.max, 3),
        ] as [(UInt32, Int64)]
    )
    func aMarkBeyondEveryJournalIsNone(highest: UInt32, commits: Int64) throws {
        let scratch = try scratchWithOlderCopy()
        let identity = try #require(mark(scratch).content).identity
        let forged = HighWaterMark.Content(identity: identity, highest: highest, commits: commits)
        try mark(scratch).create(forged)
        try scratch.edit("UPDATE journal_state SET sealed = x'00'")
        #expect(try fault { try scratch.open() }?.reason.contains("-mark is no mark of a journal, or damaged") == true)
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        for number: UInt32 in 2...3 { #expect(try scratch.open().reserve() == RecordNumber(1_000_000 + number)) }
    }

    @Test(arguments: [(1, (1 << 60) - 1), (.max - 1, 1_000)] as [(UInt32, Int64)])
    func aMarkThatLeavesNothingIsNotAcceptedButRemoved(highest: UInt32, commits: Int64) throws {
        let scratch = try scratchWithOlderCopy()
        let identity = try #require(mark(scratch).content).identity
        try mark(scratch).create(HighWaterMark.Content(identity: identity, highest: highest, commits: commits))
        #expect(try fault { try scratch.open() }?.reason.contains("an older copy") == true)
        let refusal = try #require(try fault { try accept(scratch) })
        #expect(refusal.operation == "accept the journal" && refusal.reason.contains("remove it, then accept"))
        #expect(try reader(scratch).acceptances() == [])
        try FileManager.default.removeItem(atPath: scratch.path + "-mark")
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        #expect(try scratch.open().reserve() == RecordNumber(1_000_002))
    }

    @Test func theLastWriteIsSaid() throws {
        let journal = try Scratch().open()
        let key = try #require(journal.start.key)
        var state = JournalState(identity: key.identity, reference: key.reference)
        state.commits = JournalState.commitsEnd - 2
        try state.countCommit()
        #expect(throws: StorageFault.self) { try state.countCommit() }
    }

    @Test(arguments: ["a pipe", "a folder", "a device"])
    func aMarkThatIsNoRegularFileIsRefused(kind: String) throws {
        let scratch = try Scratch()
        _ = try scratch.open().reserve()
        let path = scratch.path + "-mark"
        try FileManager.default.removeItem(atPath: path)
        switch kind {
        case "a pipe": try #require(unsafe mkfifo(path, 0o600) == 0)
        case "a folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case _: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
        }
        let refusal = try #require(try fault { try scratch.open() })
        #expect(refusal.reason.contains("\(path) is no regular file: name another in the setting mark"), "\(refusal)")
        #expect(try reader(scratch).standing(markPath: nil).refusal?.contains("no regular file") == true)
        #expect(try fault { try accept(scratch) }?.reason.contains("no regular file") == true)
        #expect(try reader(scratch).acceptances() == [])
    }
}
