package import Metering
import Quantities

/// New factors: f new = f old x V_J / V_ref. A volume is counts / (K f), so a meter that shows too much gets a larger factor.
///
/// Worked out as counts / (K V_ref), which is the same without the old factor's rounding, and whatever points of the old curve a
/// run's counts stand at. A point's factor is the mean of its runs'.
package struct Proposal: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        package let litresPerMinute: Int
        /// What the old curve came to at this rate, in millionths.
        package let before: Int
        package let after: Int
        /// Of the mean, under the old curve.
        package let error: RelativeError
        /// What is left of it under the new one: its rounding.
        package let rest: RelativeError
    }

    /// By rising flow rate.
    package let lines: [Line]
    package let refusals: [Refusal]

    package var points: [CalibrationPoint] {
        lines.map { CalibrationPoint(litresPerMinute: $0.litresPerMinute, factorMillionths: $0.after) }
    }

    /// - Throws: ``ProvingFault`` where the runs give no factor.
    init(of judged: Judged) throws(ProvingFault) {
        let running = judged.running
        let assignment = running.equipped.assignment
        guard assignment.purpose == .calibrate else {
            throw ProvingFault("a verification changes nothing: start a calibration to set factors")
        }
        var lines: [Line] = []
        var refusals: [Refusal] = judged.verdict.refusals
        for (index, result) in judged.verdict.points.enumerated() where result.point.role != .leastQuantity {
            guard result.isRepeatable == true else {
                throw ProvingFault(
                    "the runs at \(result.point.words) differ by \(result.spread.percentUnsigned) %: find out why before a factor is set"
                )
            }
            let runs = running.runs.filter { $0.counts && $0.point == index }
            let line = try Line(result, runs, running)
            lines.append(line)
            refusals += line.refusals(result, assignment)
        }
        for point in assignment.old.points
        where !lines.contains(where: {
            Plan.isNear(point.litresPerMinute, asked: $0.litresPerMinute)
        }) {
            refusals.append(
                Refusal(
                    rule: .pointNotRun,
                    found: "\(point.litresPerMinute) L/min",
                    limit: "every point of the old curve"
                )
            )
        }
        self.lines = lines.sorted { $0.litresPerMinute < $1.litresPerMinute }
        self.refusals = refusals
    }
}

extension Proposal.Line {
    private static let billion: Int128 = 1_000_000_000

    fileprivate init(_ result: PointResult, _ runs: [Run], _ running: Running) throws(ProvingFault) {
        let perLitre = Int128(running.equipped.assignment.old.calibration.countsPerLitre)
        // Billionths; counts / (K V) with V in microlitres.
        func factor(_ run: Run, _ volume: Volume) -> Int128 {
            rounded(
                Int128(run.delivery.totalCounts) * 1_000_000 * Self.billion,
                over: perLitre * Int128(volume.microlitres)
            )
        }
        let new = runs.reduce(0) { $0 + factor($1, running.reference($1)) }
        let old = runs.reduce(0) { $0 + factor($1, running.indicated($1)) }
        let count = Int128(runs.count)
        let after = Int(rounded(new, over: 1_000 * count))
        guard Calibration.factorMillionthsRange.contains(after) else {
            throw ProvingFault(
                "the factor at \(result.point.words) would be \(decimal(after, decimals: 6, shown: 6...6)), which is no calibration: check pulses per litre, the prover's volume and the readings"
            )
        }
        litresPerMinute = result.point.litresPerMinute
        before = Int(rounded(old, over: 1_000 * count))
        self.after = after
        error = result.mean
        rest = RelativeError(
            billionths: Int(rounded(new * Self.billion, over: Int128(after) * 1_000 * count) - Self.billion)
        )
    }

    fileprivate func refusals(_ result: PointResult, _ assignment: Assignment) -> [Refusal] {
        var refusals: [Refusal] = []
        let shift = RelativeError(billionths: Int(rounded(Int128(after - before) * Self.billion, over: Int128(before))))
        if shift.magnitude > PracticeLimits.factorShift {
            refusals.append(
                Refusal(
                    rule: .factorFarOff,
                    found: "\(shift.percent) % at \(result.point.words)",
                    limit: "\(PracticeLimits.factorShift.percentUnsigned) %"
                )
            )
        }
        let pulses = Int(rounded(Int128(assignment.old.pulsesPerLitre) * Int128(after), over: 1_000))
        let range = assignment.plan.pulsesPerLitre
        if pulses < range.lowerBound * 1_000 || pulses > range.upperBound * 1_000 {
            refusals.append(
                Refusal(
                    rule: .pulsesOutOfRange,
                    found: "\(decimal(pulses, decimals: 3, shown: 0...3)) per litre at \(result.point.words)",
                    limit: "\(range.lowerBound) to \(range.upperBound)"
                )
            )
        }
        return refusals
    }
}
