import Dispenser
import Foundation
import FuelPassbook
import Quantities
import Records
import SecurityModule
import TestJournals
import Testing

@testable import Journal

/// Small tables that hold a journal back, or do not: each is named, and a technician's word mends it.
struct NumberingRowTests {
    private let customer = Customer()

    private func accept(_ scratch: Scratch) throws -> RecordNumber {
        try SQLiteJournal.accept(path: scratch.path, mark: nil, reason: "the row is gone", time: time(7))
    }

    private func reader(_ scratch: Scratch) throws -> JournalReader {
        try JournalReader(path: scratch.path, key: .demonstration)
    }

    @Test(arguments: [
        "UPDATE numbering SET identity = 'x'", "UPDATE numbering SET is_marked = 7", "DELETE FROM numbering",
        "UPDATE numbering SET reserved = 4294967295", "UPDATE numbering SET reserved = 0",
        "UPDATE numbering SET code = NULL",
    ])
    func numbersThatAreNotBelievedCloseTheSideUntilTheJournalIsAccepted(sql: String) throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            for number: UInt32 in 1...5 { #expect(try journal.reserve() == RecordNumber(number)) }
            try journal.commit(JournalEntry(try customer.record(5, .locked)))
        }
        try scratch.edit(sql)
        do {
            let journal = try scratch.open()
            #expect(try journal.damagedRows().map { "\($0)".prefix(26) } == ["table numbering, journal 1"])
            let lock = try #require(try journal.lock(of: 1))
            #expect(lock.remedy == .acceptJournal && lock.since == .unknown)
            #expect(lock.words.hasPrefix("an unknown time: table numbering, journal 1: "))
            let refusal = try #require(try fault { try journal.reserve() })
            #expect(refusal.refusesNumbers && refusal.reason.hasSuffix("greylock position --accept-journal REASON"))
            // What has begun still ends.
            #expect(try journal.openRecords().map(\.number) == [RecordNumber(5)])
            try journal.commit(JournalEntry(try customer.record(5, .ended, fen: 5)))
        }
        let reader = try reader(scratch)
        #expect(try reader.lock(of: 1)?.remedy == .acceptJournal)
        #expect(try reader.standing(markPath: nil).refusal?.contains("table numbering, journal 1") == true)
        #expect(try accept(scratch) == RecordNumber(1_000_005))
        #expect(try reader.acceptances().map(\.standing) == ["numbers damaged"])
        let journal = try scratch.open()
        #expect(try journal.damagedRows() == [] && journal.lock(of: 1) == nil)
        #expect(try journal.reserve() == RecordNumber(1_000_006))
    }

    @Test func aRowThatNobodyWroteUsesUpNoNumbers() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(try customer.record(try journal.reserve().value, .locked)))
        }
        try scratch.edit(
            """
            CREATE TEMP TABLE forged AS SELECT * FROM sale;
            UPDATE forged SET ttc = 4294967295;
            INSERT INTO sale SELECT * FROM forged;
            """
        )
        #expect(try scratch.open().reserve() == RecordNumber(2))
    }

    /// Nobody gives a number again that a forged row has.
    @Test func numbersOfRowsThatAreNotBelievedAreLeftOut() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(try customer.record(try journal.reserve().value, .locked)))
        }
        try scratch.edit("UPDATE sale SET ttc = 2")
        let journal = try scratch.open()
        #expect(try journal.reserve() == RecordNumber(3))
        #expect(try journal.openRecords() == [])
    }

    @Test(arguments: [
        "UPDATE clock_floor SET utc = utc - 3600", "UPDATE clock_floor SET local = 'x'", "DELETE FROM clock_floor",
    ])
    func aClockFloorThatIsNotBelievedIsAheadOfEveryClockUntilItIsAccepted(sql: String) throws {
        let scratch = try Scratch()
        var entry = JournalEntry(try customer.record(1, .settled))
        entry.moment = try moment(4_000)
        do { try scratch.open().commit(entry) }
        try scratch.edit(sql)
        do {
            let journal = try scratch.open()
            #expect(try journal.damagedRows().map { "\($0)".prefix(24) } == ["table clock_floor, row 1"])
            try journal.commit(entry)
            let latest = try #require(try journal.latestTime())
            #expect(try moment(80_000).isBefore(latest) && latest.local == .unknown)
            try journal.acceptClock(moment(5_000))
        }
        let journal = try scratch.open()
        #expect(try journal.damagedRows() == [] && journal.latestTime() == moment(5_000))
    }

    @Test(arguments: ["UPDATE journal_acceptance SET reason = 'another'", "DELETE FROM journal_acceptance"])
    func anAcceptanceThatIsNotBelievedIsNamed(sql: String) throws {
        let scratch = try Scratch()
        _ = try scratch.open().reserve()
        try FileManager.default.removeItem(atPath: scratch.path + "-mark")
        _ = try accept(scratch)
        try scratch.edit(sql)
        #expect(try reader(scratch).damagedRows.map { "\($0)".prefix(34) } == ["table journal_acceptance, number 1"])
        #expect(try reader(scratch).acceptances() == [])
        let journal = try scratch.open()
        _ = try journal.room()
        #expect(try journal.damagedRows().count == 1 && journal.lock(of: 1) == nil)
    }

    @Test(arguments: ["DROP TABLE grdb_migrations", "DELETE FROM grdb_migrations WHERE identifier = '3'"])
    func aListOfLayoutsThatIsWrongIsPutRight(sql: String) throws {
        let scratch = try Scratch()
        do { try scratch.open().commit(JournalEntry(try customer.record(1, .settled))) }
        try scratch.edit(sql)
        do { #expect(try scratch.open().reserve() == RecordNumber(2)) }
        #expect(try reader(scratch).records(limit: 9).count == 1)
    }
}
