import Metering
import Quantities
import Testing

struct ClosingTimesTests {
    private let calibration = Calibration(
        countsPerLitre: 400,
        points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
    )

    private func learnt(_ counts: [Int], at rate: Int, growsAtOnce: Bool = false) -> ClosingTimes {
        var times = ClosingTimes()
        for counts in counts {
            times.learn(
                counts: counts,
                millilitresPerMinute: rate,
                calibration,
                largest: Volume(centilitres: 25),
                growsAtOnce: growsAtOnce
            )
        }
        return times
    }

    /// By hand: 60 L/min are 400 counts a second, so 40 counts are a tenth of one; 90 L/min are 600.
    @Test func aTimeHoldsAtEachRateOfItsBandAndBeyond() {
        let times = learnt([40], at: 60_000)
        #expect(times.microseconds == [nil, nil, nil, nil, 100_000, nil])
        for (rate, counts) in [(60_000, 40), (45_000, 30), (90_000, 60), (6_000, 4), (1_000, 1), (100, 0)] {
            #expect(times.counts(millilitresPerMinute: rate, calibration) == counts)
        }
        #expect(ClosingTimes().counts(millilitresPerMinute: 60_000, calibration) == nil)
    }

    @Test func aBandsOwnTimeGoesBeforeItsNeighbours() {
        var times = learnt([40], at: 60_000)
        times.learn(counts: 4, millilitresPerMinute: 3_000, calibration, largest: Volume(centilitres: 25))
        #expect(times.microseconds == [200_000, nil, nil, nil, 100_000, nil])
        #expect(times.counts(millilitresPerMinute: 4_999, calibration) == 7)
        // The second band is nearer to the first, the fourth and the last to the fifth.
        #expect(times.counts(millilitresPerMinute: 6_000, calibration) == 8)
        #expect(times.counts(millilitresPerMinute: 30_000, calibration) == 20)
        #expect(times.counts(millilitresPerMinute: 90_000, calibration) == 60)
        #expect(times.slowestMillilitresPerMinute == 5_000)
    }

    @Test func theFirstIsTakenWholeAndAQuarterOfEachLaterOne() {
        #expect(learnt([40, 80], at: 60_000).microseconds[4] == 125_000)
        #expect(learnt([40, 0], at: 60_000).microseconds[4] == 75_000)
        #expect(learnt([40, 80], at: 60_000, growsAtOnce: true).microseconds[4] == 200_000)
        #expect(learnt([40, 0], at: 60_000, growsAtOnce: true).microseconds[4] == 75_000)
        #expect(learnt([0], at: 60_000).microseconds[4] == 0)
    }

    /// 0.25 L are 100 counts.
    @Test func whatIsLearntHasABound() {
        #expect(learnt([100], at: 60_000) == learnt([5_000], at: 60_000))
        #expect(learnt([5_000], at: 60_000).counts(millilitresPerMinute: 60_000, calibration) == 100)
        #expect(learnt([-3], at: 60_000).microseconds[4] == 0)
        #expect(learnt([5_000], at: 1).microseconds[0] == ClosingTimes.microsecondsMax)
        #expect(learnt([40], at: 0).isEmpty)
    }

    @Test(arguments: [(0, 0), (4_999, 0), (5_000, 1), (10_000, 2), (20_000, 3), (40_000, 4), (80_000, 5), (200_000, 5)])
    func bandsBeginAtTheirLimits(rate: Int, band: Int) {
        let times = learnt([1], at: max(1, rate))
        #expect(times.microseconds.firstIndex { $0 != nil } == band)
    }
}
