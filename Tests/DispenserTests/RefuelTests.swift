import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import Simulation
import Testing

@Suite("A refuel, from the card's insertion to the receipt")
struct RefuelTests {
    @Test("the card pays what the display showed, to the fen")
    func wholeSale() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 2_000)
        #expect(station.run() == nil)

        let record = try #require(station.records.first)
        #expect(station.records.count == 1)
        #expect(record.kind == .sale)
        #expect(record.phase == .settled)
        #expect(record.reading.counts == [8_000])
        #expect(record.reading.volume == Volume(centilitres: 2_000))
        #expect(record.amount == Amount(fen: 15_700))
        #expect(record.nonCardPart == .zero)
        #expect(record.mac4IsValid == true)
        #expect(record.debitTAC != nil)
        #expect(record.gmac == nil)
        #expect(station.reader.image.balance == Amount(fen: 50_000 - 15_700))
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.ctc == CTC(1))
        #expect(station.display.receipts == [record])
        let totaliser = try #require(try station.journal.edge.totaliser(of: 1))
        #expect(totaliser.counts == [8_000])
        #expect(totaliser.volume == record.reading.volume)
        #expect(totaliser.fen == 15_700)
    }

    /// As the forecourt convention has them: started is a pump that is on before fuel flows.
    @Test func itsStatesFollowEachOtherOnce() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 2_000)
        station.run()
        #expect(
            station.display.life == [
                .idle, .calling, .authorised, .started, .fuelling, .settling, .completed, .idle, .closed,
            ]
        )
    }

    @Test("each durable write comes before the act that it stands for")
    func orderOfWrites() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 30)
        station.run()
        #expect(
            station.log.entries.filter { $0 != "journal: checkpoint" } == [
                "SELECT", "READ BINARY", "GET GREY STATUS", "VERIFY", "INITIALIZE FOR PETROL", "journal: intent",
                "LOCK FOR PETROL", "journal: locked", "valve opens", "journal: ended", "journal: debit-sent",
                "DEBIT FOR PETROL", "INITIALIZE FOR PETROL", "journal: settled",
            ]
        )
    }

    @Test("a checkpoint is on disk at least every half litre and every second of flow")
    func checkpoints() throws {
        let station = try TestStation()
        var flowed: [Int] = []
        var atCheckpoint: [Int] = []
        station.display.onProgress = { [unowned station] centilitres in
            flowed.append(centilitres)
            let last = station.journal.store.checkpoints.values.first
            atCheckpoint.append(last?.reading.volume.shownCentilitres ?? 0)
        }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(flowed.max() == 1_000)
        for (shown, saved) in zip(flowed, atCheckpoint) {
            #expect(shown - saved <= 50, "\(shown) cl shown, \(saved) cl on disk")
        }
    }

    @Test("a turn works on one snapshot; one in which a checkpoint is written takes another")
    func snapshots() throws {
        let station = try TestStation()
        var (turns, checkpoints) = (0, 0)
        var others: Set<Int> = []
        station.journal.onWrite = { if $0 == "journal: checkpoint" { checkpoints += 1 } }
        station.display.onProgress = { [unowned station] centilitres in
            turns += 1
            if centilitres > 0 { others.insert(station.pump.snapshotsTaken - turns - checkpoints) }
        }
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(turns > 50 && checkpoints > 10)
        #expect(others.count == 1)
    }

    @Test("a side whose thread is held once it has looked at the meter leaves no last count out", arguments: 510...520)
    func heldAfterLook(centilitres: Int) throws {
        let station = try TestStation(overrunCounts: 12)
        station.settings.preset = Preset(centilitres: centilitres)
        station.pump.refuses = { [unowned station] command in
            guard case .close = command else { return false }
            station.pump.onSnapshot = {
                station.pump.onSnapshot = {}
                station.site.pass(0.41)
            }
            return false
        }
        station.scheduleRefuel(centilitres: 5_000)
        #expect(station.run() == nil)
        #expect(station.records.map(\.kind) == [.sale])
        #expect(station.records.first?.reading.totalCounts == station.site.trueCounts)
    }

    @Test("a preset volume closes the valve at its count", arguments: [1, 100, 1_234])
    func presetVolume(centilitres: Int) throws {
        let station = try TestStation()
        station.settings.preset = Preset(centilitres: centilitres)
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        #expect(station.records.first?.reading.counts == [centilitres * 4])
        #expect(station.records.first?.phase == .settled)
    }

    @Test("a preset amount is never exceeded by the shown volume's price")
    func presetAmount() throws {
        let station = try TestStation()
        station.settings.preset = Preset(amount: Amount(fen: 10_000))
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        // 12.73 L cost 99.93 yuan, 12.74 L cost 100.01.
        #expect(station.records.first?.reading.volume == Volume(centilitres: 1_273))
        #expect(station.records.first?.amount == Amount(fen: 9_993))
    }

    @Test("what flows beyond the card's balance is never charged to the card")
    func nonCardPart() throws {
        let station = try TestStation(balance: 1_570, overrunCounts: 12)
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        let record = try #require(station.records.first)
        #expect(record.reading.volume == Volume(centilitres: 203))
        #expect(record.amount == Amount(fen: 1_570))
        #expect(record.nonCardPart == Amount(fen: 1_594 - 1_570))
        #expect(station.reader.image.balance == .zero)
        #expect(record.phase == .settled)
    }

    @Test("the overrun after closing is learnt and anticipated")
    func overrun() throws {
        let station = try TestStation(balance: 500_000, overrunCounts: 8)
        station.settings.preset = Preset(centilitres: 500)
        for _ in 0..<8 {
            station.scheduleRefuel(centilitres: 1_000)
            station.run()
        }
        let counts = station.records.map { $0.reading.counts[0] }
        #expect(counts.first == 2_008)
        #expect(counts.last == 2_000)
    }

    @Test("without flow for 30 s the card is released with a debit of zero")
    func noFlow() throws {
        let station = try TestStation()
        station.site.after(1) { [station] _ in station.reader.insert() }
        station.site.after(60) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.first?.amount == .zero)
        #expect(station.records.first?.phase == .settled)
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance == Amount(fen: 50_000))
    }

    @Test("the service stops in mid-sale: valve shut, checkpoint of all that flowed")
    func stopped() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(10) { $0.post(.stopRequested) }
        #expect(station.run() == nil)
        let record = try #require(station.records.first)
        let checkpoint = try #require(station.journal.store.checkpoints[record.number])
        #expect(record.phase == .locked)
        #expect(checkpoint.reading.counts == [station.site.trueCounts])
        #expect(station.site.snapshot.outputs == [])
    }

    @Test("too many pulser faults settle the sale at the proven volume")
    func pulserFaults() throws {
        let station = try TestStation()
        station.settings.pulserFaultsMax = 3
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(8) { site in
            for _ in 0..<4 { site.disturbPulser() }
        }
        station.run()
        let record = try #require(station.records.first)
        #expect(record.phase == .settled)
        #expect(record.reading.faults.total >= 4)
        #expect(record.remark?.contains("pulser faults") == true)
        #expect(record.reading.counts[0] < 4_000)
    }
}
