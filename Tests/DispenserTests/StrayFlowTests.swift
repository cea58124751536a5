import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("Fuel outside any sale")
struct StrayFlowTests {
    private func stray(_ station: TestStation) -> [Record] { station.records.filter { $0.kind == .noCard } }

    @Test("a leak grows one record with the totaliser, and is finished at rest")
    func leak() throws {
        let station = try TestStation()
        var growth: [Int] = []
        station.display.onNotice = { [unowned station] notice in
            guard case .strayFlow(let number, _) = notice else { return }
            let record = station.journal.store.records[number]
            growth.append(record?.reading.counts[0] ?? -1)
            #expect(record?.phase == .flowing)
            #expect(station.journal.store.totalisers[1]?.counts == record?.reading.counts)
        }
        station.site.after(1) { $0.leak(counts: 130) }
        station.stop(at: 100)
        #expect(station.run() == nil)
        #expect(growth == [40, 80, 120])
        let record = try #require(station.records.first)
        #expect(station.records.count == 1)
        #expect(record.kind == .noCard && record.phase == .settled)
        #expect(record.card.bytes == Array(repeating: 0, count: 10))
        #expect(record.amount == .zero)
        // 130 counts are 32.5 cl, shown as 33; at 7.85 yuan a litre 2.59.
        #expect(record.nonCardPart == Amount(fen: 259))
        #expect(record.reading.counts == [130])
        let end = try #require(record.ended)
        #expect(end > record.begun)
        station.expectWhole()
    }

    @Test("a leak after the rest is another record; a trickle without a report does not end one")
    func rest() throws {
        let station = try TestStation()
        for second in [1.0, 30, 60, 90] { station.site.after(second) { $0.leak(counts: 39) } }
        station.site.after(300) { $0.leak(counts: 45) }
        station.stop(at: 400)
        station.run()
        #expect(stray(station).map { $0.reading.counts[0] } == [156, 45])
        station.expectWhole()
    }

    @Test("below the report's threshold it is in a record before the next sale takes its number, or at the stop")
    func belowThreshold() throws {
        let station = try TestStation()
        station.site.after(0.5) { $0.leak(counts: 7) }
        station.scheduleRefuel(centilitres: 100)
        station.site.countsWanted += 7
        station.site.after(40) { $0.leak(counts: 5) }
        station.run()
        #expect(station.records.map(\.kind) == [.noCard, .sale, .noCard])
        #expect(station.records.map { $0.reading.counts[0] } == [7, 400, 5])
        #expect(station.records.map(\.phase) == [.settled, .settled, .settled])
        #expect(station.recordedCounts == station.site.trueCounts)
        station.expectWhole()
    }

    @Test("while no number is given it waits on the pump's counter, and the side goes on")
    func noNumber() throws {
        let station = try TestStation()
        station.journal.numberFault = StorageFault(noNumber: "the mark is gone")
        station.site.after(1) { $0.leak(counts: 130) }
        station.visit(at: 20)
        station.site.after(100) { [unowned station] _ in station.journal.numberFault = nil }
        station.site.after(101) { $0.leak(counts: 45) }
        station.stop(at: 300)
        #expect(station.run() == nil)
        #expect(station.display.refusals.contains(.noNumber("the mark is gone")))
        #expect(stray(station).map { $0.reading.counts[0] } == [175])
        station.expectWhole()
    }

    @Test("what still comes when a sale has settled is in the next record, whatever the moment", arguments: 1..<40)
    func overrun(tenths: Int) throws {
        let station = try TestStation()
        station.settings.preset = Preset(centilitres: 100)
        station.scheduleRefuel(centilitres: 100)
        station.site.after(3 + 0.3 * Double(tenths)) { $0.leak(counts: 33) }
        station.run()
        #expect(station.recordedCounts == station.site.trueCounts)
        station.expectWhole("\(tenths)")
    }

