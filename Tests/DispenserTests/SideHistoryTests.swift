import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("What a side's faults and prices leave in the journal")
struct SideHistoryTests {
    /// Of all days and of the one day of the run.
    private func counted(_ station: TestStation) -> [PulserFaults] {
        station.journal.store.pulserFaults(of: 1).map(\.faults)
    }

    @Test("faults of a sale are in its record and in the counts of its side, once")
    func inASale() throws {
        let station = try TestStation()
        station.site.after(6) { $0.disturbPulser() }
        station.site.after(7) { $0.disturbPulser() }
        station.scheduleRefuel(centilitres: 300)
        station.run()
        let faults = try #require(station.records.first).reading.faults
        #expect(faults.missedEdges == [2, 0] && faults.total == 2)
        #expect(counted(station) == [faults, faults])
        station.rest()
        station.stop(at: 1)
        station.run()
        #expect(counted(station) == [faults, faults])
    }

    @Test("those of an interrupted sale are counted by the next start, as far as its checkpoint has them")
    func interrupted() throws {
        let station = try TestStation()
        station.site.after(6) { $0.disturbPulser() }
        station.scheduleRefuel(centilitres: 1_000)
        station.stop(at: 10)
        station.run()
        #expect(counted(station) == [])
        station.rest()
        station.stop(at: 1)
        station.run()
        #expect(counted(station).map(\.total) == [1, 1])
        #expect(station.records.first?.reading.faults.total == 1)
    }

    @Test(
        "faults outside any sale are kept by kind: without fuel after a minute, with fuel in its record, or at the stop"
    )
    func outside() throws {
        let station = try TestStation()
        station.site.after(1) { $0.disturbPulser() }
        station.site.after(30) { $0.disturbPulser() }
        var afterAMinute: [Int] = []
        station.site.after(80) { [unowned station] _ in afterAMinute = counted(station).map(\.total) }
        station.site.after(100) { $0.leak(counts: 60) }
        station.site.after(101) { $0.disturbPulser() }
        station.site.after(300) { $0.disturbPulser() }
        station.stop(at: 301)
        station.run()
        #expect(afterAMinute == [2, 2])
        let leak = try #require(station.records.first { $0.kind == .noCard })
        let inLeak = leak.reading.faults
        #expect(leak.reading.totalCounts > 50 && inLeak.missedEdges.reduce(0, +) > 0)
        #expect(counted(station).map(\.total) == [3 + inLeak.total, 3 + inLeak.total])
        station.expectWhole()
    }

    @Test("a change of the price is kept when the side begins to serve at it, and no other start is")
    func prices() throws {
        let station = try TestStation()
        for price in [785, 785, 791, 791, 785] {
            station.settings.unitPrice = UnitPrice(fenPerLitre: price)
            station.stop(at: 1)
            station.run()
            station.rest()
        }
        let prices = station.journal.store.prices
        #expect(prices.map(\.from?.fenPerLitre) == [nil, 785, 791] && prices.map(\.to.fenPerLitre) == [785, 791, 785])
        #expect(prices.allSatisfy { $0.side == 1 && $0.time != nil })
    }
}
