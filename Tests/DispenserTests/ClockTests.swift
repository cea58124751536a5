import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import Testing

@Suite("The board's clock")
struct ClockTests {
    private func station() throws -> (TestStation, TestClock) {
        let station = try TestStation()
        let clock = TestClock(station.site)
        station.clock = clock
        return (station, clock)
    }

    @Test("behind the last record no sale begins; set right it does, without a restart", arguments: [true, false])
    func behind(isSet: Bool) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 100)
        station.run()
        let last = try #require(try station.journal.edge.latestTime())
        let refusal = isSet ? Refusal.clockBehind(last: last.local) : .clockNotSet

        clock.aheadSeconds = isSet ? 90_000 : nil
        let before = station.display.notices.count
        var shown: [Notice] = []
        station.visit(at: 10, for: 10)
        // In the reader or not: what is shown is why.
        station.site.after(5) { [unowned station] _ in shown.append(station.display.notices.last ?? .closed) }
        station.site.after(25) { [unowned station] _ in shown.append(station.display.notices.last ?? .closed) }
        station.site.after(30) { _ in clock.aheadSeconds = 100_100 }
        station.site.after(35) { [unowned station] _ in shown.append(station.display.notices.last ?? .closed) }
        station.site.after(40) { [unowned station] _ in station.scheduleRefuel(centilitres: 100) }
        station.stop(at: 200)
        station.run()
        #expect(station.display.notices[before...].first == .refused(refusal))
        #expect(shown == [.refused(refusal), .refused(refusal), .insertCard])
        #expect(station.records.map(\.phase) == [.settled, .settled])
        #expect(station.log.entries.count { $0 == "LOCK FOR PETROL" } == 2)
        station.expectWhole()
    }

    @Test("a clock set back while the PIN is typed begins no sale")
    func setBackWhilePINIsTyped() throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 100)
        station.run()
        station.reader.onCommand = { if $0 == .verify { clock.aheadSeconds = 0 } }
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.count == 1)
        #expect(station.reader.image.grey == nil)
    }

    @Test("a grey card is released whatever the clock shows, stamped with the last record's time", arguments: [0, nil])
    func greyCard(aheadSeconds: Int?) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.escape(at: 300)
        let last = try #require(try station.journal.edge.latestTime())
        clock.aheadSeconds = aheadSeconds
        station.visit(at: 1)
        station.stop(at: 30)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.escape, .localUnlock])
        let unlock = try #require(station.records.last)
        #expect(unlock.phase == .settled)
        #expect(unlock.begun == last.local && unlock.debit?.time == last.local)
        #expect(try station.journal.edge.latestTime() == last)
        #expect(station.reader.image.grey == nil)
        #expect(Int(station.reader.image.balance.fen) == 50_000 - station.paid)
        station.expectWhole()
    }

    @Test("a clock that is set back or lost in mid-sale does not keep the card locked", arguments: [0, nil])
    func midSale(aheadSeconds: Int?) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(10) { _ in clock.aheadSeconds = aheadSeconds }
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled && sale.mac4IsValid == true)
        #expect(try #require(sale.debit).time >= sale.begun)
        #expect(sale.ended.map { $0 >= sale.begun } ?? (aheadSeconds == nil))
        #expect(station.reader.image.grey == nil)
    }

    @Test("recovery works with the clock behind or not set, and stamps nothing before its lock", arguments: [0, nil])
    func recovery(aheadSeconds: Int?) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 1_000)
        station.stop(at: 10)
        station.run()
        station.rest()
        clock.aheadSeconds = aheadSeconds
        station.site.after(1) { $0.leak(counts: 50) }
        station.stop(at: 100)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.escape, .noCard])
        for record in station.records {
            #expect(record.ended.map { $0 >= record.begun } ?? (aheadSeconds == nil))
        }
        #expect(station.records[1].begun >= station.records[0].begun)
    }

    @Test("fuel before the clock was ever set has a record with no time known")
    func neverSet() throws {
        let (station, clock) = try station()
        clock.aheadSeconds = nil
        station.site.after(1) { $0.leak(counts: 50) }
        station.stop(at: 100)
        station.run()
        let record = try #require(station.records.first)
        #expect(record.begun.description == "0000-01-01 00:00:00")
        #expect(record.ended == nil)
        clock.aheadSeconds = 0
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.map(\.kind) == [.noCard, .sale])
        station.expectWhole()
    }

    @Test("a clock that jumped years ahead for one sale is accepted by a technician once it is right")
    func acceptance() throws {
        let (station, clock) = try station()
        station.scheduleRefuel(centilitres: 100)
        station.run()
        clock.aheadSeconds = 100_000_000
        station.scheduleRefuel(centilitres: 100)
        station.run()
        let ahead = try #require(try station.journal.edge.latestTime())
        clock.aheadSeconds = 0
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.refusals.last == .clockBehind(last: ahead.local))
        #expect(station.records.count == 2)

        let accepted = try #require(clock.now)
        station.journal.store.acceptClock(accepted)
        #expect(try station.journal.edge.latestTime() == accepted)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.count == 3)
        // The records go on from there: the clock may not go back again.
        let last = try #require(try station.journal.edge.latestTime())
        #expect(accepted.isBefore(last) && last.isBefore(ahead))
        clock.aheadSeconds = -60
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.display.refusals.last == .clockBehind(last: last.local))
    }

    @Test(
        "in the hour that autumn repeats, and in another zone, cards are served",
        arguments: [-3_600, 3_600, -43_200]
    )
    func anotherZone(seconds: Int) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 100)
        station.run()
        clock.zoneSeconds = seconds
        let refusals = station.display.refusals.count
        for _ in 0..<2 {
            station.scheduleRefuel(centilitres: 100)
            station.run()
        }
        #expect(station.display.refusals.count == refusals)
        #expect(station.records.map(\.phase) == [.settled, .settled, .settled])
        // What is said and signed is the local time.
        #expect((station.records[1].begun < station.records[0].begun) == (seconds < 0))
        #expect(station.records.allSatisfy { $0.mac4IsValid == true })
        #expect(Int(station.reader.image.balance.fen) == 50_000 - station.paid)
        // Set back in truth, it serves none.
        clock.aheadSeconds = 99_000
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.count == 3)
        guard case .clockBehind = station.display.refusals.last else {
            Issue.record("\(String(describing: station.display.refusals.last))")
            return
        }
        station.expectWhole()
    }

    @Test(
        "the clocks are set back while fuel flows: the sale is settled in local time, and its end is not before its begin"
    )
    func setBackInMidSale() throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(10) { _ in clock.zoneSeconds = -3_600 }
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled && sale.mac4IsValid == true)
        #expect(try #require(sale.debit).time < sale.begun)
        #expect(sale.ended == sale.begun)
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.map(\.phase) == [.settled, .settled])
    }

    @Test("an escape before the hour that autumn repeats is settled in it", arguments: [-3_600, 3_600])
    func escapeAcrossTheHour(seconds: Int) throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.escape(at: 300)
        clock.zoneSeconds = seconds
        station.visit(at: 1)
        station.stop(at: 30)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.escape, .localUnlock])
        let unlock = try #require(station.records.last)
        #expect(unlock.phase == .settled && unlock.mac4IsValid == true)
        #expect((try #require(unlock.debit).time < station.records[0].begun) == (seconds < 0))
        #expect(station.reader.image.grey == nil)
        station.expectWhole()
    }

    @Test("a restart in another zone goes on with its journal: what was open is finished, and cards are served")
    func restartInAnotherZone() throws {
        let (station, clock) = try station()
        clock.aheadSeconds = 100_000
        station.scheduleRefuel(centilitres: 1_000)
        station.stop(at: 10)
        station.run()
        station.rest()
        clock.zoneSeconds = -7_200
        station.stop(at: 10)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.escape])
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.last?.phase == .settled)
        #expect(station.display.refusals.isEmpty)
        #expect(station.reader.image.grey == nil)
    }
}
