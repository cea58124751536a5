import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("A card that was released without this terminal")
struct ReleasedElsewhereTests {
    /// A card that escaped here, and paid at the issuer's desk.
    private func station(paying fen: UInt32 = 700) throws -> TestStation {
        let station = try TestStation()
        station.escape(at: 300)
        #expect(station.greyRecords.map(\.state) == [.open])
        try station.reader.releaseOnline(Amount(fen: fen), time: #require(station.site.localTime))
        #expect(station.reader.image.grey == nil)
        return station
    }

    @Test(
        "the issuer gets a notice under the number that proved it, and the sale takes the next",
        arguments: [PaymentMode.greyLock, .prepaid(Preset(centilitres: 100))]
    )
    func notice(payment: PaymentMode) throws {
        let station = try station()
        let escape = try #require(station.records.first)
        station.settings.payment = payment
        station.scheduleRefuel(centilitres: 100)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.escape, .onlineUnlock, payment == .greyLock ? .sale : .prepaid])
        let notice = station.records[1]
        #expect(notice.settles == escape.number)
        #expect(notice.amount == escape.amount)
        #expect(notice.balanceBefore == Amount(fen: 50_000 - 700))
        #expect(notice.ctc == escape.ctc.next)
        #expect(notice.debits.isEmpty && notice.debitTAC == nil && notice.remark == nil)
        #expect(notice.phase == .settled)
        #expect(station.greyRecords.map(\.state) == [.elsewhere])
        #expect(station.display.notices.contains(.releasedElsewhere(escape.amount)))
        #expect(Int(station.reader.image.balance.fen) == 50_000 - 700 - station.paid)
        station.expectWhole()
    }

    @Test("several open grey records of a card are closed by a notice each, before its sale")
    func several() throws {
        let station = try station()
        let first = try #require(station.records.first)
        let grey = try #require(station.greyRecords.first)
        // The card was here before, under another lock that it also paid elsewhere.
        var fields = RecordFields(first)
        fields.head.number = RecordNumber(2)
        let second = try Record(fields)
        let other = try GreyRecord(GreyRecordFields(second.number, mac3: [1, 2, 3, 4], gmac: grey.gmac, .open))
        station.journal.store.commit(JournalEntry(second, grey: other))
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .escape, .onlineUnlock, .onlineUnlock, .sale])
        #expect(station.records.map(\.settles) == [nil, nil, RecordNumber(1), RecordNumber(2), nil])
        #expect(station.greyRecords.map(\.state) == [.elsewhere, .elsewhere])
    }

    @Test("a power cut at any write of that visit makes one notice, and no number is lost")
    func powerCuts() throws {
        for writes in 0..<12 {
            let station = try station()
            station.journal.writesLeft = writes
            station.scheduleRefuel(centilitres: 100)
            station.run()
            station.journal.writesLeft = nil
            station.rest()
            for second in [5.0, 60] { station.visit(at: second) }
            station.stop(at: 120)
            #expect(station.run() == nil)
            #expect(station.records.count { $0.kind == .onlineUnlock } == 1, "cut at write \(writes)")
            #expect(Int(station.reader.image.balance.fen) == 50_000 - 700 - station.paid, "cut at write \(writes)")
            station.expectWhole("cut at write \(writes)")
        }
    }

    @Test("a lock that never reached the card is no notice")
    func lockNeverArrived() throws {
        let station = try TestStation()
        station.reader.faults[.lockForPetrol] = [.pulledBefore]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.stop(at: 30)
        station.run()
        station.rest()
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .sale])
        #expect(station.greyRecords.map(\.state) == [.void])
        station.expectWhole()
    }

    @Test("a local unlock whose debit never arrived ends void beside the notice, which says that one was sent")
    func afterLocalUnlock() throws {
        let station = try TestStation()
        station.escape(at: 300)
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        station.visit(at: 1)
        station.stop(at: 20)
        station.run()
        #expect(station.records.map(\.phase) == [.escaped, .debitSent])
        // It stays open across starts, and each says so.
        for _ in 0..<3 {
            station.stop(at: 1)
            station.run()
            #expect(station.records.map(\.phase) == [.escaped, .debitSent])
            #expect(station.display.notices.contains(.waitForTheirCards(1)))
        }
        station.expectWhole()
        station.rest()
        try station.reader.releaseOnline(.zero, time: #require(station.site.localTime))
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .localUnlock, .onlineUnlock, .sale])
        #expect(station.records.map(\.phase) == [.escaped, .void, .settled, .settled])
        #expect(station.records[2].remark?.contains("a debit was sent here") == true)
        #expect(Int(station.reader.image.balance.fen) == 50_000 - station.paid)
        station.expectWhole()
    }

    @Test("a status word does not end a local unlock: the card may have paid", arguments: [true, false])
    func statusInPlaceOfAnswer(executed: Bool) throws {
        let station = try TestStation()
        station.escape(at: 300)
        let amount = try #require(station.greyRecords.first).amount
        if executed {
            station.reader.faults[.debitForPetrol] = [.status(.macInvalid)]
        } else {
            // Another amount's GMAC would be refused like this, and the card stays grey.
            station.reader.faults[.debitForPetrol] = [.pulledBefore]
        }
        station.visit(at: 1)
        station.visit(at: 60)
        station.stop(at: 120)
        station.run()
        #expect(station.records.map(\.kind).prefix(2) == [.escape, .localUnlock])
        #expect(station.records[1].phase == .settled)
        #expect(station.greyRecords.first?.state == .settled)
        #expect(station.reader.image.log.last?.amount == amount)
        #expect(Int(station.reader.image.balance.fen) == 50_000 - station.paid)
        station.expectWhole()
    }
}
