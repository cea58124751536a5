import FuelPassbook
package import Metering
package import Quantities

/// What the meter counted for one sale.
package struct MeterReading: Equatable, Sendable {
    /// Per calibration point.
    package var counts: [Int]
    package var volume: Volume
    package var faults: PulserFaults

    package init(counts: [Int], volume: Volume, faults: PulserFaults) {
        self.counts = counts
        self.volume = volume
        self.faults = faults
    }

    package var totalCounts: Int { counts.reduce(0, +) }

    package static func none(points: Int) -> MeterReading {
        MeterReading(counts: Array(repeating: 0, count: points), volume: .zero, faults: PulserFaults())
    }
}

/// Fuel at one nozzle for one price.
package struct Delivery: Equatable, Sendable {
    package let nozzle: Int
    package let grade: String
    package let unitPrice: UnitPrice
    package var reading: MeterReading

    package init(nozzle: Int, grade: String, unitPrice: UnitPrice, reading: MeterReading) {
        self.nozzle = nozzle
        self.grade = grade
        self.unitPrice = unitPrice
        self.reading = reading
    }

    /// What the shown volume costs, whoever pays it.
    package var price: Amount {
        Amount(fen: UInt32(clamping: unitPrice.fen(forCentilitres: reading.volume.shownCentilitres)))
    }
}

/// A running sale of a locked card on disk: enough to settle it at this amount after a power cut.
package struct Checkpoint: Equatable, Sendable {
    package let number: RecordNumber
    package let reading: MeterReading
    package let amount: Amount
    package let nonCardPart: Amount
    package let gmac: SealedGMAC

    package init(number: RecordNumber, reading: MeterReading, amount: Amount, nonCardPart: Amount, gmac: SealedGMAC) {
        self.number = number
        self.reading = reading
        self.amount = amount
        self.nonCardPart = nonCardPart
        self.gmac = gmac
    }
}

/// The non-resettable totals of one nozzle: the sums over all its records.
///
/// Invariant: `volume` is `base` plus the calibration's volume of `counts`. A sale's volume is the difference that its
/// counts make here, so sales add up to the totaliser to the microlitre.
package struct Totaliser: Equatable, Sendable {
    package let nozzle: Int
    /// Per calibration point, since the present calibration took effect.
    package var counts: [Int]
    /// The volume before the present calibration.
    package var base: Volume
    package var volume: Volume
    package var fen: Int

    package init(nozzle: Int, counts: [Int], base: Volume, volume: Volume, fen: Int) {
        self.nozzle = nozzle
        self.counts = counts
        self.base = base
        self.volume = volume
        self.fen = fen
    }
}

/// What flows at a nozzle after its valves were closed, as sales have shown it. It is no total: the cut-off comes so much
/// earlier.
package struct Overrun: Equatable, Sendable {
    package let nozzle: Int
    /// Of both valves at any rate, as it was learnt until schema 7: it holds where ``main`` or ``slow`` has learnt nothing.
    package var counts: Int
    /// Of the main valve, when everything closes from full flow.
    package var main: ClosingTimes
    /// Of the slow-flow valve alone.
    package var slow: ClosingTimes
    /// From the main valve's closing until the slow-flow valve's rate is reached.
    package var changeOver: ClosingTimes

    package init(
        nozzle: Int,
        counts: Int,
        main: ClosingTimes = ClosingTimes(),
        slow: ClosingTimes = ClosingTimes(),
        changeOver: ClosingTimes = ClosingTimes()
    ) {
        self.nozzle = nozzle
        self.counts = counts
        self.main = main
        self.slow = slow
        self.changeOver = changeOver
    }
}

extension Totaliser {
    /// A nozzle that has delivered nothing.
    package static func new(nozzle: Int, points: Int) -> Totaliser {
        Totaliser(nozzle: nozzle, counts: Array(repeating: 0, count: points), base: .zero, volume: .zero, fen: 0)
    }

    /// The volume that `counts` add.
    package func volume(of counts: [Int], _ calibration: Calibration) -> Volume {
        base + calibration.volume(of: zip(self.counts, counts).map(+)) - volume
    }

    /// This totaliser after a sale.
    package func adding(_ reading: MeterReading, fen: Int) -> Totaliser {
        var next = self
        next.fen += fen
        // A record of an earlier calibration without fuel adds money only.
        guard reading.counts.contains(where: { $0 != 0 }) else { return next }
        next.volume = volume + reading.volume
        if reading.counts.count == counts.count {
            next.counts = zip(counts, reading.counts).map(+)
        } else {
            // Of another calibration, whose counts are in the volume before the present one.
            next.base = next.volume
            next.counts = counts.map { _ in 0 }
        }
        return next
    }

    /// This totaliser with counts that begin anew when it was not kept under `calibration`.
    package func under(_ calibration: Calibration) -> Totaliser {
        if counts.count == calibration.points.count, base + calibration.volume(of: counts) == volume { return self }
        return Totaliser(
            nozzle: nozzle,
            counts: Array(repeating: 0, count: calibration.points.count),
            base: volume,
            volume: volume,
            fen: fen
        )
    }
}
