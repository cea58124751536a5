import Quantities
import Testing

struct VolumeTests {
    @Test(arguments: [
        (0, 0), (1, 0), (4_999, 0), (5_000, 1), (5_001, 1), (14_999, 1), (15_000, 2), (10_000_000, 1_000),
        (999_994_999, 99_999), (999_995_000, 100_000),
    ])
    func shownIsRoundedHalfUp(microlitres: Int, centilitres: Int) {
        #expect(Volume(microlitres: microlitres).shownCentilitres == centilitres)
    }

    @Test func sumsAreExact() {
        let sum = (0..<1_000).reduce(Volume.zero) { sum, _ in sum + Volume(microlitres: 3_333) }
        #expect(sum == Volume(microlitres: 3_333_000))
        #expect(sum - Volume(centilitres: 333) == Volume(microlitres: 3_000))
        #expect(Volume(centilitres: 1) == Volume(microlitres: 10_000))
    }

    /// By hand: centilitres, fen per litre, fen.
    @Test(arguments: [
        (1, 49, 0), (1, 50, 1), (1, 149, 1), (1, 150, 2), (100, 789, 789), (3_456, 789, 27_268), (1, 1, 0), (49, 1, 0),
        (50, 1, 1), (149, 1, 1), (150, 1, 2), (0, 99_999, 0), (99_999, 99_999, 99_998_000),
    ])
    func priceByHand(centilitres: Int, price: Int, fen: Int) {
        #expect(UnitPrice(fenPerLitre: price).fen(forCentilitres: centilitres) == fen)
    }

    @Test func priceIsWhatPaperSays() {
        for price in [1, 2, 3, 7, 49, 50, 51, 99, 100, 101, 689, 799, 1_250, 33_333, UnitPrice.fenMax] {
            for centilitres in Array(0...1_200) + [9_999, 12_345, 99_999] {
                let shown = String(UnitPrice(fenPerLitre: price).fen(forCentilitres: centilitres))
                #expect(
                    shown == DecimalText.wholeHalfUp(hundredths: centilitres * price),
                    "\(centilitres) cl at \(price) fen"
                )
            }
        }
    }

    @Test(arguments: [1, 2, 33, 50, 99, 100, 101, 150, 689, 10_001, UnitPrice.fenMax])
    func theLargestVolumeForAnAmount(price: Int) {
        let unit = UnitPrice(fenPerLitre: price)
        for fen in Array(0...600) + [4_999, 50_000, 123_456_789] {
            let centilitres = unit.centilitres(forFen: fen)
            #expect(unit.fen(forCentilitres: centilitres) <= fen, "\(fen) fen at \(price)")
            #expect(unit.fen(forCentilitres: centilitres + 1) > fen, "\(fen) fen at \(price)")
        }
    }
}
