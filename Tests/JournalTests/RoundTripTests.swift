import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Journal
import Metering
import Quantities
import Records
import SecurityModule
import TestJournals
import Testing

struct RoundTripTests {
    private let customer = Customer()

    @Test(arguments: RecordPhase.allCases, RecordKind.allCases)
    func aRecordIsReadBackWholeOrCannotBe(phase: RecordPhase, kind: RecordKind) throws {
        let scratch = try Scratch()
        let fields = try customer.fields(7, phase, kind: kind, fen: 12_345)
        guard Self.phases(kind).contains(phase) else {
            #expect(throws: FieldFault.self) { try Record(fields) }
            return
        }
        let record = try Record(fields)
        #expect(record.kind == kind && record.phase == phase)
        try scratch.open().commit(JournalEntry(record))
        #expect(try scratch.open().record(RecordNumber(7)) == record)
    }

    /// spec/dispenser.md, section 3.
    private static func phases(_ kind: RecordKind) -> Set<RecordPhase> {
        switch kind {
        case .sale: [.intent, .locked, .ended, .debitSent, .settled]
        case .escape, .cardFault: [.escaped]
        case .prepaid: [.intent, .debitSent, .paid, .torn, .settled, .escaped, .void]
        case .noCard, .test: [.flowing, .settled]
        case .localUnlock: [.debitSent, .settled, .void]
        case .onlineUnlock, .refund: [.settled]
        }
    }

