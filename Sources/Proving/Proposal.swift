package import Metering
import Quantities

/// New factors: f new = f old x V_J / V_ref. A volume is counts / (K f), so a meter that shows too much gets a larger factor.
///
/// A run's counts do not all belong to its own rate: fuel begins and ends slowly, and a rate between two points belongs to both. So
/// the factors are those under which all rates have no mean error at once: for each rate the sum over the points of c / (K V_ref f),
/// in the mean of its runs, is 1. Worked out from the first to the last, each from the others, until none changes.
package struct Proposal: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        package let litresPerMinute: Int
        /// What the old curve came to at this rate, in millionths.
        package let before: Int
        package let after: Int
        /// Of the mean, under the old curve.
        package let error: RelativeError
        /// What is left of it under the new ones, with its runs' counts shared between them: their rounding.
        package fileprivate(set) var rest: RelativeError
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
        var rated: [(result: PointResult, runs: [Run])] = []
        var refusals: [Refusal] = judged.verdict.refusals
        for (index, result) in judged.verdict.points.enumerated() where result.point.role != .leastQuantity {
            guard result.isRepeatable == true else {
                throw ProvingFault(
                    "the runs at \(result.point.words) differ by \(result.spread.percentUnsigned) %: find out why before a factor is set"
                )
            }
            rated.append((result, running.runs.filter { $0.counts && $0.point == index }))
        }
        rated.sort { $0.result.point.litresPerMinute < $1.result.point.litresPerMinute }
        let lines = try Self.lines(rated, running)
        for (line, (result, _)) in zip(lines, rated) { refusals += line.refusals(result, assignment) }
        for point in Plan.pointsLost(of: assignment.old, at: lines.map(\.litresPerMinute)) {
            refusals.append(
                Refusal(
                    rule: .pointNotRun,
                    found: "\(point.litresPerMinute) L/min",
                    limit: "every point of the old curve"
                )
            )
        }
        self.lines = lines
        self.refusals = refusals
    }

    private static let trillion: Int128 = 1_000_000_000_000
    private static let roundsMax = 1_000

    /// - Parameter rated: by rising flow rate.
    private static func lines(
        _ rated: [(result: PointResult, runs: [Run])],
        _ running: Running
    ) throws(ProvingFault) -> [Line] {
        let old = running.equipped.assignment.old
        let perLitre = Int128(old.calibration.countsPerLitre)
        let rates = rated.map(\.result.point.litresPerMinute)
        // Trillionths; c / (K V) with V in microlitres.
        let shares = rated.map { _, runs in
            var sums = rates.map { _ in Int128(0) }
            for run in runs {
                let volume = Int128(running.reference(run).microlitres)
                for (index, counts) in run.delivery.counts(at: rates, of: old).enumerated() {
                    sums[index] += rounded(Int128(counts) * 1_000_000 * trillion, over: perLitre * volume)
                }
            }
            return sums.map { rounded($0, over: Int128(runs.count)) }
        }
        for (index, row) in shares.enumerated() where row[index] * 2 <= row.reduce(0, +) {
            throw ProvingFault(
                "most of what flowed at \(rated[index].result.point.words) belongs to other rates: run nearer to it, or leave that rate out"
            )
        }
        let inverses = try inverses(shares)
        var lines: [Line] = []
        for (index, (result, runs)) in rated.enumerated() {
            lines.append(try Line(result, runs, after: rounded(trillion * 1_000_000, over: inverses[index]), running))
        }
        for (index, row) in shares.enumerated() {
            let shown = zip(row, lines).reduce(0) { $0 + rounded($1.0 * 1_000_000, over: Int128($1.1.after)) }
            lines[index].rest = RelativeError(billionths: Int(rounded(shown - trillion, over: 1_000)))
        }
        return lines
    }

    /// One over each factor, in trillionths.
    private static func inverses(_ shares: [[Int128]]) throws(ProvingFault) -> [Int128] {
        var inverses = shares.map { _ in trillion }
        for _ in 0..<roundsMax {
            var change: Int128 = 0
            for (index, row) in shares.enumerated() {
                let others = row.indices.reduce(0) {
                    $1 == index ? $0 : $0 + rounded(row[$1] * inverses[$1], over: trillion)
                }
                let next = rounded((trillion - others) * trillion, over: row[index])
                guard next > trillion / 2, next < 2 * trillion else {
                    throw ProvingFault(
                        "the runs give no factors: check pulses per litre, the prover's volume and the readings"
                    )
                }
                change = max(change, abs(next - inverses[index]))
                inverses[index] = next
            }
            if change <= 1 { return inverses }
        }
        throw ProvingFault("the rates lie too near each other for factors of their own: leave one out")
    }
}

extension Proposal.Line {
    private static let billion: Int128 = 1_000_000_000

    fileprivate init(
        _ result: PointResult,
        _ runs: [Run],
        after millionths: Int128,
        _ running: Running
    ) throws(ProvingFault) {
        let perLitre = Int128(running.equipped.assignment.old.calibration.countsPerLitre)
        // Billionths; counts / (K V) with V in microlitres.
        let old = runs.reduce(0) {
            $0
                + rounded(
                    Int128($1.delivery.totalCounts) * 1_000_000 * Self.billion,
                    over: perLitre * Int128(running.indicated($1).microlitres)
                )
        }
        let after = Int(millionths)
        guard Calibration.factorMillionthsRange.contains(after) else {
            throw ProvingFault(
                "the factor at \(result.point.words) would be \(decimal(after, decimals: 6, shown: 6...6)), which is no calibration: check pulses per litre, the prover's volume and the readings"
            )
        }
        litresPerMinute = result.point.litresPerMinute
        before = Int(rounded(old, over: 1_000 * Int128(runs.count)))
        self.after = after
        error = result.mean
        rest = RelativeError(billionths: 0)
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
