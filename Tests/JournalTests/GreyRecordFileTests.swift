import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

struct GreyRecordFileTests {
    private static let elsewhere = TerminalID(0x3100_0000_0018)
    private let customer = Customer()
    /// Of the scheme, with a record key of its own.
    private let there = SecurityModule(
        terminal: GreyRecordFileTests.elsewhere,
        keys: .demonstration,
        recordKey: RecordKey(
            LockedBuffer(hexadecimal: "7FA4E0123B5D9C6885D1F20E6B497A33"),
            as: KeyReference(index: KeyIndex(1), version: KeyVersion(1))
        ),
        random: SystemRandom()
    )

    private func file(_ records: [GreyRecord]) throws -> [UInt8] {
        try customer.module.greyRecordFile(records)
    }

    private func parsed(_ bytes: [UInt8]) throws -> GreyRecordFile {
        try there.greyRecordFile(parsing: bytes)
    }

    private func reason(_ bytes: [UInt8]) -> String? {
        do {
            _ = try parsed(bytes)
            return nil
        } catch let fault as GreyRecordFileFault {
            return fault.reason
        } catch {
            return "\(error)"
        }
    }

    @Test func whatIsWrittenIsReadAtAnotherTerminal() throws {
        let records = try [customer.grey(3, fen: 785), customer.grey(9, fen: 0)]
        let grey = try parsed(file(records))
        #expect(grey.terminal == Demonstration.terminal)
        for (entry, record) in zip(grey.entries, records) {
            #expect(entry.gmac.context == record.gmac.context && entry.mac3 == record.mac3)
            #expect(entry.balance == record.balance)
            #expect(try self.there.open(entry.gmac).bytes == customer.module.open(record.gmac).bytes)
            let there = entry.record(RecordNumber(77), at: try time(5))
            #expect(entry.isSameLock(there) && entry.isSameLock(record))
            #expect(there.number == RecordNumber(77) && there.amount == record.amount && there.debits == [])
            #expect(there.origin == "of record \(record.number.value) of terminal 001122334455")
            #expect(record.origin == nil)
        }
        #expect(try parsed(file([])).entries == [])
    }

    /// Each seal opens where it belongs: at home, on the way, or at the other terminal.
    @Test func aSealIsOfOnePlace() throws {
        let record = try customer.grey(3, fen: 785)
        let text = String(decoding: try file([record]), as: UTF8.self)
        let words = text.split { $0 == " " || $0 == "\n" }
        let place = try #require(words.firstIndex(of: "gmac"))
        let travelling = try record.gmac.with(Hex.bytes(words[place + 1]))
        let arrived = try #require(try parsed(file([record])).entries.first).gmac
        for (gmac, module) in [
            (record.gmac, there), (travelling, there), (travelling, customer.module), (arrived, customer.module),
        ] {
            #expect(throws: SecurityModuleError.sealBroken) { try module.open(gmac) }
        }
    }

    @Test func noOtherTextIsTaken() throws {
        let bytes = try file([customer.grey(3, fen: 785)])
        for index in bytes.indices {
            for bit in 0..<8 as Range<UInt8> {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(reason(changed) != nil, "byte \(index), bit \(bit)")
            }
        }
        for count in bytes.indices { #expect(reason(Array(bytes.prefix(count))) != nil, "the first \(count) bytes") }
        #expect(reason(bytes + [0x0A]) != nil)
    }

    @Test(
        "each refusal says what is wrong",
        arguments: [
            ("grey 3", "grey 2", "another version of this program made it: export it again with this one"),
            ("greylock-grey", "something else", "it is no file that greylock records export made"),
            ("record 3 ", "record 03 ", "line 2: record is no number of its range"),
            ("ctc 291", "ctc 99999", "line 2: ctc is no number of its range"),
            ("amount 785", "amount 5", "its code is wrong: it was changed, or another scheme made it"),
            ("end 1", "end 2", "it has not as many records as it says: copy it again"),
            ("key 01 01\n", "key 01 09\n", "it is coded under master key 1, version 9, which is not loaded here"),
        ]
    )
    func refusal(old: String, new: String, words: String) throws {
        let text = String(decoding: try file([customer.grey(3, fen: 785)]), as: UTF8.self)
        let changed = text.replacing(old, with: new)
        #expect(changed != text)
        #expect(reason(Array(changed.utf8)) == words)
    }

    /// One that the other terminal would refuse is not made.
    @Test func moreRecordsThanAFileHoldsAreRefused() throws {
        let record = try customer.grey(3, fen: 785)
        let most = GreyRecordFile.bytesMax / 150
        #expect(throws: GreyRecordFileFault("more records are open than a file holds: export those of one card")) {
            _ = try file(Array(repeating: record, count: most))
        }
        #expect(try parsed(file(Array(repeating: record, count: most / 2))).entries.count == most / 2)
    }

