import Dispenser
import Foundation
import FuelPassbook
import Records
import TestFolders
import TestJournals
import Testing

@testable import Journal

/// A number is never given twice, whatever happens to the journal's file (spec/grey-lock.md, D32; decision record 0018).
struct NumberTests {
    private let customer = Customer()
    private static let suffixes = ["", "-wal", "-mark"]

    private func accept(_ scratch: Scratch, _ name: String = "journal.db") throws -> RecordNumber {
        try SQLiteJournal.accept(path: scratch.path(name), mark: nil, reason: "the disk was replaced", time: time(7))
    }

    @Test func aNumberIsReservedOnDiskBeforeItLeaves() throws {
        let scratch = try Scratch()
        for number: UInt32 in [1, 3, 5] {
            let journal = try scratch.open()
            #expect(try journal.reserve() == RecordNumber(number))
            // Its card fails before the lock: no record.
            #expect(try journal.reserve() == RecordNumber(number + 1))
            try scratch.copy("journal.db", to: "cut.db", Self.suffixes)
            withExtendedLifetime(journal) {}
        }
        #expect(try scratch.open("cut.db").reserve() == RecordNumber(7))
    }

    @Test func anOlderCopyIsRefusedUntilATechnicianAcceptsIt() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            for number: UInt32 in 1...3 {
                #expect(try journal.reserve() == RecordNumber(number))
                try journal.commit(JournalEntry(try customer.record(number, .settled)))
            }
            try scratch.copy("journal.db", to: "backup.db", Self.suffixes)
            for number: UInt32 in 4...9 { #expect(try journal.reserve() == RecordNumber(number)) }
        }
        try scratch.copy("backup.db", to: "journal.db")
        for _ in 0..<2 {
            let refusal = try #require(try fault { try scratch.open() })
            #expect(refusal.operation == "open")
            for words in ["an older copy", "its last number is 3, but 9 has been given", "--accept-journal"] {
                #expect(refusal.reason.contains(words), "\(refusal)")
            }
            let standing = try JournalReader(path: scratch.path).standing(markPath: nil)
            #expect(standing == JournalStanding(.behind(highest: 3, left: 9, commitsMissing: 6)))
        }
        #expect(try accept(scratch) == RecordNumber(9))
        for number: UInt32 in 10...11 { #expect(try scratch.open().reserve() == RecordNumber(number)) }
        let acceptance = try #require(try JournalReader(path: scratch.path).acceptances().first)
        #expect(acceptance.reason == "the disk was replaced" && acceptance.standing == "behind, 6 writes missing")
        #expect(try acceptance.time == time(7) && acceptance.reserved == 3 && acceptance.after == 9)
        #expect(try JournalReader(path: scratch.path).standing(markPath: nil).refusal == nil)
    }

