import Metering
import Quantities
import Testing

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

    @Test(arguments: [(6_000, 0), (29_000, 0), (31_000, 1), (69_000, 1), (71_000, 2), (200_000, 2)])
    func theNearestPointHolds(millilitresPerMinute: Int, point: Int) {
        let calibration = Calibration(
            countsPerLitre: 400,
            points: [10, 50, 90].map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
        )
        // 40 counts are 100 ml.
        let nanoseconds = UInt64(100 * 60_000_000_000 / millilitresPerMinute)
        #expect(calibration.point(counts: 40, nanoseconds: nanoseconds) == point)
    }

    /// Points 10 L/min apart from 10 L/min on.
    private func calibration(_ countsPerLitre: Int, _ factors: [Int]) -> Calibration {
        let points = factors.enumerated().map {
            CalibrationPoint(litresPerMinute: ($0.offset + 1) * 10, factorMillionths: $0.element)
        }
        return Calibration(countsPerLitre: countsPerLitre, points: points)
    }
}
