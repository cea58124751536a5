import Quantities

// Floating point: an uncertainty is an estimate, and none of it enters a factor.

/// A line of the budget.
package struct BudgetLine: Equatable, Sendable {
    package enum Source: String, CaseIterable, Sendable {
        /// Type A: of the runs.
        case scatter
        case prover
        case meterThermometer = "thermometer-at-meter"
        case proverThermometer = "thermometer-at-prover"
        /// The liquid's coefficient.
        case expansion
        /// The prover's scale. Runs that read alike round alike, so it is not made less by their number.
        case reading
        /// The first and the last count of each run. The wheel stands anywhere, so it is less for the mean.
        case count
        /// Its last digit; none of a calibration from counts. Preset deliveries round alike, so their number does not help.
        case display
    }

    package let source: Source
    /// Its standard uncertainty as a share of the volume.
    package let standard: Double
    /// nil where it is not estimated from runs.
    package let degrees: Int?
    /// Scatter and count are two views of the same: the larger enters, and the other stands there to be seen.
    package let enters: Bool
}

/// The uncertainty of a mean error.
///
/// Three runs and k = 2 cover 82 % where scatter dominates. So the scatter, s / sqrt(n), has Student's factor by its degrees of
/// freedom, and the rest, whose variances are known, the normal one; the two are added as squares:
/// U = sqrt((t u_A)^2 + (1.96 u_B)^2). One factor by the effective degrees of freedom of Welch and Satterthwaite covers less than
/// 93 % for two degrees of freedom, where scatter is some times the rest. <doc:0056-what-an-uncertainty-covers>.
package struct Budget: Equatable, Sendable {
    package let lines: [BudgetLine]

    package static let coverage = 0.95

    /// Combined, as a share of the volume.
    package var standard: Double { squares { _ in true }.squareRoot() }

    /// Of the scatter.
    package var degrees: Int { lines.first { $0.degrees != nil }?.degrees ?? Student.degreesMax }

    /// Of the combined uncertainty, by Welch and Satterthwaite (ISO/IEC Guide 98-3, G.4); nil where nothing scattered.
    package var effectiveDegrees: Double? {
        let scatter = squares { $0.degrees != nil }
        guard scatter > 0 else { return nil }
        let all = squares { _ in true }
        return Double(degrees) * (all / scatter) * (all / scatter)
    }

    /// Student's.
    package var scatterFactor: Double { Student.factor(degrees: degrees, coverage: Self.coverage) }

    /// U, as a share of the volume: 95 % lie within it.
    package var expanded: Double {
        let scatter = squares { $0.degrees != nil }
        let rest = squares { $0.degrees == nil }
        let factors = (scatterFactor, Student.normalFactor)
        return (factors.0 * factors.0 * scatter + factors.1 * factors.1 * rest).squareRoot()
    }

    /// k = U / u.
    package var factor: Double { standard > 0 ? expanded / standard : Student.normalFactor }

    private func squares(_ belongs: (BudgetLine) -> Bool) -> Double {
        lines.reduce(0) { $1.enters && belongs($1) ? $0 + $1.standard * $1.standard : $0 }
    }
}

/// Sum of the squares of deviations, and how many are free.
struct Scatter: Equatable {
    let squares: Double
    let degrees: Int

    init(squares: Double, degrees: Int) {
        self.squares = squares
        self.degrees = degrees
    }

    init(_ errors: [RelativeError]) {
        let shares = errors.map(\.share)
        let mean = shares.reduce(0, +) / Double(shares.count)
        squares = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        degrees = shares.count - 1
    }

    static func + (left: Scatter, right: Scatter) -> Scatter {
        Scatter(squares: left.squares + right.squares, degrees: left.degrees + right.degrees)
    }

    var deviation: Double { (squares / Double(degrees)).squareRoot() }
}

extension Budget {
    /// - Parameters:
    ///   - scatter: of these runs, or pooled over several rates.
    ///   - isDisplayed: whether the volumes are the display's.
    init(
        _ runs: [Run],
        scatter: Scatter,
        prover: Prover,
        conditions: Conditions,
        isDisplayed: Bool
    ) {
        let count = Double(runs.count)
        func average(_ value: (Run) -> Double) -> Double { runs.reduce(0) { $0 + value($1) } / count }
        let mean = scatter.deviation / count.squareRoot()
        // Two rectangular halves of a count.
        let ends = 1 / average { Double($0.delivery.totalCounts) } / (6 * count).squareRoot()
        let volume = average { Double(prover.reference($0.reading, liquid: conditions.expansion).microlitres) }
        let thermometer = Double(conditions.thermometerMilliKelvin) / 1_000 * Self.rectangular
        let liquid = Double(conditions.expansion.billionthsPerKelvin) / 1e9
        let walls = Double(prover.expansion.billionthsPerKelvin) / 1e9
        let apart = average { Double($0.reading.meter.milliCelsius - $0.reading.prover.milliCelsius) / 1_000 }
        let coefficient = liquid * Double(conditions.expansionThousandths) / 1_000 * Self.rectangular
        let standards: [BudgetLine.Source: Double] = [
            .scatter: mean,
            .prover: prover.standardShare,
            .meterThermometer: liquid * thermometer,
            .proverThermometer: abs(walls - liquid) * thermometer,
            .expansion: abs(apart) * coefficient,
            .reading: Double(prover.scaleDivision.microlitres) / 2 / volume * Self.rectangular,
            .count: ends,
            .display: isDisplayed ? 5_000 / volume * Self.rectangular : 0,
        ]
        let isScatter = mean >= ends
        lines = BudgetLine.Source.allCases.compactMap { source in
            standards[source].map {
                BudgetLine(
                    source: source,
                    standard: $0,
                    degrees: source == .scatter ? scatter.degrees : nil,
                    enters: source == .scatter ? isScatter : source != .count || !isScatter
                )
            }
        }
    }

    /// Of the half-width.
    static let rectangular = 1 / 3.0.squareRoot()
}

extension Prover {
    /// The standard uncertainty of its volume, as a share of it.
    var standardShare: Double {
        switch accuracy {
        case .certificate(let expanded, let thousandths):
            Double(expanded.microlitres) / Double(nominal.microlitres) * 1_000 / Double(thousandths)
        case .limit(let millionths):
            Double(millionths) / 1e6 * Budget.rectangular
        }
    }
}