    /// No number was given since the backup, but a record ended.
    @Test func anOlderCopyOfTheSameNumberIsRefused() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            let number = try journal.reserve()
            try journal.commit(JournalEntry(try customer.record(number.value, .debitSent)))
            try scratch.copy("journal.db", to: "backup.db", Self.suffixes)
            try journal.commit(JournalEntry(try customer.record(number.value, .settled)))
        }
        try scratch.copy("backup.db", to: "journal.db")
        #expect(try fault { try scratch.open() }?.reason.contains("1 later writes are not in it") == true)
    }

    @Test func aJournalThatIsUpToDateIsNotAccepted() throws {
        let scratch = try Scratch()
        _ = try scratch.open().reserve()
        #expect(try fault { try accept(scratch) }?.reason == "it is up to date: nothing is to be accepted")
        #expect(try fault { try accept(scratch, "none.db") }?.reason == "No such file or directory")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("none.db")))
    }

    /// A copy taken to another board comes without the mark.
    @Test func aJournalWithoutItsMarkIsRefused() throws {
        let scratch = try Scratch()
        do { for _ in 1...5 { _ = try scratch.open().reserve() } }
        try scratch.copy("journal.db", to: "board2.db")
        #expect(try fault { try scratch.open("board2.db") }?.reason.hasPrefix("the journal's mark is missing") == true)
        #expect(try accept(scratch, "board2.db") == RecordNumber(1_000_005))
        #expect(try scratch.open("board2.db").reserve() == RecordNumber(1_000_006))
        // The mark of the copy is not the first one's: neither board's journal serves beside the other's mark.
        try scratch.copy("board2.db", to: "journal.db", ["-mark"])
        #expect(try fault { try scratch.open() }?.reason.hasPrefix("the mark belongs to another journal") == true)
    }

    @Test func anotherJournalInPlaceOfTheMarkedOneIsRefused() throws {
        let scratch = try Scratch()
        do { for _ in 1...5 { _ = try scratch.open().reserve() } }
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: scratch.path + suffix) {
            try FileManager.default.removeItem(atPath: scratch.path + suffix)
        }
        let refusal = try #require(try fault { try scratch.open() })
        #expect(refusal.reason.hasPrefix("the mark belongs to another journal, which gave the numbers up to 5"))
        #expect(try accept(scratch) == RecordNumber(1_000_005))
        #expect(try scratch.open().reserve() == RecordNumber(1_000_006))
    }

    @Test(arguments: [
        Data(), Data(count: 4_224), Data("greylock-mark 1 torn".utf8), Data(count: 4_096) + Data("greylock-mark".utf8),
    ])
    func aMarkThatCannotBeReadIsRefused(content: Data) throws {
        let scratch = try Scratch()
        _ = try scratch.open().reserve()
        try content.write(to: URL(filePath: scratch.path("journal.db-mark")))
        #expect(try fault { try scratch.open() }?.reason.hasPrefix("the journal's mark cannot be read") == true)
        #expect(try accept(scratch) == RecordNumber(1_000_001))
        #expect(try scratch.open().reserve() == RecordNumber(1_000_002))
    }

    @Test(arguments: [
        Data("[journal]\npath = \"/var/lib/greylock/journal.sqlite\"\n".utf8), Data(repeating: 0xFF, count: 8_192),
        Data("greylock-mark".utf8) + Data(count: 10_000),
    ])
    func anotherFileInTheMarksPlaceIsNotWrittenOver(content: Data) throws {
        let scratch = try Scratch()
        _ = try scratch.open().reserve()
        try content.write(to: URL(filePath: scratch.path("journal.db-mark")))
        let refusal = try #require(try fault { try accept(scratch) })
        #expect(refusal.reason.hasPrefix("\(scratch.path)-mark is something else: "), "\(refusal)")
        #expect(try Data(contentsOf: URL(filePath: scratch.path("journal.db-mark"))) == content)
        #expect(try JournalReader(path: scratch.path).acceptances() == [])
    }

    /// An unplugged medium is no reason to make another mark in its mount point.
    @Test func aMarkThatGoesWhileTheServiceRunsStopsNewNumbers() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        _ = try journal.reserve()
        try FileManager.default.removeItem(atPath: scratch.path("journal.db-mark"))
        let refusal = try #require(try fault { try journal.reserve() })
        #expect(refusal.refusesNumbers && refusal.reason.hasSuffix("has gone: is its medium mounted?"))
        // What has begun still ends.
        try journal.commit(JournalEntry(try customer.record(1, .settled)))
        #expect(!FileManager.default.fileExists(atPath: scratch.path("journal.db-mark")))
    }

    @Test func aMarkOnAnotherMediumIsUsed() throws {
        let scratch = try Scratch()
        let medium = try Scratch(in: .memory)
        for number: UInt32 in 1...2 {
            let journal = try SQLiteJournal(path: scratch.path, capacity: 9, mark: medium.path("mark"))
            #expect(try journal.reserve() == RecordNumber(number))
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.path("journal.db-mark")))
        #expect(try fault { try scratch.open() }?.reason.hasPrefix("the journal's mark is missing") == true)
    }

    /// The mains fail at every 64th byte of a reservation's writes: the station opens, and the number is not given twice.
    @Test func aCutInAReservationLocksNobodyOut() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        _ = try journal.reserve()
        let log = URL(filePath: scratch.path + "-wal")
        let mark = URL(filePath: scratch.path + "-mark")
        let (oldLog, oldMark) = (try Data(contentsOf: log), try Data(contentsOf: mark))
        #expect(try journal.reserve() == RecordNumber(2))
        let (newLog, newMark) = (try Data(contentsOf: log), try Data(contentsOf: mark))
        func opened(_ log: Data, _ mark: Data, _ words: String, next: Set<UInt32>) throws {
            let cut = try Scratch(in: .memory)
            try FileManager.default.copyItem(atPath: scratch.path, toPath: cut.path)
            try log.write(to: URL(filePath: cut.path + "-wal"))
            try mark.write(to: URL(filePath: cut.path + "-mark"))
            let number = try cut.open().reserve().value
            #expect(next.contains(number), "\(words): \(number)")
        }
        // Cut in the journal: the mark is the old one, and the number has not left.
        for length in Set(stride(from: oldLog.count, to: newLog.count, by: 64)).union([newLog.count]) {
            try opened(newLog.prefix(length), oldMark, "\(length) bytes", next: [2, 3])
        }
        // Cut in the mark: the journal is whole; the slot that is written is the old one, torn or the new one.
        #expect(oldMark.count <= newMark.count)
        let padded = oldMark + Data(count: newMark.count - oldMark.count)
        for length in (0...newMark.count).filter({ $0 % 4_096 < 128 && $0 % 8 == 0 || $0 % 512 == 0 }) {
            try opened(newLog, newMark.prefix(length) + padded.dropFirst(length), "mark of \(length) bytes", next: [3])
        }
        // A disk that loses a journal which it said to have written is an older copy.
        let lost = try Scratch(in: .memory)
        try FileManager.default.copyItem(atPath: scratch.path, toPath: lost.path)
        try oldLog.write(to: URL(filePath: lost.path + "-wal"))
        try newMark.write(to: URL(filePath: lost.path + "-mark"))
        #expect(try fault { try lost.open() }?.reason.contains("its last number is 1, but 2 has been given") == true)
        withExtendedLifetime(journal) {}
    }

    @Test func aJournalWithoutNumbersLeftIsNotAccepted() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(try customer.record(.max - 2, .settled)))
            #expect(try journal.reserve() == RecordNumber(.max - 1))
            #expect(try fault { try journal.reserve() }?.reason == "no number follows 4294967294")
        }
        #expect(try scratch.open().openRecords() == [])
        try FileManager.default.removeItem(atPath: scratch.path + "-mark")
        #expect(try fault { try accept(scratch) }?.reason.hasPrefix("no number would be left. ") == true)
        #expect(try JournalReader(path: scratch.path).acceptances() == [])
    }
}
