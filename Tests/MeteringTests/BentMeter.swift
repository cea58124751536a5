import Foundation
import Metering
import Quantities
import Testing

/// A meter whose factor depends on the flow rate, as drawn; each of its counts is worth what the factor at that instant says.
struct BentMeter: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Where it is calibrated, in litres per minute.
    let points: [Int]
    let factor: @Sendable (_ litresPerMinute: Double) -> Double

    static let range = 5.0...90.0
    private static let even = [5, 14, 24, 33, 43, 52, 62, 71, 81, 90]
    private static let byRatio = [5, 7, 10, 13, 18, 25, 34, 47, 65, 90]

    static let all = [
        BentMeter(testDescription: "s-shaped, 1 %", points: even) { 1 + 0.005 * sin(2 * .pi * ($0 - 5) / 85) },
        BentMeter(testDescription: "worn, -1 % at 5 L/min", points: byRatio) { 1 - 0.05 / $0 },
        BentMeter(testDescription: "hunched, -0.6 % and -0.4 %", points: byRatio) {
            1 - 0.03 / $0 - 0.004 * pow(max(0, $0 - 30) / 60, 2)
        },
    ]

    static let countsPerLitre = 400

    /// Of its points, as a perfect calibration finds them.
    var calibration: Calibration {
        let points = points.map {
            CalibrationPoint(litresPerMinute: $0, factorMillionths: Int((factor(Double($0)) * 1_000_000).rounded()))
        }
        return Calibration(countsPerLitre: Self.countsPerLitre, points: points)
    }

    /// The one factor whose largest error over the range is the least.
    var singleFactor: Calibration {
        let factors = stride(from: Self.range.lowerBound, through: Self.range.upperBound, by: 0.5).map(factor)
        let middle = ((factors.min() ?? 1) + (factors.max() ?? 1)) / 2
        let point = CalibrationPoint(litresPerMinute: 50, factorMillionths: Int((middle * 1_000_000).rounded()))
        return Calibration(countsPerLitre: Self.countsPerLitre, points: [point])
    }
}

/// One delivery: the flow rises to its rate, is throttled to 5 L/min half a litre before the end where that is wanted, and stops.
struct BentDelivery {
    struct Count {
        let nanoseconds: UInt64
        /// What it is worth, in litres.
        let litres: Double
    }

    let counts: [Count]
    /// From which of them on it is judged.
    var judgedFrom = 0

    /// - Parameter rise: in seconds; 0 for a flow that is there already.
    init(_ meter: BentMeter, litres: Double, litresPerMinute: Double, rise: Double = 0.5, changesOver: Bool = true) {
        let (slow, slowLitres, fall) = (min(5, litresPerMinute), 0.5, 0.2)
        var counts: [Count] = []
        var (time, flowed, changedAt) = (0.0, 0.0, Double.infinity)
        while flowed < litres {
            var rate = rise == 0 ? litresPerMinute : min(litresPerMinute, litresPerMinute * (0.02 + time / rise))
            if changesOver, flowed >= litres - slowLitres { changedAt = min(changedAt, time) }
            if changedAt <= time { rate = max(slow, rate - (litresPerMinute - slow) * (time - changedAt) / fall) }
            let worth = 1 / (Double(BentMeter.countsPerLitre) * meter.factor(max(1, rate)))
            time += worth / rate * 60
            flowed += worth
            counts.append(Count(nanoseconds: UInt64(time * 1_000_000_000), litres: worth))
        }
        self.counts = counts
    }

    /// What a side's meter makes of it, in per cent too much.
    func error(_ calibration: Calibration) -> Double {
        var shaft = Shaft()
        var head = MeterHead(
            calibration: calibration,
            kind: .quadrature(.alarm),
            levels: shaft.levels,
            nozzleIsLifted: true
        )
        head.perform(.beginSale)
        head.perform(.open(CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)))
        var before = head.snapshot.counts
        for (index, count) in counts.enumerated() {
            if index == judgedFrom { before = head.snapshot.counts }
            let edge = shaft.step(1)
            _ = head.receive(
                PumpEdge(
                    input: .pulser(edge.channel),
                    rising: edge.rising,
                    nanoseconds: count.nanoseconds,
                    sequence: edge.sequence
                )
            )
        }
        return error(calibration.volume(of: head.snapshot.counts), calibration.volume(of: before))
    }

    /// The same by another rule: each count belongs to the point nearest to the rate of the last tenth of a litre, or by shares.
    func errorByTenths(_ calibration: Calibration, isNearest: Bool) -> Double {
        var values = calibration.points.map { _ in 0 }
        let tenth = BentMeter.countsPerLitre / 10
        var before = values
        var (rate, carried) = (0, 0)
        for (index, count) in counts.enumerated() {
            if index == judgedFrom { before = values }
            let share = calibration.share(millilitresPerMinute: rate)
            if isNearest {
                values[share.point + (share.aboveThousandths >= 500 ? 1 : 0)] += 1
            } else {
                carried += share.aboveThousandths
                values[share.point + carried / 1_000] += 1
                carried %= 1_000
            }
            if index > 0, index % tenth == 0 {
                let time = count.nanoseconds - counts[index - tenth].nanoseconds
                rate = calibration.millilitresPerMinute(counts: tenth, nanoseconds: time)
            }
        }
        return error(calibration.volume(of: values), calibration.volume(of: before))
    }

    private func error(_ volume: Volume, _ before: Volume) -> Double {
        let litres = counts[judgedFrom...].reduce(0) { $0 + $1.litres }
        return (Double((volume - before).microlitres) / 1_000_000 - litres) / litres * 100
    }

    /// The same delivery, judged from a litre before its end.
    var lastLitre: BentDelivery {
        var last = self
        var litres = 0.0
        last.judgedFrom =
            counts.lastIndex { count in
                litres += count.litres
                return litres >= 1
            } ?? 0
        return last
    }
}
