import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records
import VirtualPump

/// Presets at a station whose valves take their time, and whose meter is bent: where the sales end, and what they say of it. One
/// card comes until it has learnt, and then must find what it asked for.
package enum ValveScenario: String, CaseIterable, Sendable {
    case presetVolume = "a preset volume, at valves with jitter"
    case presetAmount = "a preset amount, at valves with jitter"
    case ageingValves = "a preset volume, at valves that take longer each time"
    case coarsePulser = "a preset amount, at a pulser whose count is more than the display's last digit"
    case leastQuantity = "customers who take less than the least quantity"

    private static let factors = [1_004_000, 996_000]
    /// Halfway between the calibration's two points.
    private static let litresPerMinute = 25
    /// For which the card's money lasts.
    private static let sales = 10
    private static let salesToLearn = 5

    private var countsPerLitre: Int { self == .coarsePulser ? 40 : 400 }

    private var preset: Preset {
        switch self {
        case .presetVolume, .ageingValves, .leastQuantity: Preset(centilitres: 200)
        // 2.54 L at 7.85 yuan are 19.94.
        case .presetAmount, .coarsePulser: Preset(amount: Amount(fen: 2_000))
        }
    }

    private var target: Volume {
        switch self {
        case .presetVolume, .ageingValves, .leastQuantity: Volume(centilitres: 200)
        case .presetAmount, .coarsePulser: Volume(centilitres: 254)
        }
    }

    private var layout: StationLayout {
        let jitter = self == .coarsePulser ? 0 : 4_000_000
        let ageing = self == .ageingValves ? 8_000_000 : 0
        let milli = countsPerLitre * 1_000 / 60
        var layout = StationLayout()
        layout.countsPerLitre = countsPerLitre
        layout.preset = preset
        layout.minimumQuantity = Volume(centilitres: 200)
        layout.valves = ValveModel(
            main: ValveModel.Valve(delay: 60_000_000, fall: 50_000_000, jitter: jitter, ageing: ageing),
            slow: ValveModel.Valve(delay: 90_000_000, fall: 30_000_000, jitter: jitter, ageing: ageing),
            fullFlow: Self.litresPerMinute * milli,
            slowFlow: 5 * milli,
            seed: 1
        )
        return layout
    }

    private var visits: [CustomerVisit] {
        let counts = self == .leastQuantity ? countsPerLitre : 4 * countsPerLitre
        let refuel = CustomerVisit(card: 0, errand: .refuel(counts: counts))
        return [CustomerVisit(card: 0, errand: .reconfigure(.greyLock, factorsMillionths: Self.factors))]
            + Array(repeating: refuel, count: Self.sales)
    }

    /// - Returns: the rule that was broken; nil when none was.
    package func run() -> String? {
        let station = SimulatedStation(
            seed: 1,
            layout: layout,
            cards: 1,
            visits: visits,
            tape: StationTape(),
            ownsArena: false
        )
        if let reason = station.run() { return reason }
        let records = station.journal.store.records.values.sorted { $0.number < $1.number }.filter { $0.kind == .sale }
        guard records.count >= Self.sales else { return "\(records.count) sales are on record, of \(Self.sales)" }
        for (index, record) in records.prefix(Self.sales).enumerated() {
            if let broken = brokenRule(index, record) { return "sale \(index + 1) \(broken)" }
        }
        return nil
    }

    private func brokenRule(_ index: Int, _ record: Record) -> String? {
        let reading = record.reading
        let saysLess = record.remark?.contains("less than the least quantity") ?? false
        if saysLess != (reading.volume < layout.minimumQuantity) {
            return "says wrongly whether it is below the least quantity"
        }
        if self == .leastQuantity { return nil }
        // Each point has its part of the full flow, which is half, and one of them the slow one.
        if reading.counts[1] * 4 < reading.totalCounts { return "has \(reading.counts) counts at its points" }
        if index >= Self.salesToLearn {
            // A count, and what the preset lies from the nearest one.
            let most = 1_500_000 / countsPerLitre
            let off = reading.volume.microlitres - target.microlitres
            if abs(off) > most { return "ends \(off) microlitres beyond its preset" }
            if let amount = preset.amount, record.price > amount {
                return "costs \(record.price), more than its preset"
            }
        }
        return nil
    }
}
