import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("Deliveries that go back into the tank")
struct TestBenchTests {
    private func bench(_ station: TestStation) throws -> TestBench {
        let members = [Board.Member(settings: station.settings, display: station.display)]
        let board = try Board(
            terminal: station.terminal,
            journal: station.journal.edge,
            clock: station.clock,
            members
        ).recover()
        return try TestBench(
            station.settings,
            pump: station.pump,
            terminal: station.terminal,
            journal: station.journal.edge,
            clock: station.clock,
            display: station.display,
            after: board
        )
    }

    /// At 40 counts a second.
    private func flow(_ counts: Int, _ station: TestStation) {
        station.site.leak(counts: counts)
        station.site.pass(Double(counts) / 40 + 1)
    }

    private func deliver(_ counts: Int, _ station: TestStation, _ bench: TestBench) throws -> Record {
        _ = try bench.begin()
        flow(counts, station)
        return try bench.finish()
    }

    @Test("is in the totaliser's volume, costs nothing at any price, and is no fuel outside a sale")
    func withoutMoney() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 100)
        station.run()
        let before = try #require(station.journal.store.totalisers[1])
        let bench = try bench(station)
        let record = try deliver(8_001, station, bench)
        #expect(record.kind == .test && record.phase == .settled && record.unitPrice.fenPerLitre == 785)
        #expect(record.price == .zero && record.amount == .zero && record.nonCardPart == .zero)
        #expect(record.reading.counts == [8_001])
        let after = try #require(station.journal.store.totalisers[1])
        #expect(after.volume - before.volume == record.reading.volume && after.fen == before.fen)
        #expect(record.totaliser == after && bench.totaliser == after)
        station.expectWhole()
    }

    @Test("what flows between two of them is fuel outside any sale, and in order")
    func between() throws {
        let station = try TestStation()
        let bench = try bench(station)
        flow(5, station)
        _ = try deliver(400, station, bench)
        flow(7, station)
        _ = try deliver(800, station, bench)
        flow(3, station)
        try bench.recordStray()
        #expect(station.records.map(\.kind) == [.noCard, .test, .noCard, .test, .noCard])
        #expect(station.records.map { $0.reading.counts[0] } == [5, 400, 7, 800, 3])
        #expect(station.records.allSatisfy { $0.phase == .settled })
        station.expectWhole()
    }

    @Test("half a litre at most is not on disk, and a cut leaves it to the next start", arguments: 0..<6)
    func cut(writes: Int) throws {
        let station = try TestStation()
        let bench = try bench(station)
        station.journal.writesLeft = writes
        var wasCut = false
        do {
            _ = try bench.begin()
            for _ in 0..<10 {
                flow(90, station)
                _ = try bench.measure()
                let unwritten = station.site.trueCounts - station.recordedCounts
                #expect(unwritten < 200, "\(unwritten) counts are in no record")
            }
            _ = try bench.finish()
        } catch {
            wasCut = true
        }
        #expect(wasCut)
        station.journal.writesLeft = nil
        station.rest()
        let flowed = station.recordedCounts
        station.stop(at: 1)
        #expect(station.run() == nil)
        let record = station.records.first
        #expect((record?.kind == .test) == (writes >= 1))
        #expect(record?.phase == (writes >= 1 ? .settled : nil))
        #expect(writes < 1 || record?.remark?.contains("next start") == true)
        #expect(station.records.first?.reading.totalCounts ?? 0 == flowed)
        station.expectWhole("\(writes)")
    }

    @Test("nothing begins where no number is given")
    func noNumber() throws {
        let station = try TestStation()
        let bench = try bench(station)
        station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        #expect(throws: SideFailure.self) { try bench.begin() }
        #expect(bench.record == nil && station.records.isEmpty)
        station.journal.numberFault = nil
        #expect(try deliver(40, station, bench).reading.counts == [40])
    }
}