    @Test("a leak while a card is waited for is on disk at each report", arguments: [true, false])
    func duringWaits(escaped: Bool) throws {
        let station = try TestStation()
        var most = 0
        station.journal.onWrite = { [unowned station] _ in
            most = max(most, station.site.trueCounts - station.recordedCounts)
        }
        if escaped {
            station.display.onNotice = { [unowned station] notice in
                if case .escaped = notice { station.site.leak(counts: 100) }
                if case .settling = notice { station.site.leak(counts: 400) }
            }
            station.escape(at: 100)
            #expect(station.records.map(\.kind) == [.escape, .noCard])
        } else {
            station.display.onNotice = { [unowned station] notice in
                if case .removeCard = notice { station.site.leak(counts: 400) }
            }
            station.scheduleRefuel(centilitres: 100)
            station.run()
            #expect(station.records.map(\.kind) == [.sale, .noCard])
        }
        #expect(station.recordedCounts == station.site.trueCounts)
        station.expectWhole()
    }

    @Test("a stop in mid-sale with a leaking valve: both records add up after the next start")
    func stopInSale() throws {
        let station = try TestStation(overrunCounts: 4_000)
        station.settings.calibration = Calibration(
            countsPerLitre: 397,
            points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 999_777)]
        )
        station.site.restart(calibration: station.settings.calibration)
        station.scheduleRefuel(centilitres: 2_000)
        station.site.countsWanted = .max
        station.site.after(10) { $0.post(.stopRequested) }
        // The side says so, and time passes before it ends.
        station.display.onNotice = { [unowned station] notice in
            if case .interrupted = notice { station.site.pass(3.1) }
        }
        station.run()
        #expect(station.records.map(\.phase) == [.locked, .settled])
        #expect(station.records[1].reading.counts[0] > 100)
        station.clearAgenda()
        station.stop(at: 1)
        station.display.onNotice = { _ in }
        station.run()
        #expect(station.records.map(\.phase).prefix(2) == [.escaped, .settled])
        #expect(station.recordedCounts == station.site.trueCounts)
        station.expectWhole()
    }

    @Test("a power cut at any write loses one checkpoint at most, and leaves no record open")
    func powerCuts() throws {
        for writes in 0..<12 {
            let station = try TestStation()
            station.journal.writesLeft = writes
            station.site.after(1) { $0.leak(counts: 370) }
            station.site.after(30) { [unowned station] _ in station.scheduleRefuel(centilitres: 100) }
            station.stop(at: 200)
            let failure = station.run()
            station.journal.writesLeft = nil
            let cut = failure == nil ? 0 : 1
            station.rest()
            station.visit(at: 5)
            station.stop(at: 120)
            #expect(station.run() == nil)
            let lost = station.site.trueCounts - station.recordedCounts
            #expect((0...200 * cut).contains(lost), "cut at write \(writes): \(lost)")
            station.expectWhole("cut at write \(writes)")
        }
    }

    @Test("counts are kept at the point of their flow rate, and the volume is that of the points")
    func points() throws {
        let station = try TestStation()
        station.settings.calibration = Calibration(
            countsPerLitre: 400,
            points: [
                CalibrationPoint(litresPerMinute: 5, factorMillionths: 1_010_000),
                CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000),
            ]
        )
        station.site.restart(calibration: station.settings.calibration)
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(65) { $0.leak(counts: 1_000) }
        station.run()
        let sale = try #require(station.records.first)
        let leak = try #require(station.records.last)
        #expect(sale.reading.counts[1] > 3_900)
        // 40 counts a second are 6 L/min; the first tenth of a litre has the sale's rate still.
        #expect(leak.kind == .noCard && leak.reading.counts[0] >= 960)
        let totaliser = try #require(try station.journal.edge.totaliser(of: 1))
        #expect(totaliser.counts == zip(sale.reading.counts, leak.reading.counts).map(+))
        #expect(totaliser.counts.reduce(0, +) == station.site.trueCounts)
        #expect(totaliser.volume == sale.reading.volume + leak.reading.volume)
        #expect(totaliser.volume == station.settings.calibration.volume(of: totaliser.counts))
    }
}
