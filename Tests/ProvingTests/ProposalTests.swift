import ISO7816
import Metering
import Proving
import Quantities
import Testing

struct ProposalTests {
    /// A meter that shows 0.3 % too much makes 0.3 % too many counts: its factor must become 1.003.
    @Test(arguments: [0.002, -0.0035, 0.0055])
    func aMeterThatShowsTooMuchGetsALargerFactor(_ error: Double) throws {
        var bench = Bench()
        bench.factor = { _ in 1 + error }
        let judged = try bench.complete(bench.running()).judged()
        let proposal = try judged.proposal()
        for line in proposal.lines {
            #expect(abs(Double(line.after) - (1 + error) * 1e6) < 150)
            #expect(line.before == 1_000_000)
            #expect(abs(line.error.share - error) < 0.000_15)
            #expect(abs(line.rest.billionths) <= 1_000)
        }
        #expect(judged.verdict.isPassed == (abs(error) < 0.003))
        bench.old = Bench.set(version: 5, points: proposal.points)
        let again = try bench.complete(bench.running()).judged()
        for result in again.verdict.points { #expect(result.mean.magnitude.share < result.budget.expanded) }
        #expect(again.verdict.isPassed)
    }

    /// What flows slowly is counted with the lower rate's factor, also in a run at the upper one: under a curve of the same points,
    /// and under one that counted all of it at one point.
    @Test(arguments: [[20, 50], [50]])
    func slowFlowIsNotTakenForTheRateOfItsRun(_ flows: [Int]) throws {
        var bench = Bench()
        bench.old = Bench.set(points: flows.map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) })
        var running = try bench.running()
        // At each point: counts at 50 L/min, before any rate is measured, and at its slow end of 8 L/min.
        for (point, fast, begin, end) in [(0, 7_500, 17, 400), (1, 0, 7_000, 1_000), (2, 0, 1_700, 300)] {
            for number in 0..<3 {
                let (fast, end) = (fast, end + number)
                let rated = fast + begin
                let low = begin + end
                let litres = Double(low) / 400 / 0.998 + Double(fast) / 400 / 1.004
                let ratedSeconds = Double(rated) / 400 / (point == 0 ? 50 : 20) * 60
                let delivery = try Delivery(
                    kind: .preset,
                    counts: flows.count == 1 ? [low + fast] : [low, fast],
                    nanoseconds: UInt64((ratedSeconds + Double(end) / 400 / 8 * 60) * 1e9),
                    ratedCounts: rated,
                    ratedNanoseconds: UInt64(ratedSeconds * 1e9),
                    faults: 0,
                    displayedCentilitres: Int(litres * 100),
                    record: UInt64(running.runs.count),
                    begun: Bench.time(5 + running.runs.count)
                )
                let reading = ProverReading(
                    scale: Volume(microlitres: Int((litres * 1e6).rounded())),
                    meter: Temperature(milliCelsius: 20_000),
                    prover: Temperature(milliCelsius: 20_000)
                )
                running = try running.adding(delivery, at: point, reading: reading)
            }
        }
        #expect(running.runs.count { $0.counts } == 9)
        let lines = try running.judged().proposal().lines
        #expect(lines.map(\.litresPerMinute) == [20, 50])
        for (line, factor) in zip(lines, [998_000, 1_004_000]) { #expect(abs(line.after - factor) <= 1) }
        #expect(lines.allSatisfy { $0.rest.magnitude.billionths <= 1_000 })
    }

