import CardApplication
import Dispenser
import FuelPassbook
import Quantities
import Records
import Simulation
import Testing

@Suite("A module that counts by itself")
struct ModuleNumberTests {
    private static let ahead: UInt32 = 4_000_000_000

    private func station() throws -> TestStation {
        let station = try TestStation()
        station.numbers = { TTC($0.value + Self.ahead) }
        return station
    }

    @Test("an escaped card is locked, found and paid under the module's numbers, and the records have the journal's")
    func escape() throws {
        let station = try station()
        station.escape(at: 300)
        let escape = try #require(station.records.first)
        let grey = try #require(station.greyRecords.first)
        #expect(escape.number == RecordNumber(1) && escape.ttc == TTC(1 + Self.ahead))
        #expect(grey.number == escape.number && grey.gmac.ttc == escape.ttc)
        #expect(station.reader.image.grey?.ttc == escape.ttc)

        station.site.after(1) { [station] _ in station.reader.insert() }
        station.stop(at: 60)
        station.run()
        let unlock = try #require(station.records.last)
        #expect(unlock.kind == .localUnlock && unlock.phase == .settled && unlock.settles == escape.number)
        #expect(unlock.debit?.ttc == TTC(unlock.number.value + Self.ahead))
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.reader.image.balance == Amount(fen: 50_000 - escape.amount.fen))
    }

    @Test("a sale is paid at once under the number of its lock")
    func sale() throws {
        let station = try station()
        station.scheduleRefuel(centilitres: 500)
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled && sale.number == RecordNumber(1))
        #expect(sale.debits.map(\.ttc) == [TTC(1 + Self.ahead)])
    }
}
