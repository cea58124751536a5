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

@Suite("Things that happen at the wrong moment")
struct InterleavingTests {
    private func changed(_ station: TestStation, to calibration: Calibration) {
        station.reader.pull()
        station.site.setNozzle(lifted: false)
        station.clearAgenda()
        station.settings.calibration = calibration
        station.site.restart(calibration: calibration)
        station.site.after(5) { [unowned station] _ in station.reader.insert() }
        station.site.after(20) { [unowned station] _ in station.reader.pull() }
        station.site.after(30) { [unowned station] _ in station.reader.insert() }
        station.site.after(80) { $0.post(.stopRequested) }
    }

    /// What a card's records say it paid.
    private func paid(_ station: TestStation) -> Int {
        station.records.filter { $0.phase == .settled }.reduce(0) { $0 + Int($1.amount.fen) }
    }

    @Test("a pump that fails before the sale begins leaves nothing of the last customer's fuel")
    func pumpFailsAtBegin() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 2_000)
        station.run()
        station.pump.refuses = { $0 == .beginSale }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(60) { $0.post(.stopRequested) }
        guard case .pump = station.run() else {
            Issue.record("the side goes on without its pump")
            return
        }
        #expect(station.records.map(\.amount.fen) == [15_700, 0])
        #expect(station.reader.image.balance.fen == 50_000 - 15_700)
        #expect(station.reader.image.grey == nil)
    }

    @Test("a pump that fails while fuel flows: the sale is paid at the proven volume, then the side ends")
    func pumpFailsInSale() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 2_000)
        station.site.after(10) { $0.post(.pumpFailed(PumpFault(reason: "the line is gone"))) }
        #expect(station.run() == .pump(PumpFault(reason: "the line is gone")))
        let record = try #require(station.records.first)
        #expect(record.phase == .settled)
        #expect(record.reading.counts == [station.site.trueCounts])
        #expect(station.reader.image.balance.fen == 50_000 - record.amount.fen)
    }

    @Test("the card leaves again while it is asked whether it paid: no second debit, and its proof is found later")
    func leavesWhileAsked() throws {
        let station = try TestStation()
        station.reader.faults[.debitForPetrol] = [.pulledAfter]
        station.reader.faults[.getGreyStatus] = [nil, .pulledBefore]
        var isBack = false
        station.display.onNotice = { [unowned station] notice in
            guard case .cardFault = notice, !isBack else { return }
            isBack = true
            station.site.after(2) { [unowned station] _ in station.reader.insert() }
        }
        station.scheduleRefuel(centilitres: 500)
        station.site.after(98) { [unowned station] _ in station.reader.insert() }
        station.site.after(99) { $0.post(.stopRequested) }
        station.run()
        station.site.after(100) { $0.post(.stopRequested) }
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled)
        #expect(sale.mac4IsValid == true)
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.log.entries.filter { $0 == "DEBIT FOR PETROL" }.count == 1)
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
    }

    @Test("a card that answers an error after a lost debit leaves a grey record, and pays at its next visit")
    func refusedAfterLostDebit() throws {
        let station = try TestStation()
        station.reader.faults[.debitForPetrol] = [.pulledBefore]
        station.reader.faults[.getGreyStatus] = [nil, .status(.memoryFailure)]
        var isBack = false
        station.display.onNotice = { [unowned station] notice in
            guard case .cardFault = notice, !isBack else { return }
            isBack = true
            station.site.after(2) { [unowned station] _ in station.reader.insert() }
            station.site.after(20) { [unowned station] _ in station.reader.pull() }
            station.site.after(30) { [unowned station] _ in station.reader.insert() }
        }
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.greyRecords.map(\.state) == [.settled])
        #expect(station.reader.image.grey == nil)
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
    }

    @Test("the stop point does not move while a checkpoint is written", arguments: [0.0, 0.02, 0.1, 0.3])
    func slowDisk(seconds: Double) throws {
        for slowFlow in [Volume.zero, Volume(centilitres: 50)] {
            let station = try TestStation()
            station.settings.preset = Preset(centilitres: 2_000)
            station.settings.slowFlow = slowFlow
            station.journal.onWrite = { [unowned station] _ in station.site.pass(seconds) }
            station.scheduleRefuel(centilitres: 5_000)
            station.run()
            #expect(station.records.first?.reading.counts == [8_000])
        }
    }

    @Test("fuel waits for a slow disk, and what no checkpoint has stays half a litre", arguments: [0.3, 2.0])
    func heldFuel(seconds: Double) throws {
        let station = try TestStation()
        station.settings.preset = Preset(centilitres: 500)
        var most = 0
        station.journal.onWrite = { [unowned station] name in
            guard name == "journal: checkpoint" else { return }
            let number = station.journal.store.openRecords().last?.number
            let last = number.flatMap { station.journal.store.lastCheckpoint(of: $0) }
            station.site.pass(seconds)
            most = max(most, station.site.trueCounts - (last?.reading.counts.reduce(0, +) ?? 0))
        }
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.records.first?.reading.counts == [2_000])
        #expect(most == 200)
        #expect(station.display.notices.contains(.heldForCheckpoint))
    }

    @Test("a calibration that changes while a sale is open touches neither that sale nor the next")
    func calibrationChanges() throws {
        let points = [
            [CalibrationPoint(litresPerMinute: 40, factorMillionths: 950_000)],
            [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_050_000)],
            [
                CalibrationPoint(litresPerMinute: 10, factorMillionths: 1_000_000),
                CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_010_000),
            ],
        ]
        for points in points {
            let station = try TestStation()
            station.scheduleRefuel(centilitres: 2_000)
            station.site.after(20) { $0.post(.stopRequested) }
            station.run()
            let counts = station.site.trueCounts
            changed(station, to: Calibration(countsPerLitre: 400, points: points))
            #expect(station.run() == nil)
            let escape = try #require(station.records.first)
            #expect(escape.kind == .escape)
            #expect(escape.reading.volume == Volume(microlitres: counts * 2_500))
            #expect(station.records.last?.amount == .zero)
            #expect(station.reader.image.balance.fen == 50_000 - escape.amount.fen)
            let totaliser = try #require(try station.journal.edge.totaliser(of: 1))
            #expect(totaliser.volume == escape.reading.volume)
            #expect(totaliser.counts.count == points.count)
        }
    }

    @Test("a blocked card that paid before still proves it")
    func proofOfBlockedCard() throws {
        let station = try TestStation()
        station.reader.faults[.debitForPetrol] = [.pulledAfter]
        station.scheduleRefuel(centilitres: 500)
        station.run()
        station.settings.blacklist = [station.reader.image.file.asn]
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(100) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.first?.phase == .settled)
        #expect(station.display.refusals.last == .blacklisted)
    }

    @Test("a valve that does not close does not hold up the sale's end, nor the stop of the service")
    func leakingValve() throws {
        let station = try TestStation(overrunCounts: 4_000)
        station.scheduleRefuel(centilitres: 2_000)
        station.site.countsWanted = .max
        station.site.after(10) { $0.post(.stopRequested) }
        let begun = station.site.monotonicNanoseconds
        station.run()
        #expect(station.site.monotonicNanoseconds - begun <= 16_000_000_000)
        let checkpoint = try #require(station.journal.store.checkpoints.values.first)
        #expect(checkpoint.reading.counts == [station.site.trueCounts])
        #expect(station.display.notices.contains(.fuelDoesNotStop))
    }

    @Test("on failing power the checkpoint is the first thing that is done")
    func emergency() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 2_000)
        var emergencyAt: UInt64?
        var writtenAt: UInt64?
        station.journal.onWrite = { [unowned station] name in
            if emergencyAt != nil, writtenAt == nil, name == "journal: checkpoint" {
                writtenAt = station.site.monotonicNanoseconds
            }
        }
        station.site.after(10) { site in
            site.setEmergency(active: true)
            emergencyAt = site.monotonicNanoseconds
        }
        station.run()
        #expect(emergencyAt != nil && emergencyAt == writtenAt)
        #expect(station.records.first?.phase == .settled)
        #expect(station.records.first?.remark == "emergency stop")
    }

    @Test("with the emergency stop pressed no card is locked")
    func emergencyBefore() throws {
        let station = try TestStation()
        station.site.setEmergency(active: true)
        station.scheduleRefuel(centilitres: 500)
        station.run()
        #expect(station.display.refusals == [.emergencyStop])
        #expect(station.records.isEmpty)
        #expect(station.reader.image.ctc == CTC(0))
    }

    @Test("a nozzle hung up before the valves opened does not end the sale")
    func staleNozzleDown() throws {
        let station = try TestStation()
        station.settings.preset = Preset(centilitres: 300)
        station.site.setNozzle(lifted: true)
        station.reader.onCommand = { [unowned station] instruction in
            if instruction == .initializeForPetrol { station.site.setNozzle(lifted: false) }
        }
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(5) { $0.setNozzle(lifted: true) }
        station.site.after(60) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.reading.volume) == [Volume(centilitres: 300)])
    }

    @Test("after too many pulser faults the side stays closed until a technician clears it")
    func sideLocks() throws {
        let station = try TestStation()
        station.settings.pulserFaultsMax = 3
        station.scheduleRefuel(centilitres: 1_000)
        station.site.after(8) { site in
            for _ in 0..<4 { site.disturbPulser() }
        }
        station.run()
        station.scheduleRefuel(centilitres: 1_000)
        station.run()
        #expect(station.records.count == 1)
        guard case .sideLocked = station.display.refusals.last else {
            Issue.record("the next card was served")
            return
        }
        let lock = try #require(station.journal.store.locks[1])
        try station.journal.edge.clear(
            LockClearing(of: lock, at: station.site.now, name: "T. Nician", reason: "mended")
        )
        station.scheduleRefuel(centilitres: 100)
        station.run()
        #expect(station.records.count == 2)
    }

    @Test("where a removal does not close the valve, the grace time begins at the end of fuelling")
    func removalAllowed() throws {
        let station = try TestStation()
        station.settings.closesValveOnCardRemoval = false
        station.site.countsWanted = 4_000
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(5) { [unowned station] _ in station.reader.pull() }
        station.site.after(40) { $0.setNozzle(lifted: false) }
        station.site.after(42) { [unowned station] _ in station.reader.insert() }
        station.site.after(100) { $0.post(.stopRequested) }
        station.run()
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.records.first?.reading.counts == [4_000])
    }

    @Test("without flow for 60 s the sale ends and is paid")
    func noFlow() throws {
        let station = try TestStation()
        station.site.countsWanted = 400
        station.site.after(1) { [unowned station] _ in station.reader.insert() }
        station.site.after(3) { $0.setNozzle(lifted: true) }
        station.site.after(200) { $0.post(.stopRequested) }
        station.run()
        let sale = try #require(station.records.first)
        #expect(sale.phase == .settled)
        #expect(sale.reading.counts == [400])
        #expect(station.site.snapshot.outputs == [])
    }

    @Test("fuel that flows outside any sale is an alarm")
    func strayFlow() throws {
        let station = try TestStation(overrunCounts: 2_000)
        station.settings.preset = Preset(centilitres: 100)
        station.scheduleRefuel(centilitres: 5_000)
        station.run()
        let alarms = station.display.notices.filter { if case .strayFlow = $0 { true } else { false } }
        #expect(!alarms.isEmpty)
        #expect(station.records.first?.phase == .settled)
        #expect(paid(station) == 50_000 - Int(station.reader.image.balance.fen))
    }
}