    @Test func aFactorFarOffIsRefused() throws {
        var bench = Bench()
        bench.factor = { $0 > 30 ? 1.0065 : 1.001 }
        let judged = try bench.complete(bench.running()).judged()
        let refusals = try judged.proposal().refusals
        #expect(refusals.map(\.rule) == [.factorFarOff])
        #expect(throws: ProvingFault(refusals)) { try judged.proposed() }
        let override = Override(refusals[0], reason: Bench.text("new meter"), person: Bench.text("王小明"))
        #expect(try judged.proposed(overrides: [override]).overrides == [override])
        let another = Override(
            Refusal(rule: .factorFarOff, found: "+0.900 % at 50 L/min", limit: "0.600 %"),
            reason: Bench.text("new meter"),
            person: Bench.text("王小明")
        )
        #expect(throws: ProvingFault.self) { try judged.proposed(overrides: [another]) }
    }

    @Test func pulsesOutOfThePulsersRangeAreRefused() throws {
        var bench = Bench()
        bench.factor = { _ in 1.002 }
        let assignment = try bench.assignment(pulsesPerLitre: 95...100)
        let running = try assignment.equipped(with: [Bench.vessel(), Bench.vessel(litres: 5)]).starting(
            Bench.conditions()
        )
        let refusals = try bench.complete(running).judged().proposal().refusals
        #expect(refusals.map(\.rule) == [.pulsesOutOfRange, .pulsesOutOfRange])
    }

    @Test func aPointOfTheOldCurveIsNotLostUnseen() throws {
        var bench = Bench()
        bench.old = Bench.set(
            points: [(6, 998_000), (20, 1_000_000), (50, 1_000_000)].map {
                CalibrationPoint(litresPerMinute: $0.0, factorMillionths: $0.1)
            }
        )
        let refusals = try bench.complete(bench.running()).judged().proposal().refusals
        #expect(refusals == [Refusal(rule: .pointNotRun, found: "6 L/min", limit: "every point of the old curve")])
    }

    @Test func aMeterThatDoesNotRepeatGetsNoFactor() throws {
        var bench = Bench()
        var running = try bench.complete(bench.running())
        bench.factor = { _ in 1.0012 }
        running = try bench.run(running, at: 0)
        let judged = try running.judged()
        #expect(judged.verdict.points.map(\.isRepeatable) == [false, true, nil])
        #expect(!judged.verdict.isPassed)
        #expect(throws: ProvingFault.self) { try judged.proposal() }
    }

    @Test func aVerificationChangesNothing() throws {
        var bench = Bench()
        bench.factor = { _ in 1.001 }
        let judged = try bench.complete(bench.running(.verify)).judged()
        #expect(throws: ProvingFault.self) { try judged.proposal() }
        #expect(CalibrationSession.judged(judged).isOver)
        for run in judged.running.runs {
            #expect(judged.running.indicated(run) == Volume(centilitres: run.delivery.displayedCentilitres))
        }
        let lines = judged.verdict.points[0].budget.lines
        #expect(lines.first { $0.source == .display }.map { $0.standard > 0 } == true)
    }

    @Test func tooFewRunsGiveNoVerdict() throws {
        var bench = Bench()
        var running = try bench.complete(bench.running(), runs: 2)
        for point in 0..<2 { running = try bench.run(running, at: point) }
        #expect(throws: ProvingFault("1 more run must count at the least quantity at 20 L/min")) {
            try running.judged()
        }
    }

    @Test func aSecondPersonIsAnother() throws {
        var bench = Bench()
        let proposed = try bench.complete(bench.running()).judged().proposed()
        for name in ["王小明", " 王 小明 "] {
            #expect(throws: ProvingFault.self) { try proposed.confirmed(by: Bench.text(name), at: Bench.time(70)) }
        }
        let confirmed = try proposed.confirmed(by: Bench.text("李丽"), at: Bench.time(70))
        let sealed = Bench.set(version: 5, points: proposed.proposal.points)
        #expect(try confirmed.applied(sealed, at: Bench.time(71)).new == sealed)
        let others = [
            Bench.set(version: 4, points: proposed.proposal.points), Bench.set(version: 5, points: bench.old.points),
        ]
        for other in others {
            #expect(throws: ProvingFault.self) { try confirmed.applied(other, at: Bench.time(71)) }
        }
    }
}
