import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("A journal that fills up")
struct CapacityTests {
    /// A station whose journal has `room` left, taken by the refunds of others.
    private func station(room: Int, payment: PaymentMode = .greyLock) throws -> TestStation {
        let station = try TestStation()
        station.journalIsReplaced(by: TestJournal(log: station.log, capacity: 64))
        try fill(station, toRoom: room)
        station.settings.payment = payment
        return station
    }

    private func fill(_ station: TestStation, toRoom room: Int) throws {
        while station.journal.store.room() > room {
            let number = try station.journal.edge.reserve()
            let time = try #require(station.site.localTime)
            var fields = RecordFields(
                number: number,
                kind: .refund,
                phase: .settled,
                side: 1,
                terminal: Demonstration.terminal,
                begun: time,
                standing: CardStanding(
                    card: .none,
                    key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
                    balance: .zero,
                    ctc: CTC(0)
                ),
                mac3: nil,
                delivery: Delivery(
                    nozzle: 1,
                    grade: "92",
                    unitPrice: station.settings.unitPrice,
                    reading: .none(points: 1)
                ),
                amount: .zero,
                gmac: nil
            )
            fields.head.ended = time
            fields.settles = RecordNumber(.max)
            station.journal.store.commit(JournalEntry(try Record(fields)))
        }
    }

    @Test("below 48 a card is served and the room is said, at the start and at the visit")
    func warned() throws {
        let station = try station(room: 47)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        let warnings = station.display.notices.filter { if case .journalNearlyFull = $0 { true } else { false } }
        #expect(warnings == [.journalNearlyFull(room: 47), .journalNearlyFull(room: 47)])
        #expect(station.records.last?.kind == .sale && station.records.last?.phase == .settled)
        let other = try self.station(room: 48)
        other.scheduleRefuel(centilitres: 100)
        other.run()
        #expect(!other.display.notices.contains { if case .journalNearlyFull = $0 { true } else { false } })
    }

    @Test("below 16 no card is served, and the side says so before any comes")
    func refused() throws {
        let station = try station(room: 15)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.notices.prefix(2) == [.journalNearlyFull(room: 15), .refused(.journalFull(room: 15))])
        #expect(station.records.count == 49)
        #expect(station.reader.image.ctc == CTC(0))
    }

    @Test("while a large journal is being counted no sale begins, and afterwards it does")
    func notCounted() throws {
        let station = try TestStation()
        station.journal.edge.isCounted = false
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.refusals == [.journalNotCounted])
        #expect(station.records.isEmpty && station.reader.image.ctc == CTC(0))
    }

    @Test("a journal that gives no number serves no card, and goes on")
    func noNumber() throws {
        let station = try TestStation()
        station.journal.numberFault = StorageFault(noNumber: "its row rots")
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.refusals == [.noNumber("its row rots")])
        #expect(station.records.isEmpty && station.reader.image.ctc == CTC(0))
    }

    @Test(
        "the last sale that is served finds room for all that follows from it",
        arguments: [PaymentMode.greyLock, .prepaid(Preset(centilitres: 500))]
    )
    func worstCase(payment: PaymentMode) throws {
        let station = try station(room: 18, payment: payment)
        // Before it: a leak. In it: less than was paid. After it: an escape's unlock, a leak, a stop.
        station.site.after(0.2) { $0.leak(counts: 50) }
        station.site.after(40) { $0.leak(counts: 50) }
        var isPulled = false
        station.display.onProgress = { [unowned station] shown in
            guard shown >= 100, !isPulled else { return }
            isPulled = true
            station.reader.pull()
        }
        station.scheduleRefuel(centilitres: 200)
        station.visit(at: 50)
        station.run()
        let kinds = station.records.suffix(from: 46).map(\.kind)
        switch payment {
        case .greyLock: #expect(kinds == [.noCard, .escape, .noCard, .localUnlock])
        case .prepaid: #expect(kinds == [.noCard, .prepaid, .refund, .noCard])
        }
        #expect(station.records.allSatisfy { !$0.phase.isOpen })
        #expect(station.journal.store.room() >= 0)
        #expect(Int(station.reader.image.balance.fen) == 50_000 - station.paid)
        #expect(station.recordedCounts == station.site.trueCounts)
        station.expectWhole()
    }

    @Test("notices and a leak that take the kept room leave the card unserved, and all of them are written")
    func noticeTakesTheRoom() throws {
        let station = try TestStation()
        station.journalIsReplaced(by: TestJournal(log: station.log, capacity: 64))
        station.escape(at: 300)
        try station.reader.releaseOnline(.zero, time: #require(station.site.localTime))
        try fill(station, toRoom: 16)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.last?.kind == .onlineUnlock)
        #expect(station.display.refusals.contains(.journalFull(room: 15)))
        #expect(station.log.entries.count { $0 == "LOCK FOR PETROL" } == 1)
        station.expectWhole()
    }

    @Test("a journal without any room still settles, refunds and counts")
    func full() throws {
        let station = try TestStation()
        station.journalIsReplaced(by: TestJournal(log: station.log, capacity: 64))
        station.escape(at: 300)
        try fill(station, toRoom: 0)
        station.site.after(1) { $0.leak(counts: 50) }
        station.visit(at: 20)
        station.stop(at: 200)
        #expect(station.run() == nil)
        #expect(station.records.suffix(2).map(\.kind) == [.noCard, .localUnlock])
        #expect(station.records.suffix(2).map(\.phase) == [.settled, .settled])
        #expect(station.reader.image.grey == nil)
        #expect(station.journal.store.room() == 0)
        station.expectWhole()
    }

    @Test("a torn purchase is refunded by a full journal")
    func tornRefund() throws {
        let station = try prepaidStation(Preset(centilitres: 500), hasPetrolCommands: false)
        station.journalIsReplaced(by: TestJournal(log: station.log, capacity: 64))
        station.reader.faults[.debitForPurchase] = [.pulledAfter]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.stop(at: 40)
        station.run()
        station.rest()
        #expect(station.records.map(\.phase) == [.torn])
        try fill(station, toRoom: 0)
        station.visit(at: 1)
        station.stop(at: 30)
        station.run()
        #expect(station.records.first?.phase == .settled)
        #expect(station.records.last?.kind == .refund && station.records.last?.settles == RecordNumber(1))
        #expect(station.display.refusals.contains(.journalFull(room: 0)))
        expectBalanced(station)
    }
}
