import CardCryptography
import FuelPassbook
import Quantities
import Records
import SecurityModule
import Testing

@testable import Journal

/// A module that counts by itself: its TTC is another than the record's number.
struct ModuleNumberTests {
    private static let ttc = TTC(4_000_000_009)
    private let customer = Customer()

    private func record(_ number: UInt32, _ phase: RecordPhase, kind: RecordKind = .sale) throws -> Record {
        var fields = try customer.fields(number, phase, kind: kind, fen: 90)
        if fields.gmac != nil { fields.gmac = try customer.gmac(Self.ttc, fen: fields.amount.fen) }
        fields.debits = fields.debits.map {
            DebitAttempt(ttc: Self.ttc, type: $0.type, terminal: $0.terminal, time: $0.time)
        }
        return try Record(fields)
    }

    @Test("a record with a lock is read back with both numbers", arguments: [RecordPhase.locked, .debitSent, .settled])
    func bothNumbers(phase: RecordPhase) throws {
        let scratch = try Scratch()
        let record = try record(2, phase)
        try scratch.open().commit(JournalEntry(record))
        let journal = try scratch.open()
        let stored = try #require(try journal.record(RecordNumber(2)))
        #expect(stored == record && stored.number == RecordNumber(2) && stored.ttc == Self.ttc)
        #expect(try journal.record(RecordNumber(Self.ttc.number)) == nil)
    }

    @Test func aCheckpointAndAGreyRecordAreFoundByTheRecord() throws {
        let scratch = try Scratch()
        let locked = try record(2, .locked)
        let escaped = try record(3, .escaped, kind: .escape)
        let (mac3, due) = (try #require(escaped.mac3), try #require(escaped.gmac))
        let grey = try GreyRecord(GreyRecordFields(escaped.number, mac3: mac3, gmac: due, .open, escaped.debits))
        let gmac = try customer.gmac(Self.ttc, fen: 50)
        let checkpoint = Checkpoint(
            number: locked.number,
            reading: locked.reading,
            amount: gmac.amount,
            nonCardPart: .zero,
            gmac: gmac
        )
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(locked))
            try journal.checkpoint(checkpoint)
            try journal.commit(JournalEntry(escaped, grey: grey))
        }
        let journal = try scratch.open()
        #expect(try journal.lastCheckpoint(of: RecordNumber(2)) == checkpoint)
        let stored = try #require(try journal.openGreyRecords(of: customer.asn).first)
        #expect(stored == grey && stored.number == RecordNumber(3) && stored.gmac.ttc == Self.ttc)
        #expect(try customer.module.open(stored.gmac).isValid(customer.module.open(due)))
    }
}
