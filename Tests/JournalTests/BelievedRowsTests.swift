import Dispenser
import Foundation
import FuelPassbook
import Quantities
import Records
import SQLite
import SecurityModule
import TestJournals
import Testing

@testable import Journal

/// A row is what the service wrote last, in its own place, or is named (decision record 0017).
struct BelievedRowsTests {
    private let customer = Customer()

    /// Two steps in the life of a row of each table; ``rows`` says which.
    private func steps() throws -> [JournalEntry] {
        let other = try customer.grey(2, fen: 60, .settled)
        return [
            JournalEntry(
                try customer.record(1, .locked),
                try customer.record(2, .escaped, kind: .escape, fen: 60),
                grey: try customer.grey(2, fen: 60),
                totaliser: customer.totaliser(fen: 60),
                overrun: Overrun(nozzle: 5, counts: 6),
                lock: SideLock(side: 3, since: try time(1), reason: "11 pulser faults")
            ),
            JournalEntry(
                try customer.record(1, .ended, fen: 70),
                try customer.record(2, .settled, fen: 60),
                grey: other,
                totaliser: customer.totaliser(fen: 130),
                overrun: Overrun(nozzle: 5, counts: -7),
                lock: SideLock(side: 3, since: try time(2), reason: "12 pulser faults")
            ),
        ]
    }

    private static let rows = [
        ("sale", 1, "record"), ("sale", 2, "record"), ("grey_record", 2, "record"), ("totaliser", 5, "nozzle"),
        ("overrun", 5, "nozzle"),
        ("position_lock", 3, "position"), ("checkpoint", 9, "record"),
    ]

    private func write(_ journal: SQLiteJournal, _ steps: [JournalEntry]) throws {
        for (index, step) in steps.enumerated() {
            try journal.commit(step)
            try journal.checkpoint(try customer.checkpoint(9, fen: UInt32(100 * index + 100)))
        }
    }

    /// The row's bytes, before the second step and after it.
    private func versions(_ scratch: Scratch, _ table: String, _ key: Int) throws -> [[ColumnValue]] {
        let journal = try scratch.open()
        return try steps().enumerated().map { index, step in
            try journal.commit(step)
            try journal.checkpoint(try customer.checkpoint(9, fen: UInt32(100 * index + 100)))
            return try journal.connection.read { db in
                try #require(try db.rows("SELECT * FROM \(table) WHERE rowid = ?", [ColumnValue(key)]).first)
            }
        }
    }

    private func edit(_ scratch: Scratch, _ name: String = "journal.db", _ body: (Database) throws -> Void) throws {
        let connection = try Connection(scratch.path(name))
        try connection.write(body)
        connection.close()
    }

    private func put(_ row: [ColumnValue], into table: String, _ db: Database) throws {
        let marks = repeatElement("?", count: row.count).joined(separator: ", ")
        try db.run("INSERT OR REPLACE INTO \(table) VALUES (\(marks))", row)
    }

    /// What a start names, when the whole file was read.
    private func damagedAsRead(_ scratch: Scratch) throws -> [String] {
        try JournalReader(path: scratch.path, key: .demonstration).damagedRows.map(\.description)
    }

    private func named(_ scratch: Scratch, _ name: String = "journal.db") throws -> [String] {
        let journal = try scratch.open(name)
        _ = try journal.room()
        let started = try journal.damagedRows().map(\.description)
        let listed = try JournalReader(path: scratch.path(name), key: .demonstration).damagedRows.map(\.description)
        #expect(Set(started) == Set(listed))
        return started
    }

    @Test func aSoundJournalNamesNothing() throws {
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        for _ in 0..<2 { #expect(try named(scratch) == []) }
    }

    @Test(arguments: 0..<rows.count) func anOlderRowPutBackIsTold(index: Int) throws {
        let (table, key, keyName) = Self.rows[index]
        let scratch = try Scratch()
        let older = try #require(try versions(scratch, table, key).first)
        try edit(scratch) { try put(older, into: table, $0) }
        #expect(
            try named(scratch) == ["table \(table), \(keyName) \(key): an older row was put back in its place"]
        )
    }

