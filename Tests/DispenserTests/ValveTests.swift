import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import Simulation
import Testing
import VirtualPump

/// Sales of 10 litres at a pump whose valves take their time.
struct ValveTests {
    /// Delays and jitter as direct acting valves have them.
    private static let main = ValveModel.Valve(delay: 60_000_000, fall: 50_000_000, jitter: 4_000_000)
    private static let slow = ValveModel.Valve(delay: 90_000_000, fall: 30_000_000, jitter: 4_000_000)

    private func station(litresPerMinute: Int, countsPerLitre: Int = 400, seed: UInt64) throws -> TestStation {
        let point = CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)
        let calibration = Calibration(countsPerLitre: countsPerLitre, points: [point])
        let station = try TestStation(balance: 50_000_000, calibration: calibration)
        let milli = litresPerMinute * countsPerLitre * 1_000 / 60
        station.site.valves = ValveModel(
            main: Self.main,
            slow: Self.slow,
            fullFlow: milli,
            slowFlow: min(milli, 5 * countsPerLitre * 1_000 / 60),
            seed: seed
        )
        station.settings.limit = Preset(centilitres: 100_000)
        return station
    }

    private func sell(_ sales: Int, at station: TestStation) {
        for _ in 0..<sales {
            station.scheduleRefuel(centilitres: 3_000)
            station.run()
        }
    }

    /// To show 5.
    @Test(arguments: [20, 50, 90], [Preset(centilitres: 1_000), Preset(amount: Amount(fen: 10_000))])
    func afterFiveSalesThePresetIsMetWithinACount(litresPerMinute: Int, preset: Preset) throws {
        for seed: UInt64 in 0..<4 {
            let station = try station(litresPerMinute: litresPerMinute, seed: seed)
            station.settings.preset = preset
            sell(20, at: station)
            let records = station.records
            #expect(records.count == 20 && records.allSatisfy { $0.phase == .settled })
            // The largest volume within the amount, 12.73 L at 7.85 yuan, is what an amount stops at.
            let target = preset.centilitres.map { 4 * $0 } ?? 4 * 1_273
            print("VALVE", litresPerMinute, seed, records.map { $0.reading.totalCounts - target })
            for record in records.dropFirst(5) {
                #expect(abs(record.reading.totalCounts - target) <= 1, "\(litresPerMinute) \(seed)")
                if let amount = preset.amount { #expect(record.price <= amount) }
            }
        }
    }
}
