package import Quantities

/// How well a prover's volume is known.
package enum ProverAccuracy: Hashable, Sendable {
    /// The expanded uncertainty of the certificate, and its factor k in thousandths; taken as normal.
    case certificate(Volume, factorThousandths: Int)
    /// Only the limit of its class, in millionths of its volume; taken as rectangular.
    case limit(millionths: Int)
}

/// A vessel with a scale at its neck, read after it was wetted, emptied and left to drip.
package struct Prover: Hashable, Sendable {
    package static let nominalRange = Volume(microlitres: 1_000_000)...Volume(microlitres: 1_000_000_000)
    /// A scale goes so far from the nominal volume, in millionths; a reading further off is a slip.
    package static let scaleMillionths = 100_000

    package let serial: TypedText
    package let nominal: Volume
    /// What the certificate adds to a reading, at 20 °C.
    package let correction: Volume
    package let accuracy: ProverAccuracy
    package let certificate: TypedText
    /// The last day on which the certificate holds.
    package let expires: CalendarDate
    package let expansion: Expansion
    package let wettingSeconds: Int
    package let dripSeconds: Int
    package let scaleDivision: Volume

    /// - Throws: ``ProvingFault`` for figures that no prover has.
    package init(
        serial: TypedText,
        nominal: Volume,
        correction: Volume,
        accuracy: ProverAccuracy,
        certificate: TypedText,
        expires: CalendarDate,
        expansion: Expansion,
        wettingSeconds: Int,
        dripSeconds: Int,
        scaleDivision: Volume
    ) throws(ProvingFault) {
        guard Self.nominalRange.contains(nominal) else {
            throw ProvingFault("a prover holds 1 to 1000 L: type its nominal volume in litres")
        }
        func share(_ volume: Volume) -> Int { abs(volume.microlitres) * 1_000 / nominal.microlitres }
        guard share(correction) < 10 else {
            throw ProvingFault("the certificate's correction is 1 % or more: type it in litres, as 0.0023")
        }
        switch accuracy {
        case .certificate(let expanded, let factor):
            guard expanded > .zero, share(expanded) < 10 else {
                throw ProvingFault(
                    "the certificate's uncertainty is above zero and below 1 %: type it in litres, as 0.004"
                )
            }
            guard (1_000...5_000).contains(factor) else {
                throw ProvingFault("the certificate's k lies between 1 and 5: it is usually 2")
            }
        case .limit(let millionths):
            guard (1...10_000).contains(millionths) else {
                throw ProvingFault(
                    "the limit of the prover's class is above zero and at most 1 %: usually 0.05 % or 0.025 %"
                )
            }
        }
        guard (0...600).contains(wettingSeconds), (0...600).contains(dripSeconds) else {
            throw ProvingFault("wetting and drip time are 0 to 600 s: usually 30 s")
        }
        guard scaleDivision > .zero, share(scaleDivision) < 10 else {
            throw ProvingFault(
                "a division of the scale is above zero and below 1 % of the prover: type it in litres, as 0.01"
            )
        }
        self.serial = serial
        self.nominal = nominal
        self.correction = correction
        self.accuracy = accuracy
        self.certificate = certificate
        self.expires = expires
        self.expansion = expansion
        self.wettingSeconds = wettingSeconds
        self.dripSeconds = dripSeconds
        self.scaleDivision = scaleDivision
    }

    package func refusals(on day: CalendarDate) -> [Refusal] {
        guard day > expires else { return [] }
        return [Refusal(rule: .certificateExpired, found: "\(serial.text): \(day)", limit: "\(expires)")]
    }

    func isOnScale(_ reading: Volume) -> Bool {
        abs((reading - nominal).microlitres) <= nominal.microlitres / 1_000_000 * Self.scaleMillionths
    }

    /// V = V_B (1 + beta_B (t_B - 20) + beta_y (t_J - t_B)): what flowed, at the meter's temperature, rounded half up to a
    /// microlitre (spec/dispenser.md, section 4).
    package func reference(_ reading: ProverReading, liquid: Expansion) -> Volume {
        let walls =
            Int128(expansion.billionthsPerKelvin)
            * Int128(reading.prover.milliCelsius - Temperature.reference.milliCelsius)
        let contents =
            Int128(liquid.billionthsPerKelvin)
            * Int128(reading.meter.milliCelsius - reading.prover.milliCelsius)
        // Billionths a kelvin times thousandths of a kelvin.
        let one: Int128 = 1_000_000_000_000
        let scale = Int128((reading.scale + correction).microlitres)
        return Volume(microlitres: Int(rounded(scale * (one + walls + contents), over: one)))
    }
}

/// What was read after a run.
package struct ProverReading: Hashable, Sendable {
    /// V_B without the certificate's correction.
    package let scale: Volume
    /// t_J and t_B.
    package let meter: Temperature
    package let prover: Temperature

    package init(scale: Volume, meter: Temperature, prover: Temperature) {
        self.scale = scale
        self.meter = meter
        self.prover = prover
    }
}
