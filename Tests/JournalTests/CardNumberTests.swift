import Dispenser
import FuelPassbook
import ISO7816
import Journal
import Records
import Testing

/// D30: a card is known by the right eight bytes of its number.
struct CardNumberTests {
    private let customer = Customer()
    /// The same card with another first byte, and another card.
    private func number(_ first: UInt8, last: UInt8 = 0x42) throws -> ApplicationSerialNumber {
        try ApplicationSerialNumber(parsing: [first, 1, 0, 0, 0, 0, 0, 0, 0, last])
    }

    @Test func recordsAreFoundByTheRightEightBytes() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let grey = try customer.grey(4, fen: 777)
        try journal.commit(JournalEntry(try customer.record(4, .escaped, kind: .escape, fen: 777), grey: grey))
        #expect(try journal.openGreyRecords(of: number(0x99)) == [grey])
        #expect(try journal.usesPetrolCommands(number(0x99)))
        #expect(try journal.hasPurchase(of: number(0x99), customer.ctc))
        #expect(try !journal.hasPurchase(of: number(0x99), CTC(customer.ctc.number + 1)))
        #expect(try journal.openGreyRecords(of: number(0x00, last: 0x43)).isEmpty)
        #expect(try !journal.usesPetrolCommands(number(0x00, last: 0x43)))
        #expect(try !journal.hasPurchase(of: number(0x00, last: 0x43), customer.ctc))
    }

    @Test(arguments: [(RecordPhase.torn, false), (.void, false), (.paid, true), (.settled, true), (.intent, true)])
    func aTornPurchaseLeavesItsNumberFree(phase: RecordPhase, isUsed: Bool) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        var fields = try customer.fields(4, phase, kind: .prepaid, fen: 5)
        fields.mac3 = nil
        fields.icc = ICCRandom(0x0102_0304)
        fields.debits = [
            DebitAttempt(ttc: TTC(4), type: .purchase, terminal: fields.head.terminal, time: try time(4))
        ]
        fields.mac2IsValid = fields.mac4IsValid
        try journal.commit(JournalEntry(try Record(fields)))
        #expect(try !journal.usesPetrolCommands(customer.asn))
        #expect(try journal.hasPurchase(of: customer.asn, customer.ctc) == isUsed)
    }
}
