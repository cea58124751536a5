/// What holds for all runs of a calibration.
package struct Conditions: Hashable, Sendable {
    package let air: Temperature
    package let liquid: TypedText
    package let expansion: Expansion
    /// How far the liquid's coefficient may be off, in thousandths of it.
    package let expansionThousandths: Int
    /// How far a thermometer may be off, in thousandths of a degree.
    package let thermometerMilliKelvin: Int

    package init(
        air: Temperature,
        liquid: TypedText,
        expansion: Expansion,
        expansionThousandths: Int,
        thermometerMilliKelvin: Int
    ) throws(ProvingFault) {
        guard (0...500).contains(expansionThousandths) else {
            throw ProvingFault("how far the liquid's expansion may be off is 0 to 50 %: usually 10 %")
        }
        guard (1...5_000).contains(thermometerMilliKelvin) else {
            throw ProvingFault("how far a thermometer may be off is above 0 and at most 5 °C: usually 0.2 °C")
        }
        self.air = air
        self.liquid = liquid
        self.expansion = expansion
        self.expansionThousandths = expansionThousandths
        self.thermometerMilliKelvin = thermometerMilliKelvin
    }
}

/// Limits after the practice of JJG 443 (spec/dispenser.md, section 4).
package enum PracticeLimits {
    package static let liquidMax = Temperature(milliCelsius: 30_000)
    package static let apartMaxMilliKelvin = 4_000
    package static let error = RelativeError(billionths: 3_000_000)
    package static let errorAtLeastQuantity = RelativeError(billionths: 5_000_000)
    /// The spread of the runs at one rate. At the least quantity it is shown and not judged: there one count and one step of the
    /// display are more than this.
    package static let repeatability = RelativeError(billionths: 1_000_000)
    package static let factorShift = RelativeError(billionths: 6_000_000)
    package static let runsMin = 3

    package static func refusals(_ reading: ProverReading) -> [Refusal] {
        var refusals: [Refusal] = []
        let warmest = max(reading.meter, reading.prover)
        if warmest > liquidMax {
            refusals.append(Refusal(rule: .liquidTooWarm, found: warmest.words, limit: liquidMax.words))
        }
        let apart = abs(reading.meter.milliCelsius - reading.prover.milliCelsius)
        if apart > apartMaxMilliKelvin {
            let limit = Temperature(milliCelsius: apartMaxMilliKelvin)
            let found = Temperature(milliCelsius: apart)
            refusals.append(Refusal(rule: .temperaturesApart, found: found.words, limit: limit.words))
        }
        return refusals
    }
}
