import Quantities
import Testing

@testable import Metering

struct CalibrationTests {
    /// By hand: 400 counts a litre are 2,500 microlitres a count.
    @Test(arguments: [
        (1, 1_000_000, 2_500), (400, 1_000_000, 1_000_000), (400, 1_003_000, 997_009), (400, 997_000, 1_003_009),
        (1, 1_100_000, 2_273), (1, 900_000, 2_778), (0, 1_000_000, 0),
    ])
    func volumeByHand(counts: Int, factor: Int, microlitres: Int) {
        #expect(calibration(400, [factor]).volume(of: [counts]) == Volume(microlitres: microlitres))
    }

    /// Halves: 3 counts a litre at 1,000,000 / 937,500 and the like give quotients that end in one half.
    @Test func halvesAreRoundedUp() {
        // 1 x 10^12 / (64 x 1,000,000) = 15,625 exactly; 1 x 10^12 / (640 x 1,000,000) = 1,562.5.
        #expect(calibration(64, [1_000_000]).volume(of: [1]).microlitres == 15_625)
        #expect(calibration(640, [1_000_000]).volume(of: [1]).microlitres == 1_563)
        #expect(calibration(640, [1_000_000]).volume(of: [3]).microlitres == 4_688)
        #expect(calibration(640, [1_000_000]).volume(of: [2]).microlitres == 3_125)
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func onePointIsWhatPaperSays(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let perLitre = Int.random(in: 1...4_000, using: &generator)
            let factor = Int.random(in: Calibration.factorMillionthsRange, using: &generator)
            let counts = Int.random(in: 0...2_000_000, using: &generator)
            let expected = DecimalText.quotientHalfUp("\(counts)000000000000", by: perLitre * factor)
            let volume = calibration(perLitre, [factor]).volume(of: [counts])
            #expect(String(volume.microlitres) == expected, "\(counts) at \(perLitre) x \(factor)")
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func twoPointsAddUpBeforeRounding(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let perLitre = Int.random(in: 1...400, using: &generator)
            let factors = (0..<2).map { _ in Int.random(in: Calibration.factorMillionthsRange, using: &generator) }
            let counts = (0..<2).map { _ in Int.random(in: 0...100_000, using: &generator) }
            let numerator = counts[0] * factors[1] + counts[1] * factors[0]
            let expected = DecimalText.quotientHalfUp(
                "\(numerator)000000000000",
                by: perLitre * factors[0] * factors[1]
            )
            let volume = calibration(perLitre, factors).volume(of: counts)
            #expect(String(volume.microlitres) == expected, "\(counts) at \(perLitre) x \(factors)")
        }
    }

    /// The counts for a volume are the fewest that make it up, exactly: (c - 1) x 10^12 < V x k x f <= c x 10^12.
    @Test(arguments: 0..<50 as Range<UInt64>) func countsForAVolumeAreTheFewestThatMakeItUp(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let perLitre = Int.random(in: 1...2_000, using: &generator)
            let factor = Int.random(in: Calibration.factorMillionthsRange, using: &generator)
            let microlitres = Int.random(in: 0...2_000_000_000, using: &generator)
            let counts = calibration(perLitre, [factor]).counts(for: Volume(microlitres: microlitres), at: 0)
            let wanted = microlitres * perLitre * factor
            #expect(wanted <= counts * 1_000_000_000_000)
            #expect((counts - 1) * 1_000_000_000_000 < wanted)
        }
    }

    @Test func countsAndVolumeAreEachOthersInverseWhereACountIsWholeMicrolitres() {
        let calibration = calibration(400, [1_000_000])
        for counts in 0...10_000 {
            #expect(calibration.counts(for: calibration.volume(of: [counts]), at: 0) == counts)
        }
    }

