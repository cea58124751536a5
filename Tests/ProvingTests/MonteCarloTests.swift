import Metering
import Proving
import Quantities
import Testing

/// Whether a stated uncertainty covers what it says, by 10,000 made-up calibrations of each kind.
struct MonteCarloTests {
    private static let trials = 10_000

    /// The standard deviation of a run's scatter and the standard uncertainty of the prover, in millionths.
    struct Mix: CustomTestStringConvertible, Sendable {
        let scatter: Double
        let prover: Int

        var testDescription: String { "scatter \(Int(scatter)), prover \(prover)" }
    }

    private static let mixes = [(10, 300), (100, 200), (200, 100), (400, 60), (600, 10)].map {
        Mix(scatter: $0.0, prover: $0.1)
    }

    @Test(arguments: mixes)
    func ninetyFivePercentAreCovered(_ mix: Mix) throws {
        var bench = Bench()
        bench.chance = Chance(seed: UInt64(mix.prover))
        bench.scatter = mix.scatter / 1e6
        let accuracy = ProverAccuracy.certificate(Volume(microlitres: mix.prover * 40), factorThousandths: 2_000)
        let small = ProverAccuracy.certificate(Volume(microlitres: mix.prover * 10), factorThousandths: 2_000)
        let vessels = try [Bench.vessel(accuracy: accuracy), Bench.vessel(litres: 5, accuracy: small)]
        let running = try bench.running(provers: vessels, thermometerMilliKelvin: 50)
        let points = running.equipped.assignment.plan.points.count
        var covered = [Int](repeating: 0, count: points)
        var coveredByTwo = covered
        var sum = [Double](repeating: 0, count: points)
        for _ in 0..<Self.trials {
            let error = bench.chance.within(0.002)
            bench.factor = { _ in 1 + error }
            bench.draw(Double(mix.prover) / 1e6, kelvin: 0.05)
            let verdict = try bench.complete(running).judged().verdict
            for (index, result) in verdict.points.enumerated() {
                let miss = result.mean.share - error
                sum[index] += miss
                if abs(miss) <= result.budget.expanded { covered[index] += 1 }
                if abs(miss) <= 2 * Self.naive(result) { coveredByTwo[index] += 1 }
            }
        }
        for index in 0..<points {
            let coverage = Double(covered[index]) / Double(Self.trials)
            #expect((0.94...0.98).contains(coverage), "point \(index)")
            #expect(abs(sum[index]) / Double(Self.trials) < 0.000_1)
        }
        print(
            "\(mix.testDescription): covered \(covered), by k = 2 of the runs alone \(coveredByTwo), of \(Self.trials)"
        )
    }

    /// The runs' own scatter with the rest, unpooled.
    private static func naive(_ result: PointResult) -> Double {
        let mean = result.mean.share
        let squares = result.errors.reduce(0) { $0 + ($1.share - mean) * ($1.share - mean) }
        let runs = Double(result.errors.count)
        let rest = result.budget.lines.reduce(0) { $1.degrees == nil ? $0 + $1.standard * $1.standard : $0 }
        return (squares / (runs - 1) / runs + rest).squareRoot()
    }

    /// The factor applied, and run again with another scatter: what the meter errs then, and what is found.
    @Test func afterTheFactorsTheErrorLiesWithinItsUncertainty() throws {
        var bench = Bench()
        bench.chance = Chance(seed: 2_026)
        bench.scatter = 0.000_15
        let vessels = try [Bench.vessel(), Bench.vessel(litres: 5)]
        let trials = Self.trials / 5
        var (trueWithin, foundWithin, judgements) = (0, 0, 0)
        for _ in 0..<trials {
            bench.old = Bench.set(points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)])
            let (fast, slow) = (bench.chance.within(0.005), bench.chance.within(0.005))
            bench.factor = { $0 > 30 ? 1 + fast : 1 + slow }
            bench.draw(0.000_1, kelvin: 0.2)
            let judged = try bench.complete(bench.running(provers: vessels)).judged()
            guard judged.verdict.points.allSatisfy({ $0.isRepeatable != false }) else { continue }
            let points = try judged.proposal().points
            bench.old = Bench.set(version: 5, points: points)
            let again = try bench.complete(bench.running(provers: vessels)).judged().verdict
            for (point, real) in zip(points, [slow, fast]) {
                let result = try #require(again.points.first { $0.point.litresPerMinute == point.litresPerMinute })
                judgements += 1
                let left = (1 + real) / (Double(point.factorMillionths) / 1e6) - 1
                if abs(left) <= result.budget.expanded { trueWithin += 1 }
                if result.mean.magnitude.share <= result.budget.expanded * 2.0.squareRoot() { foundWithin += 1 }
            }
        }
        #expect(judgements > trials)
        #expect(Double(trueWithin) / Double(judgements) >= 0.94)
        #expect(Double(foundWithin) / Double(judgements) >= 0.94)
        print("after the factors: \(trueWithin) true and \(foundWithin) found within, of \(judgements)")
    }

    /// A worn meter that loses 0.6 % at its least flow and bends at its largest, with up to ten points and with one.
    @Test func aBentMeterKeepsLittleOfItsErrorWithTenPoints() throws {
        var bench = Bench()
        bench.factor = { flow in 1.001 - 0.03 / (flow + 1) / (1 + flow / 90) + 0.000_000_2 * flow * flow }
        let flows = [90, 70, 50, 35, 25, 18, 13, 9, 7, 5]
        let points =
            flows.enumerated().map { index, flow in
                TestPoint(
                    index == 0 ? .largestFlow : index == 1 ? .lowerFlow : .further,
                    litresPerMinute: flow,
                    prover: 0
                )
            } + [TestPoint(.leastQuantity, litresPerMinute: 5, prover: 1)]
        let proposal = try bench.complete(bench.running(points: points)).judged().proposal()
        let curve = Bench.set(version: 5, points: proposal.points)
        let single = Bench.set(version: 5, points: [proposal.points[proposal.points.count - 1]])
        let (rest, restOfOne) = (bench.largestError(curve), bench.largestError(single))
        #expect(rest <= 0.000_5)
        #expect(restOfOne > 0.004)
        print("bent meter: rest error \(rest * 100) %, with a single factor \(restOfOne * 100) %")
    }
}

extension Bench {
    /// Errors of prover and thermometers for one calibration.
    fileprivate mutating func draw(_ prover: Double, kelvin: Double) {
        proverError = prover * chance.normal()
        thermometers = (chance.within(kelvin), chance.within(kelvin))
    }

    /// Over 5 to 90 L/min with 100 L each.
    fileprivate func largestError(_ set: SealedSet) -> Double {
        var bench = self
        bench.old = set
        return stride(from: 5.0, through: 90, by: 0.25).reduce(0) { largest, flow in
            let counts = Int((100 * Double(set.calibration.countsPerLitre) * factor(flow)).rounded())
            let volume = set.calibration.volume(of: bench.shared(counts, flow))
            return max(largest, abs(Double(volume.microlitres) / 100e6 - 1))
        }
    }
}
