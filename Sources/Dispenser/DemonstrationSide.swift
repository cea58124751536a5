import FuelPassbook
import Metering
import Quantities

extension SideSettings {
    /// For the demonstration and tests only: 92 at 7.85 yuan a litre, 400 counts a litre, at most 200 litres.
    package static var demonstration: SideSettings {
        SideSettings(
            number: 1,
            nozzle: 1,
            grade: "92",
            unitPrice: UnitPrice(fenPerLitre: 785),
            calibration: Calibration(
                countsPerLitre: 400,
                points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
            ),
            aid: Demonstration.aid,
            keyIndex: Demonstration.keyIndex,
            limit: Preset(centilitres: 20_000)
        )
    }
}