    /// By hand: 20 L/min is a quarter of the way from 10 to 50.
    @Test(arguments: [
        (0, 0, 0), (6_000, 0, 0), (10_000, 0, 0), (20_000, 0, 250), (30_000, 0, 500), (49_999, 0, 1_000),
        (50_000, 1, 0),
        (70_000, 1, 500), (89_960, 1, 999), (90_000, 2, 0), (200_000, 2, 0),
    ])
    func aRateIsSharedBetweenItsNeighbours(millilitresPerMinute: Int, point: Int, thousandths: Int) {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [10, 50, 90].map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
        )
        let share = calibration.share(millilitresPerMinute: millilitresPerMinute)
        #expect(share == PointShare(point: point, aboveThousandths: thousandths))
    }

    /// Beside the meter itself, which sees each count at its time.
    @Test(arguments: [
        [(50_000, 8_000), (8_000, 150)], [(23_000, 3_000), (6_000, 400)], [(90_000, 40)], [(70_000, 9_000)],
    ])
    func stagesAreSharedAsTheMeterSharesThem(stages: [(rate: Int, counts: Int)]) {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [10, 20, 50, 80].map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
        )
        var flow = FlowMeasurement(calibration)
        flow.begin()
        var now: UInt64 = 1_000_000_000
        var expected = [0, 0, 0, 0]
        for (rate, counts) in stages {
            for _ in 0..<counts {
                now += UInt64(60_000_000_000_000 / (400 * rate))
                expected[flow.nextPoint()] += 1
                _ = flow.count(1, now)
            }
        }
        let shared = calibration.sharedCounts(
            stages.map { FlowStage(counts: $0.counts, millilitresPerMinute: $0.rate) }
        )
        #expect(shared.reduce(0, +) == expected.reduce(0, +))
        for (own, other) in zip(shared, expected) { #expect(abs(own - other) <= 20, "\(shared) \(expected)") }
    }

    @Test(arguments: [(40, 48_000_000 as UInt64, 125_000), (4, 120_000_000, 5_000), (1, 0, 0)])
    func aRateIsCountsOverTime(counts: Int, nanoseconds: UInt64, millilitresPerMinute: Int) {
        let rate = calibration(400, [1_000_000]).millilitresPerMinute(counts: counts, nanoseconds: nanoseconds)
        #expect(rate == millilitresPerMinute)
    }

    /// Factors of 0.9 and 1.1 in the middle: a litre is 400 x 2 / (1 / 0.9 + 1 / 1.1) = 396 counts.
    @Test func betweenTwoPointsALitreIsTheirHarmonicMean() {
        let calibration = calibration(400, [900_000, 1_100_000])
        let litre = Volume(centilitres: 100)
        #expect(calibration.counts(for: litre, millilitresPerMinute: 15_000) == 396)
        #expect(calibration.targetCounts(for: litre, millilitresPerMinute: 15_000) == 396)
        #expect(calibration.counts(for: litre, millilitresPerMinute: 10_000) == 360)
        #expect(calibration.counts(for: litre, millilitresPerMinute: 20_000) == 440)
    }

    /// No count less would be nearer, and none is shown as more.
    @Test(arguments: 0..<50 as Range<UInt64>) func aTargetIsMetByTheNearestCountThatIsShownAsNoMore(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let calibration = calibration(
                Int.random(in: 1...2_000, using: &generator),
                [Int.random(in: Calibration.factorMillionthsRange, using: &generator)]
            )
            let target = Volume(centilitres: Int.random(in: 1...10_000, using: &generator))
            let counts = calibration.targetCounts(for: target, millilitresPerMinute: 0)
            let volume = calibration.volume(of: [counts])
            #expect(volume.shownCentilitres <= target.shownCentilitres)
            let next = calibration.volume(of: [counts + 1])
            let isNearest =
                abs(next.microlitres - target.microlitres) >= abs(volume.microlitres - target.microlitres) - 1
            #expect(isNearest || next.microlitres > target.microlitres + 4_997)
            #expect(next > target)
        }
    }

    /// Points 10 L/min apart from 10 L/min on.
    private func calibration(_ countsPerLitre: Int, _ factors: [Int]) -> Calibration {
        let points = factors.enumerated().map {
            CalibrationPoint(litresPerMinute: ($0.offset + 1) * 10, factorMillionths: $0.element)
        }
        return Calibration(countsPerLitre: countsPerLitre, points: points)
    }
}