    @Test func theExtremesAreReadBack() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        var fields = try customer.fields(.max, .ended, kind: .sale, fen: .max)
        let standing = fields.standing
        fields.standing = CardStanding(
            card: standing.card,
            key: standing.key,
            balance: Amount(fen: .max),
            ctc: standing.ctc
        )
        fields.delivery = Delivery(
            nozzle: .max,
            grade: "",
            unitPrice: UnitPrice(fenPerLitre: UnitPrice.fenMax),
            reading: fields.delivery.reading
        )
        fields.head.remark = ""
        let record = try Record(fields)
        try journal.commit(JournalEntry(record))
        #expect(try journal.record(RecordNumber(.max)) == record)
        #expect(try journal.record(RecordNumber(1)) == nil)
    }

    @Test func aSealStillOpensAfterItsRest() throws {
        let scratch = try Scratch()
        try scratch.open().commit(JournalEntry(try customer.record(1, .ended, fen: 5_000)))
        let gmac = try #require(try scratch.open().record(RecordNumber(1))?.gmac)
        let master = try customer.gmac(TTC(1), fen: 5_000)
        #expect(try customer.module.open(gmac).isValid(try customer.module.open(master)))
    }

    @Test(arguments: [GreyRecord.State.open, .settled, .void, .elsewhere])
    func aGreyRecordIsReadBackWhole(state: GreyRecord.State) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let grey = try customer.grey(4, fen: 777, state)
        try journal.commit(JournalEntry(grey: grey))
        #expect(try JournalReader(path: scratch.path).greyRecords() == [grey])
        #expect(try journal.openGreyRecords(of: customer.asn) == (state == .open ? [grey] : []))
    }

    @Test(arguments: [0, 2])
    func aSettledGreyRecordHasTheOneDebitThatPaidIt(debits: Int) throws {
        let gmac = try customer.gmac(TTC(9), fen: 1)
        let sent = Array(try customer.grey(9, fen: 1).debits.prefix(debits))
        let fields = GreyRecordFields(RecordNumber(9), mac3: [9, 8, 7, 6], gmac: gmac, .settled, sent)
        #expect(throws: FieldFault.self) { try GreyRecord(fields) }
    }

    @Test func openGreyRecordsAreThoseOfTheCardInOrder() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let gmac = try customer.gmac(TTC(9), fen: 1)
        let second = try GreyRecord(GreyRecordFields(RecordNumber(9), mac3: [9, 8, 7, 6], gmac: gmac, .open))
        let first = try customer.grey(2, fen: 2)
        for grey in [second, first, try customer.grey(5, fen: 3, .settled)] {
            try journal.commit(JournalEntry(grey: grey))
        }
        #expect(try journal.openGreyRecords(of: customer.asn) == [first, second])
        let stranger = try ApplicationSerialNumber(parsing: [0, 1, 0, 0, 0, 0, 0, 0, 0, 0x43])
        #expect(try journal.openGreyRecords(of: stranger) == [])
    }

    @Test func totalisersAreKeptPerNozzle() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let totalisers = [customer.totaliser(nozzle: 1, fen: 10), customer.totaliser(nozzle: 2, fen: 20)]
        for totaliser in [customer.totaliser(nozzle: 2, fen: 5)] + totalisers.reversed() {
            try journal.commit(JournalEntry(totaliser: totaliser))
        }
        #expect(try journal.totaliser(of: 2) == totalisers[1])
        #expect(try journal.totaliser(of: 3) == nil)
        let times = ClosingTimes(microseconds: [nil, 0, 31_250, nil, nil, ClosingTimes.microsecondsMax])
        for overrun in [
            Overrun(nozzle: 2, counts: -4), Overrun(nozzle: 2, counts: 1 << 38),
            Overrun(nozzle: 2, counts: 3, main: times), Overrun(nozzle: 2, counts: 3, slow: times, changeOver: times),
        ] {
            try journal.commit(JournalEntry(overrun: overrun))
            #expect(try journal.overrun(of: 2) == overrun)
        }
        #expect(try journal.overrun(of: 1) == nil)
        #expect(try JournalReader(path: scratch.path).totalisers() == totalisers)
    }

    @Test func aSideStaysLockedUntilItIsCleared() throws {
        let scratch = try Scratch()
        let lock = SideLock(side: 3, since: try time(7), reason: "11 pulser faults in one sale")
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(lock: lock))
        }
        let journal = try scratch.open()
        #expect(try journal.lock(of: 3) == lock)
        #expect(try journal.lock(of: 4) == nil)
        try journal.clearLock(of: 3)
        #expect(try journal.lock(of: 3) == nil)
    }

    @Test func aRecordIsReplacedByItsTTC() throws {
        let scratch = try Scratch()
        let journal = try scratch.open(capacity: 3)
        // Fuel outside any sale never becomes a card's.
        for phase in RecordPhase.allCases where phase != .flowing {
            let record = try customer.record(1, phase, fen: 100)
            try journal.commit(JournalEntry(record))
            #expect(try journal.record(RecordNumber(1)) == record)
            #expect(try journal.room() == 2)
        }
        let further = try [customer.record(2, .intent), customer.record(3, .intent), customer.record(4, .intent)]
        for record in further { try journal.commit(JournalEntry(record)) }
        #expect(try journal.room() == 0)
    }

    /// Two sales under one TTC would be one sale lost.
    @Test func aTTCIsNotTakenFromAnotherSale() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let record = try customer.record(1, .locked)
        try journal.commit(JournalEntry(record))
        var fields = RecordFields(record)
        fields.head.side = 4
        let other = try Record(fields)
        let grey = try customer.grey(1, fen: 0)
        let refusal = try #require(try fault { try journal.commit(JournalEntry(other, grey: grey)) })
        #expect(refusal.reason == "record 1 of table sale is another one")
        #expect(try journal.record(RecordNumber(1)) == record)
        #expect(try journal.openGreyRecords(of: customer.asn) == [])
    }

    @Test func aCheckpointIsReplacedAndGoesWithTheEnd() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(try customer.record(1, .intent)))
        try journal.commit(JournalEntry(try customer.record(2, .locked)))
        for fen: UInt32 in [1, 2, 3] {
            let checkpoints = try [customer.checkpoint(1, fen: fen), customer.checkpoint(2, fen: fen + 100)]
            for checkpoint in checkpoints { try journal.checkpoint(checkpoint) }
            #expect(try journal.lastCheckpoint(of: RecordNumber(1)) == checkpoints[0])
            #expect(try journal.lastCheckpoint(of: RecordNumber(2)) == checkpoints[1])
        }
        try journal.commit(JournalEntry(try customer.record(1, .locked)))
        #expect(try journal.lastCheckpoint(of: RecordNumber(1)) != nil)
        try journal.commit(JournalEntry(try customer.record(1, .ended, fen: 3)))
        #expect(try journal.lastCheckpoint(of: RecordNumber(1)) == nil)
        #expect(try journal.lastCheckpoint(of: RecordNumber(2)) != nil)
    }

    @Test(arguments: [RecordPhase.ended, .debitSent, .settled, .escaped, .void])
    func everyPhaseAfterFuellingTakesTheCheckpoint(phase: RecordPhase) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.checkpoint(try customer.checkpoint(6, fen: 10))
        try journal.commit(JournalEntry(try customer.record(6, phase, fen: 10)))
        #expect(try journal.lastCheckpoint(of: RecordNumber(6)) == nil)
    }

    @Test func openRecordsAreTheUnfinishedOnesInOrder() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        let phases: [RecordPhase] = [.debitSent, .settled, .intent, .escaped, .ended, .void, .locked]
        let records = try phases.enumerated().map { try customer.record(UInt32(9 - $0.offset), $0.element, fen: 5) }
        try journal.commit(JournalEntry(records[0], records[1], records[2], records[3]))
        try journal.commit(JournalEntry(records[4], records[5], records[6]))
        #expect(try journal.openRecords() == [records[6], records[4], records[2], records[0]])
    }

    @Test func numbersGoOnAfterTheHighestAndEnd() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        #expect(try journal.reserve() == RecordNumber(1))
        try journal.commit(JournalEntry(try customer.record(41, .settled)))
        try journal.commit(JournalEntry(try customer.record(7, .settled)))
        #expect(try journal.reserve() == RecordNumber(42))
        try journal.commit(JournalEntry(try customer.record(.max - 2, .settled)))
        #expect(try journal.reserve() == RecordNumber(.max - 1))
        try journal.commit(JournalEntry(try customer.record(.max - 1, .intent)))
        #expect(try fault { try journal.reserve() }?.reason == "no number follows 4294967294")
    }

    @Test func theLatestTimeIsThatOfTheLatestEntry() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        #expect(try journal.latestTime() == nil)
        func commit(_ number: UInt32, _ phase: RecordPhase, at seconds: Int) throws {
            var entry = JournalEntry(try customer.record(number, phase))
            entry.moment = try moment(seconds)
            try journal.commit(entry)
        }
        try commit(1, .intent, at: 1)
        #expect(try journal.latestTime() == moment(1))
        try commit(2, .ended, at: 62)
        #expect(try journal.latestTime() == moment(62))
        try commit(3, .debitSent, at: 64)
        #expect(try journal.latestTime() == moment(64))
        try commit(100, .intent, at: 100)
        #expect(try journal.latestTime() == moment(100))
    }
}
