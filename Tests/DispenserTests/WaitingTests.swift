import CardApplication
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

/// What happens around a side while it waits for somebody.
@Suite struct WaitingTests {
    @Test("fuel that leaks while the PIN is asked for has its record before the sale's")
    func leakAtThePIN() throws {
        let station = try TestStation()
        station.display.onNotice = { [unowned station] notice in
            guard notice == .typePIN else { return }
            station.site.leak(counts: 80)
            station.site.pass(10)
        }
        station.scheduleRefuel(centilitres: 500)
        station.site.countsWanted += 80
        station.run()
        #expect(station.records.map(\.kind) == [.noCard, .sale])
        #expect(station.records.map(\.phase) == [.settled, .settled])
        #expect(station.records.first?.reading.counts == [80])
    }

    @Test("fuel that leaks while the sale waits for its card is not the sale's")
    func leakAtTheDebit() throws {
        let station = try TestStation()
        station.display.onNotice = { [unowned station] notice in
            guard notice == .settling else { return }
            station.reader.pull()
            station.site.leak(counts: 80)
        }
        station.scheduleRefuel(centilitres: 500)
        station.site.countsWanted += 80
        station.run()
        #expect(station.records.map(\.kind) == [.escape, .noCard])
        #expect(station.records.first?.amount == station.records.first?.price)
        #expect(station.records.last?.reading.counts == [80])
        #expect(station.greyRecords.map(\.state) == [.open])
    }

    @Test("a card that comes back and refuses its PIN is told so, and asked again before the debit")
    func refusedWhenBack() throws {
        let station = try TestStation()
        station.reader.faults[.verify] = [nil, .status(.authenticationMethodBlocked)]
        station.scheduleRefuel(centilitres: 2_000)
        station.site.after(10) { [unowned station] _ in station.reader.pull() }
        station.site.after(12) { [unowned station] _ in station.reader.insert() }
        station.run()
        #expect(station.display.refusals == [.pinBlocked])
        #expect(station.records.map(\.phase) == [.settled])
        let amount = try #require(station.records.first?.amount)
        #expect(amount > .zero && station.reader.image.balance.fen == 50_000 - amount.fen)
    }
}