    // MARK: - In a journal

    @Test func aForeignRecordIsReadBackWhole() throws {
        let scratch = try Scratch()
        let entry = try #require(try parsed(file([customer.grey(3, fen: 785)])).entries.first)
        let record = entry.record(RecordNumber(12), at: try time(5))
        try scratch.open().commit(JournalEntry(grey: record))
        let journal = try scratch.open()
        #expect(try journal.openGreyRecords(of: customer.asn) == [record])
        #expect(try JournalReader(path: scratch.path, key: .demonstration).damagedRows == [])
    }

    /// A journal as an earlier version left it, before its migration 4 or 5: its rows keep their codes.
    @Test(arguments: [3, 4])
    func aJournalOfAnEarlierVersionGoesOn(version: Int) throws {
        let scratch = try Scratch()
        let grey = try customer.grey(1, fen: 90)
        let open = try customer.record(2, .locked)
        let checkpoint = try customer.checkpoint(2, fen: 50)
        do {
            let journal = try scratch.open()
            let escaped = try customer.record(1, .escaped, fen: 90)
            try journal.commit(JournalEntry(escaped, grey: grey, totaliser: customer.totaliser(fen: 90)))
            try journal.commit(JournalEntry(open))
            try journal.checkpoint(checkpoint)
        }
        for table in [
            "overrun", "pulser_fault", "lock_clearing", "price_change", "totals_difference", "parameter_mark",
            "position_block", "station_order", "price_order", "acknowledgement",
        ] {
            try scratch.edit("DROP TABLE \(table)")
        }
        for column in ["program_version", "program_sha256", "parameters_version", "parameters_hash"] {
            try scratch.edit("ALTER TABLE sale DROP COLUMN \(column)")
        }
        for table in ["sale", "checkpoint"] { try scratch.edit("ALTER TABLE \(table) DROP COLUMN lock_ttc") }
        if version == 3 {
            for column in ["lock_ttc", "balance_before_fen", "imported"] {
                try scratch.edit("ALTER TABLE grey_record DROP COLUMN \(column)")
            }
        }
        try scratch.edit("DELETE FROM grdb_migrations WHERE CAST(identifier AS INTEGER) > \(version)")
        let refusal = try fault { try JournalReader(path: scratch.path) }
        #expect(refusal?.reason == "an older version wrote the journal: the service must open it once")
        let journal = try scratch.open()
        #expect(try journal.damagedRows() == [])
        #expect(try journal.openGreyRecords(of: customer.asn) == [grey])
        #expect(try journal.openRecords() == [open])
        #expect(try journal.lastCheckpoint(of: RecordNumber(2)) == checkpoint)
        #expect(try journal.reserve() == RecordNumber(3))
    }
}

extension SealedGMAC {
    fileprivate func with(_ sealed: [UInt8]) -> SealedGMAC {
        SealedGMAC(card: card, terminal: terminal, ttc: ttc, ctc: ctc, amount: amount, key: key, sealed: sealed)
    }
}
