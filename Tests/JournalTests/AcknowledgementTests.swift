import Journal
import Records
import SecurityModule
import TestFolders
import TestJournals
import Testing

/// Records that whoever collects them has give their room back, and what is open stays.
struct AcknowledgementTests {
    private let customer = Customer()

    private func done(_ key: String) -> DoneOrder {
        DoneOrder(user: 1_000, key: key, digest: [UInt8](repeating: 7, count: 32), answer: "{}", at: nil)
    }

    private func acknowledge(_ journal: SQLiteJournal, _ numbers: UInt32...) throws -> AcknowledgementRefusal? {
        try journal.acknowledge(numbers.map { RecordNumber($0) }, user: "collector", done("\(numbers)"))
    }

    private func numbers(_ records: [CollectedRecord]) -> [UInt32] { records.map(\.record.number.value) }

    @Test func whatIsAcknowledgedTakesNoRoomAndIsNotCollectedAgain() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open(capacity: 70)
            for number: UInt32 in 1...5 { try journal.commit(JournalEntry(customer.record(number, .settled, fen: 90))) }
            #expect(try journal.room() == 65)
            #expect(try numbers(journal.collectedRecords(after: 0, last: 3)) == [1, 2, 3])
            #expect(try acknowledge(journal, 1, 3) == nil)
            #expect(try journal.room() == 67)
            #expect(try numbers(journal.collectedRecords(after: 0, last: 10)) == [2, 4, 5])
            #expect(try numbers(journal.collectedRecords(after: 2, last: 10)) == [4, 5])
            // Once more is the same as once.
            #expect(try acknowledge(journal, 3, 1) == nil)
            #expect(try journal.room() == 67)
        }
        let journal = try scratch.open(capacity: 70)
        #expect(try journal.room() == 67)
        #expect(try journal.doneOrders().map(\.key) == ["[1, 3]", "[3, 1]"])
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try reader.count() == 5 && reader.takenRoom() == 3)
        #expect(try reader.damagedRows == [])
    }

    @Test func whatIsOpenIsNotAcknowledgedAndNothingOfItsOrderIs() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(customer.record(1, .settled, fen: 90)))
        try journal.commit(JournalEntry(customer.record(2, .locked)))
        let escaped = try customer.record(3, .escaped, fen: 90)
        try journal.commit(
            JournalEntry(escaped, grey: customer.grey(3, fen: 90), totaliser: customer.totaliser(fen: 90))
        )
        #expect(try acknowledge(journal, 1, 2) == .open(RecordNumber(2)))
        #expect(try acknowledge(journal, 1, 3) == .open(RecordNumber(3)))
        #expect(try acknowledge(journal, 1, 9) == .noRecord(RecordNumber(9)))
        #expect(try journal.room() == 97 && journal.doneOrders() == [])
        // An escaped sale is collected at once, and acknowledged when its card has paid.
        let collected = try journal.collectedRecords(after: 0, last: 10)
        #expect(numbers(collected) == [1, 3] && collected.map(\.isClosed) == [true, false])
        try journal.commit(JournalEntry(grey: customer.grey(3, fen: 90, .elsewhere)))
        #expect(try acknowledge(journal, 1, 3) == nil)
        #expect(try journal.room() == 99)
    }

    /// The file keeps what was acknowledged as long as the capacity has room for it.
    @Test func aJournalOf64TakesAThousandSalesAndStaysSound() throws {
        let scratch = try Scratch(in: .memory)
        let grey = try customer.grey(10, fen: 90)
        for start in 0..<5 {
            let journal = try scratch.open(capacity: 64)
            for number in UInt32(start * 200 + 1)...UInt32(start * 200 + 200) {
                if number == 10 {
                    let escaped = try customer.record(10, .escaped, fen: 90)
                    try journal.commit(JournalEntry(escaped, grey: grey, totaliser: customer.totaliser(fen: 90)))
                    continue
                }
                try journal.commit(JournalEntry(customer.record(number, .settled, fen: 90)))
                guard number % 10 == 0 else { continue }
                let finished = try journal.collectedRecords(after: 0, last: 40).filter(\.isClosed)
                let numbers = finished.map(\.record.number)
                #expect(try journal.acknowledge(numbers, user: "collector", done("\(number)")) == nil)
                #expect(try journal.room() == 63)
            }
            #expect(try journal.openGreyRecords(of: customer.asn) == [grey])
        }
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try reader.count() <= 64 && reader.takenRoom() == 1)
        #expect(try reader.damagedRows == [])
        let left = try reader.records(limit: 1_000).map(\.number.value)
        #expect(left.contains(10) && left.contains(1_000) && !left.contains(1))
        #expect(try scratch.open(capacity: 64).room() == 63)
    }

    /// Whoever takes an acknowledged row away by hand is found.
    @Test func aRowThatIsTakenByHandIsNamed() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            for number: UInt32 in 1...3 { try journal.commit(JournalEntry(customer.record(number, .settled, fen: 90))) }
            #expect(try acknowledge(journal, 1, 2) == nil)
        }
        try scratch.edit("DELETE FROM sale WHERE ttc = 1")
        let damaged = try JournalReader(path: scratch.path, key: .demonstration).damagedRows
        #expect(damaged.contains { $0.table == "sale" && $0.key == 1 })
    }
}
