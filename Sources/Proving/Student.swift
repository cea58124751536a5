/// Student's distribution for whole degrees of freedom, in floating point.
///
/// The probability within +-t is the finite series of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and
/// 26.7.4; the quantile is found by halving. Tests compare with published tables.
package enum Student {
    /// More of them are taken as so many: the factor is then at most 0.02 % too large.
    package static let degreesMax = 10_000
    /// The normal distribution's two-sided factor of 95 % (ISO/IEC Guide 98-3, G.1).
    package static let normalFactor = 1.959_964

    /// The two-sided factor: a share of `coverage` lies within it.
    package static func factor(degrees: Int, coverage: Double = 0.95) -> Double {
        precondition(degrees >= 1 && coverage > 0 && coverage < 1)
        let degrees = min(degrees, degreesMax)
        var low = 0.0
        var high = 1.0
        while probability(within: high, degrees: degrees) < coverage { high *= 2 }
        while high - low > 1e-9 * high {
            let middle = (low + high) / 2
            if probability(within: middle, degrees: degrees) < coverage { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    package static func probability(within t: Double, degrees: Int) -> Double {
        precondition(t >= 0 && degrees >= 1)
        let count = Double(degrees)
        let cosineSquared = count / (count + t * t)
        let sine = (t * t / (count + t * t)).squareRoot()
        let isOdd = degrees % 2 == 1
        var term = isOdd ? cosineSquared.squareRoot() : 1
        var sum = degrees == 1 ? 0 : term
        var index = isOdd ? 3 : 2
        while index < degrees {
            term *= cosineSquared * Double(index - 1) / Double(index)
            sum += term
            index += 2
        }
        guard isOdd else { return sine * sum }
        return 2 / Double.pi * (arctangent(t / count.squareRoot()) + sine * sum)
    }

    /// Halves the angle until the series has few terms.
    static func arctangent(_ value: Double) -> Double {
        var reduced = value
        var scale = 1.0
        while abs(reduced) > 0.05 {
            reduced /= 1 + (1 + reduced * reduced).squareRoot()
            scale *= 2
        }
        let square = reduced * reduced
        var power = reduced
        var sum = 0.0
        for odd in stride(from: 1.0, through: 15, by: 2) {
            sum += power / odd
            power *= -square
        }
        return scale * sum
    }
}
