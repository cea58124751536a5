import Dispenser
import Foundation
import FuelPassbook
import Records
import SQLite
import SecurityModule
import Synchronization
import Testing

@testable import Journal

/// Lookups go by indexes, which no row's code covers (decision record 0017).
struct IndexTests {
    private let customer = Customer()

    /// An open sale, a settled one and a grey record of one card.
    private func makeJournal(_ scratch: Scratch) throws {
        let journal = try scratch.open()
        try journal.commit(
            JournalEntry(try customer.record(1, .escaped, fen: 5), grey: try customer.grey(1, fen: 5))
        )
        try journal.commit(JournalEntry(try customer.record(2, .settled)))
        try journal.commit(JournalEntry(try customer.record(3, .locked)))
    }

    /// Changes the index's only page.
    private func edit(_ index: String, _ scratch: Scratch, _ body: (inout Data) throws -> Void) throws {
        let connection = try Connection(scratch.path)
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        let root = try #require(try connection.read { try $0.value(sql, [ColumnValue(index)])?.integer }.map(Int.init))
        connection.close()
        let file = URL(filePath: scratch.path)
        var bytes = try Data(contentsOf: file)
        let place = (root - 1) * 4_096..<root * 4_096
        var page = Data(bytes[place])
        try body(&page)
        bytes.replaceSubrange(place, with: page)
        try bytes.write(to: file)
    }

    /// One rotten bit in each entry's card number.
    private func rotCards(_ index: String, _ scratch: Scratch) throws {
        try edit(index, scratch) { page in
            let card = Data("0000000000000042".utf8)
            var from = page.startIndex
            while let found = page[from...].range(of: card) {
                page[found.upperBound - 1] ^= 1
                from = found.upperBound
            }
            #expect(from > page.startIndex)
        }
    }

    private func isNamed(_ rows: [DamagedRow]) -> Bool {
        rows.contains { $0.reason.contains("an index did not agree with its table and was made anew") }
    }

    @Test func aGreyCardIsFoundThoughItsIndexIsRotten() throws {
        let scratch = try Scratch()
        try makeJournal(scratch)
        try rotCards("grey_record_open", scratch)
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(
            try reader.damagedRows.map(\.description).contains {
                $0.hasPrefix("table grey_record, record unknown: an index does not agree with it")
            }
        )
        let journal = try scratch.open()
        #expect(try journal.openGreyRecords(of: customer.asn).map(\.number) == [RecordNumber(1)])
        #expect(try isNamed(journal.damagedRows()))
        #expect(try JournalReader(path: scratch.path, key: .demonstration).damagedRows == [])
    }

    /// The count of the records takes the connection, and a card's lookups ask whether there was one.
    @Test func sidesDoNotWaitForEachOtherThoughAnIndexIsRotten() throws {
        let scratch = try Scratch()
        try makeJournal(scratch)
        try rotCards("sale_card", scratch)
        let journal = try scratch.open()
        let (card, moment) = (customer.asn, try time(62))
        let calls: [@Sendable () throws -> Bool] = [
            { try journal.room() > 0 },
            { try journal.hasDebit(of: card, at: moment) },
        ]
        let done = DispatchSemaphore(value: 0)
        let faults = Mutex(0)
        for call in calls {
            Thread.detachNewThread {
                for _ in 0..<2_000 {
                    do {
                        if try !call() { faults.withLock { $0 += 1 } }
                    } catch {
                        faults.withLock { $0 += 1 }
                    }
                }
                done.signal()
            }
        }
        for _ in calls { #expect(done.wait(timeout: .now() + 60) == .success, "the sides wait for each other") }
        #expect(faults.withLock(\.self) == 0)
    }

    @Test func aCardsSalesAreFoundThoughTheirIndexIsRotten() throws {
        let scratch = try Scratch()
        try makeJournal(scratch)
        let debit = try #require(try customer.record(2, .settled).debits.last).time
        try rotCards("sale_card", scratch)
        let journal = try scratch.open()
        // Before the check has ended, and after.
        for _ in 0..<2 {
            #expect(try journal.usesPetrolCommands(customer.asn))
            #expect(try journal.hasPurchase(of: customer.asn, customer.ctc))
            #expect(try journal.hasDebit(of: customer.asn, at: debit))
            #expect(try journal.room() == 97)
        }
        #expect(try isNamed(journal.damagedRows()))
        #expect(try journal.connection.read { try $0.finding("integrity_check(1)") } == nil)
    }

    /// An entry that leads to no row ends each read by it.
    @Test func anOpenSaleIsFoundThoughItsIndexIsRotten() throws {
        let scratch = try Scratch()
        try makeJournal(scratch)
        try edit("sale_open", scratch) { page in
            let cell = Int(page[page.startIndex + 8]) << 8 | Int(page[page.startIndex + 9])
            let length = Int(page[page.startIndex + cell])
            page[page.startIndex + cell + length] ^= 8
        }
        let journal = try scratch.open()
        #expect(try journal.openRecords().map(\.number) == [RecordNumber(3)])
        #expect(try isNamed(journal.damagedRows()))
        #expect(try journal.room() == 97)
    }

    @Test func whoLooksNamesADamagedPageOfAnIndexAsTheServiceDoes() throws {
        let scratch = try Scratch()
        try makeJournal(scratch)
        try edit("sale_card", scratch) { page in page.replaceSubrange(3..<5, with: [0, 0]) }
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(
            try reader.damagedRows.map(\.description).contains {
                $0.hasPrefix("table sale, record unknown: pages of the file are damaged, and no card is served")
            }
        )
        #expect(try fault { try scratch.open().room() }?.reason.hasPrefix("the file is damaged") == true)
    }
}
