import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Quantities
import Records
import Simulation
import Testing

@Suite("A card that another program holds for a moment (decision record 0025)")
struct HeldCardTests {
    private static let price: UInt32 = 3_925
    private static let held = Notice.cardFault(.inUse("SCardConnect"))

    private func refuel(_ prepare: (TestStation) -> Void) throws -> TestStation {
        let station = try TestStation()
        prepare(station)
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        return station
    }

    private func expectPaidOnce(_ station: TestStation, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(station.reader.image.balance.fen == 50_000 - Self.price, sourceLocation: sourceLocation)
        #expect(station.reader.image.grey == nil, sourceLocation: sourceLocation)
        #expect(station.records.map(\.kind) == [.sale], sourceLocation: sourceLocation)
        #expect(station.records.map(\.phase) == [.settled], sourceLocation: sourceLocation)
    }

    @Test func atItsInsertionItIsTriedAgainAndServed() throws {
        let station = try refuel { $0.reader.heldConnections = 10 }
        #expect(station.display.notices.contains(Self.held))
        expectPaidOnce(station)
    }

    @Test func heldForLongItIsRefusedWithTheCauseAndTheNextIsServed() throws {
        let station = try refuel { $0.reader.heldConnections = 1_000 }
        #expect(station.records.isEmpty)
        #expect(station.display.notices.suffix(3).contains { $0 == .removeCard || $0 == .insertCard })
        #expect(station.display.notices.contains(Self.held))
        #expect(station.reader.heldConnections > 800, "the bound is 10 s")
        station.reader.heldConnections = 0
        station.reader.pull()
        station.clearAgenda()
        station.site.setNozzle(lifted: false)
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        expectPaidOnce(station)
    }

    @Test func aCardPulledWhileHeldIsGone() throws {
        let station = try TestStation()
        station.reader.heldConnections = 1_000
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { [unowned station] _ in station.reader.pull() }
        station.site.after(20) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.display.notices.contains(.cardFault(.removed)))
        #expect(station.display.notices.last == .closed)
    }

    @Test func aStopIsTakenWhileTheCardIsHeld() throws {
        let station = try TestStation()
        station.reader.heldConnections = 1_000
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(2) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.site.monotonicNanoseconds < 3_000_000_000)
    }

    @Test func backWhileFuelWaitsForItTheSaleGoesOn() throws {
        let station = try TestStation()
        var isFirst = true
        station.display.onProgress = { [unowned station] centilitres in
            guard isFirst, centilitres >= 200 else { return }
            isFirst = false
            station.reader.pull()
            station.site.after(2) { [unowned station] _ in
                station.reader.heldConnections = 30
                station.reader.insert()
            }
        }
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        #expect(station.display.notices.contains(Self.held))
        expectPaidOnce(station)
    }

    /// The answer to the debit is lost, and the card is another program's when it is back.
    private func lostDebit(held: Int) throws -> TestStation {
        try refuel { station in
            station.reader.faults[.debitForPetrol] = [.pulledAfter]
            var isFirst = true
            station.display.onNotice = { [unowned station] notice in
                guard isFirst, notice == .cardFault(.removed) else { return }
                isFirst = false
                station.site.after(1) { [unowned station] _ in
                    station.reader.heldConnections = held
                    station.reader.insert()
                }
            }
        }
    }

    @Test func atTheDebitTheGraceTimeIsUsed() throws {
        let station = try lostDebit(held: 40)
        #expect(station.display.notices.contains(Self.held))
        #expect(station.display.receipts.count == 1)
        expectPaidOnce(station)
    }

    @Test func heldBeyondTheGraceTimeItIsAGreyRecordThatIsPaidLater() throws {
        let station = try lostDebit(held: 100_000)
        #expect(station.greyRecords.map(\.state) == [.open])
        station.reader.heldConnections = 0
        station.reader.pull()
        station.clearAgenda()
        station.display.onNotice = { _ in }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(60) { [unowned station] _ in station.reader.pull() }
        station.site.after(90) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.reader.image.balance.fen == 50_000 - Self.price)
    }

    @Test func aReaderThatLeavesIsNamedAndNotTheCard() throws {
        let station = try TestStation()
        var isFirst = true
        station.display.onProgress = { [unowned station] centilitres in
            guard isFirst, centilitres >= 100 else { return }
            isFirst = false
            station.site.post(.reader(.lost("start pcscd")))
        }
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        #expect(station.display.notices.contains(.readerGone("start pcscd", graceSeconds: 15)))
        #expect(!station.display.notices.contains(.cardGone(graceSeconds: 15)))
    }
}