    @Test(arguments: 0..<rows.count) func aRemovedRowIsTold(index: Int) throws {
        let (table, key, keyName) = Self.rows[index]
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        try edit(scratch) { try $0.execute("DELETE FROM \(table) WHERE rowid = \(key)") }
        #expect(try named(scratch) == ["table \(table), \(keyName) \(key): the row was removed"])
    }

    @Test(arguments: 0..<rows.count) func aRowOfAnotherJournalIsTold(index: Int) throws {
        let (table, key, keyName) = Self.rows[index]
        let scratch = try Scratch()
        for name in ["journal.db", "other.db"] { try write(try scratch.open(name), try steps()) }
        let connection = try Connection(scratch.path("other.db"))
        let row = try connection.read { try $0.rows("SELECT * FROM \(table) WHERE rowid = \(key)").first }
        connection.close()
        try edit(scratch) { try put(try #require(row), into: table, $0) }
        let reason = "it is not what the service wrote: its code is wrong"
        #expect(try named(scratch) == ["table \(table), \(keyName) \(key): \(reason)"])
    }

    /// A wrong code is named once, by its row, and hides no other row that was put back.
    @Test func aRottenRowAndAnOlderOneAreBothTold() throws {
        let scratch = try Scratch()
        let older = try #require(try versions(scratch, "totaliser", 5).first)
        try edit(scratch) { db in
            try put(older, into: "totaliser", db)
            try db.execute("UPDATE sale SET amount_fen = amount_fen + 1 WHERE ttc = 2")
        }
        #expect(try named(scratch).count == 2)
        let journal = try scratch.open()
        #expect(try fault { try journal.totaliser(of: 5) }?.row != nil)
        #expect(try fault { try journal.record(RecordNumber(2)) }?.row?.key == 2)
        #expect(try journal.record(RecordNumber(1))?.phase == .ended)
    }

    @Test func aDamagedOpenRecordIsNeitherRecoveredNorWrittenOverAndItsNumberNotUsed() throws {
        let scratch = try Scratch()
        try scratch.open().commit(JournalEntry(try customer.record(4, .locked)))
        try edit(scratch) { try $0.execute("UPDATE sale SET balance_before_fen = 1") }
        let journal = try scratch.open()
        #expect(try journal.openRecords() == [])
        #expect(try journal.reserve() == RecordNumber(5))
        let refusal = try fault { try journal.commit(JournalEntry(try customer.record(4, .ended, fen: 5))) }
        #expect(refusal?.row?.key == 4)
        let row = try #require(try journal.damagedRows().first)
        #expect(row.isOpen && row.card == customer.asn)
    }

    /// What the technician has compared is right again, and what he has not stays named.
    @Test func totalsAreWrittenAnewAndAcceptedRowsCount() throws {
        let scratch = try Scratch()
        let older = try #require(try versions(scratch, "totaliser", 5).first)
        try edit(scratch) { db in
            try put(older, into: "totaliser", db)
            try db.execute("DELETE FROM grey_record")
            try db.execute("UPDATE sale SET grade = '95' WHERE ttc = 2")
        }
        do {
            let journal = try scratch.open()
            #expect(try journal.recordedTotaliser(of: 5)?.fen == customer.totaliser(fen: 70).fen)
            try journal.commit(JournalEntry(totaliser: customer.totaliser(fen: 130)))
            #expect(try journal.totaliser(of: 5) == customer.totaliser(fen: 130))
        }
        #expect(try named(scratch).map { $0.prefix(20) } == ["table sale, record 2", "table grey_record, r"])
        try scratch.open().acceptRows()
        #expect(try named(scratch).map { $0.prefix(20) } == ["table sale, record 2"])
    }

    @Test func aLockThatIsNotBelievedClosesUntilItIsCleared() throws {
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        try edit(scratch) { try $0.execute("DELETE FROM position_lock") }
        do {
            let journal = try scratch.open()
            #expect(try journal.lock(of: 3)?.reason == "table position_lock, position 3: the row was removed")
            #expect(try journal.lock(of: 4) == nil)
            try journal.clearLock(of: 3)
            #expect(try journal.lock(of: 3) == nil)
        }
        #expect(try scratch.open().lock(of: 3) == nil)
    }

    @Test func aRottenCopyOfTheStateCostsNothingAndBothCloseTheJournal() throws {
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        try edit(scratch) { try $0.execute("UPDATE journal_state SET commits = 1 WHERE id = 1") }
        #expect(try named(scratch).map { $0.prefix(27) } == ["table journal_state, copy 1"])
        try scratch.open().commit(JournalEntry(lock: SideLock(side: 7, since: try time(1), reason: "x")))
        #expect(try named(scratch) == [])
        try edit(scratch) { try $0.execute("UPDATE journal_state SET commits = 1") }
        #expect(try damagedAsRead(scratch).map { $0.prefix(27) } == ["table journal_state, copy 1"])
        #expect(try fault { try scratch.open() }?.reason.contains("--accept-journal") == true)
    }

    @Test func aJournalWithCodesTakesNoRowsWithout() throws {
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        try edit(scratch) { db in
            try db.execute("UPDATE sale SET code = NULL")
            try db.execute("UPDATE journal_state SET identity = x'', sealed = x''")
        }
        #expect(try damagedAsRead(scratch).contains { $0.hasPrefix("table journal_state") })
        #expect(try fault { try scratch.open() }?.reason.contains("--accept-journal") == true)
    }

    /// A mark that is kept of it elsewhere tells an older whole file, and one whose codes were made anew.
    @Test func theMarkRisesWithEachCommit() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let first = try #require(try journal.mark())
        try write(journal, try steps())
        let last = try #require(try journal.mark())
        #expect(last.identity == first.identity && last.commits == first.commits + 4)
        #expect(try scratch.open("other.db").mark()?.identity != first.identity)
    }

    @Test func aForgedTimeHoldsNoClockBack() throws {
        let scratch = try Scratch()
        var entries = try steps()
        for index in entries.indices {
            entries[index].moment = StationTime(utcSeconds: Int64(index), local: try time(index))
        }
        try write(try scratch.open(), entries)
        let latest = try #require(try scratch.open().latestTime())
        try edit(scratch) { db in
            try db.execute("UPDATE sale SET lock_time = '99991231235959', end_time = 'Z' WHERE ttc = 2")
        }
        let now = try #require(try scratch.open().latestTime())
        #expect(now == latest)
    }

    @Test func anotherRecordKeyIsRefusedByName() throws {
        let scratch = try Scratch()
        try write(try scratch.open(), try steps())
        let second = KeyReference(index: Demonstration.keyIndex, version: KeyVersion(2))
        let other = RecordKey(MasterKey.tac.demonstration, as: second)
        let refusal = try fault { try SQLiteJournal(path: scratch.path, capacity: 9, key: other) }
        #expect(refusal?.reason == "its codes need the record key of index 1, version 1, which is not loaded")
        let reader = try JournalReader(path: scratch.path, key: other)
        #expect(try reader.unjudged == refusal?.reason)
        #expect(try reader.records(limit: 9).count == 2)
    }

    @Test func theKeyOfOneMissingRowIsTheQuotientOfTheSums() {
        var sums = RowSums.zero
        for key: Int64 in [0, 1, 77, 4_294_967_295] { sums.add(UInt64(key) &* 0x9E37_79B9_7F4A_7C15 | 1, key: key) }
        for key: Int64 in [0, 1, 77, 4_294_967_295] {
            var fewer = sums
            fewer.remove(UInt64(key) &* 0x9E37_79B9_7F4A_7C15 | 1, key: key)
            #expect((sums - fewer).onlyKey == key)
            var bytes: [UInt8] = []
            sums.append(to: &bytes)
            #expect(RowSums(bytes) == sums)
            var two = fewer
            two.remove(5, key: 6)
            #expect((sums - two).onlyKey == nil)
        }
    }
}
