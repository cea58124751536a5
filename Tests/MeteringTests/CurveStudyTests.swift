import Foundation
import Metering
import Testing

/// What a curve's points leave of a bent meter's error (<doc:0005-counts-shared-between-points>, whose table this is).
struct CurveStudyTests {
    /// In the order of the table's columns: one factor, the nearest point, shares of tenths, and shares as `MeterHead` does it.
    private func errors(_ meter: BentMeter, _ deliveries: [BentDelivery]) -> [Double] {
        let calibration = meter.calibration
        let rules: [(BentDelivery) -> Double] = [
            { $0.error(meter.singleFactor) }, { $0.errorByTenths(calibration, isNearest: true) },
            { $0.errorByTenths(calibration, isNearest: false) }, { $0.error(calibration) },
        ]
        return rules.map { rule in deliveries.map { abs(rule($0)) }.max() ?? 0 }
    }

    private static let rates = stride(from: BentMeter.range.lowerBound, through: BentMeter.range.upperBound, by: 2.5)

    private func cases(_ meter: BentMeter) -> [(String, [BentDelivery])] {
        let all = Array(Self.rates)
        return [
            (
                "20 L in steady flow",
                all.map { BentDelivery(meter, litres: 20, litresPerMinute: $0, rise: 0, changesOver: false) }
            ),
            ("20 L", all.map { BentDelivery(meter, litres: 20, litresPerMinute: $0) }),
            ("2 L", all.map { BentDelivery(meter, litres: 2, litresPerMinute: $0) }),
            ("first litre", all.map { BentDelivery(meter, litres: 1, litresPerMinute: $0, changesOver: false) }),
            (
                "last litre, with the change-over",
                all.map { BentDelivery(meter, litres: 3, litresPerMinute: $0).lastLitre }
            ),
        ]
    }

    @Test(arguments: BentMeter.all) func theTableSaysWhatEachRuleLeaves(meter: BentMeter) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "Sources/Metering/Documentation.docc/0005-counts-shared-between-points.md")
        let record = try String(contentsOf: file, encoding: .utf8)
        for (name, deliveries) in cases(meter) {
            let errors = errors(meter, deliveries)
            let cells = errors.map { String(format: "%.3f", $0) }.joined(separator: " | ")
            let row = "| \(meter.testDescription) | \(name) | \(cells) |"
            #expect(record.contains(row), "\(row)")
            #expect(errors[3] < errors[1] && errors[3] * 4 < errors[0])
            // The range is that of quantities from the least on.
            if name.hasPrefix("2") { #expect(errors[3] <= 0.05) }
        }
    }
}
