import Proving
import Testing

/// Expected values: the two-sided factors of Table G.2 in ISO/IEC Guide 98-3:2008 (JCGM 100:2008), two decimals.
struct StudentTests {
    private static let published: [(degrees: Int, of95: Double, of99: Double)] = [
        (1, 12.71, 63.66), (2, 4.30, 9.92), (3, 3.18, 5.84), (4, 2.78, 4.60), (5, 2.57, 4.03), (6, 2.45, 3.71),
        (7, 2.36, 3.50), (8, 2.31, 3.36), (9, 2.26, 3.25), (10, 2.23, 3.17), (11, 2.20, 3.11), (12, 2.18, 3.05),
        (13, 2.16, 3.01), (14, 2.14, 2.98), (15, 2.13, 2.95), (16, 2.12, 2.92), (17, 2.11, 2.90), (18, 2.10, 2.88),
        (19, 2.09, 2.86), (20, 2.09, 2.85), (25, 2.06, 2.79), (30, 2.04, 2.75), (35, 2.03, 2.72), (40, 2.02, 2.70),
        (45, 2.01, 2.69), (50, 2.01, 2.68),
    ]

    @Test func factorsAreThePublishedOnes() {
        for row in Self.published {
            #expect(abs(Student.factor(degrees: row.degrees) - row.of95) < 0.006, "\(row.degrees)")
            #expect(abs(Student.factor(degrees: row.degrees, coverage: 0.99) - row.of99) < 0.006, "\(row.degrees)")
        }
    }

    @Test func manyDegreesAreTheNormalDistribution() {
        let factor = Student.factor(degrees: Student.degreesMax)
        #expect(factor > Student.normalFactor && factor < Student.normalFactor * 1.0002)
        #expect(Student.factor(degrees: .max) == factor)
    }

    /// Scipy's stats.t.ppf(0.975, 4), and the closed forms of one and two degrees.
    @Test func factorsHaveManyDigits() {
        #expect(abs(Student.factor(degrees: 4) - 2.776_445_105) < 1e-7)
        #expect(abs(Student.probability(within: 1, degrees: 1) - 0.5) < 1e-12)
        #expect(abs(Student.probability(within: 2.0.squareRoot(), degrees: 2) - 0.5.squareRoot()) < 1e-12)
    }
}
