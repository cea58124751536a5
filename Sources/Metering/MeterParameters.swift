package import Quantities

/// What decides how much a count is worth, which counts are believed and when valves close: the legally relevant parameters of
/// one nozzle's meter. They change only as a set (after JJG 443; WELMEC guide 7.2 calls them device-specific parameters).
package struct MeterParameters: Hashable, Sendable {
    /// From the type plates.
    package var meterSerial: String
    package var pulserSerial: String
    package var pulser: PulserKind
    /// Of one channel.
    package var pulsesPerLitre: Int
    /// By rising flow rate.
    package var points: [CalibrationPoint]
    /// The least and the largest flow of the meter, in litres per minute.
    package var litresPerMinute: ClosedRange<Int>
    /// The least quantity that is measured within the limits of error.
    package var minimumQuantity: Volume
    package var reverseCentilitresMax: Int
    /// More faults than this in one sale close the valve and the side.
    package var pulserFaultsMax: Int
    /// How much before the target the slow-flow valve takes over, at first and at most.
    package var slowFlow: Volume

    package init(
        meterSerial: String,
        pulserSerial: String,
        pulser: PulserKind,
        pulsesPerLitre: Int,
        points: [CalibrationPoint],
        litresPerMinute: ClosedRange<Int>,
        minimumQuantity: Volume,
        reverseCentilitresMax: Int,
        pulserFaultsMax: Int,
        slowFlow: Volume
    ) {
        self.meterSerial = meterSerial
        self.pulserSerial = pulserSerial
        self.pulser = pulser
        self.pulsesPerLitre = pulsesPerLitre
        self.points = points
        self.litresPerMinute = litresPerMinute
        self.minimumQuantity = minimumQuantity
        self.reverseCentilitresMax = reverseCentilitresMax
        self.pulserFaultsMax = pulserFaultsMax
        self.slowFlow = slowFlow
    }

    package var calibration: Calibration {
        Calibration(countsPerLitre: pulsesPerLitre * pulser.countsPerPulse, points: points)
    }

    package var limits: MeterLimits {
        MeterLimits(
            calibration: calibration,
            litresPerMinuteMax: litresPerMinute.upperBound,
            reverseCentilitresMax: reverseCentilitresMax
        )
    }
}
