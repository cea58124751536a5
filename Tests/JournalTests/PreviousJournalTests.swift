import Dispenser
import Foundation
import FuelPassbook
import Quantities
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

/// A journal that the program of schema 3 wrote, with its own codes, seals and state, until it was killed in the middle of a sale.
struct PreviousJournalTests {
    private let customer = Customer()

    private func journal(_ scratch: Scratch) throws {
        let connection = try Connection(scratch.path)
        try connection.write { db in
            try db.execute(Self.dump)
            try db.execute("PRAGMA application_id = \(JournalSchema.applicationID)")
        }
        connection.close()
        // Two blocks, the second of which is the older one.
        try (Data(Self.mark.newer.utf8) + Data(count: 4_096 - Self.mark.newer.utf8.count) + Data(Self.mark.older.utf8))
            .write(to: URL(filePath: scratch.path + "-mark"))
    }

    @Test func opensWithEachRecordAsItWas() throws {
        let scratch = try Scratch()
        try journal(scratch)
        let refusal = try fault { try JournalReader(path: scratch.path) }
        #expect(refusal?.reason == "an older version wrote the journal: the service must open it once")
        let journal = try scratch.open()
        #expect(try journal.damagedRows() == [] && journal.damage == nil)
        let records = try [1, 3, 5, 7, 8].map { try #require(try journal.record(RecordNumber($0))) }
        #expect(records.map(\.kind) == [.sale, .escape, .prepaid, .refund, .sale])
        #expect(records.map(\.phase) == [.settled, .escaped, .settled, .settled, .locked])
        #expect(records.map(\.amount.fen) == [6_280, 3_784, 7_850, 3_140, 0])
        #expect(records.map(\.reading.volume.microlitres) == [8_000_000, 4_817_500, 6_000_000, 0, 0])
        #expect(records.map { "\($0.card)".suffix(2) } == ["43", "43", "44", "44", "44"])
        #expect(
            records.map { "\($0.begun)".suffix(8) } == ["06:53:42", "06:53:48", "06:53:56", "06:53:59", "06:54:03"]
        )
        #expect(try journal.openRecords().map(\.number) == [RecordNumber(8)])
        let checkpoint = try #require(try journal.lastCheckpoint(of: RecordNumber(8)))
        #expect(checkpoint.amount == Amount(fen: 6_092) && checkpoint.reading.counts == [3_103])
        _ = try customer.module.open(checkpoint.gmac)
        let greys = try journal.openGreyRecords(of: records[1].card)
        #expect(greys.map(\.number) == [RecordNumber(3)] && greys.map(\.amount.fen) == [3_784])
        _ = try customer.module.open(try #require(greys.first).gmac)
        #expect(try journal.totaliser(of: 1)?.volume == Volume(microlitres: 18_817_500))
        #expect(try journal.latestTime()?.utcSeconds == 1_795_676_043)
    }

    @Test func isRecoveredAndSoldOn() throws {
        let scratch = try Scratch()
        try journal(scratch)
        let journal = try scratch.open()
        #expect(try journal.recover() == [.recovered(number: RecordNumber(8), amount: Amount(fen: 6_092))])
        let sale = try #require(try journal.record(RecordNumber(8)))
        #expect(sale.kind == .escape && sale.phase == .escaped && sale.amount == Amount(fen: 6_092))
        #expect(try journal.openRecords() == [])
        let grey = try #require(try journal.openGreyRecords(of: sale.card).first)
        #expect(grey.number == RecordNumber(8) && grey.amount == sale.amount)
        _ = try customer.module.open(grey.gmac)
        #expect(try journal.totaliser(of: 1)?.volume == Volume(microlitres: 18_817_500 + 7_757_500))

        let next = try journal.reserve()
        #expect(next == RecordNumber(10))
        try journal.commit(JournalEntry(try customer.record(next.value, .settled, fen: 90)))
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try reader.damagedRows == [])
        #expect(try reader.records(limit: 9).map(\.number.value) == [1, 3, 5, 7, 8, 10])
    }
}
