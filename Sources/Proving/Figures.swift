package import Quantities

// Exact figures: a microlitre, a thousandth of a degree, a billionth. Floating point begins with the statistics of the errors
// (Uncertainty.swift, Student.swift) and never comes back into a factor.

/// In thousandths of a degree Celsius.
package struct Temperature: Hashable, Comparable, Sendable {
    /// Of a liquid in a dispenser, or of the air round it.
    package static let typedRange = Temperature(milliCelsius: -60_000)...Temperature(milliCelsius: 80_000)
    /// To which provers and their certificates refer.
    package static let reference = Temperature(milliCelsius: 20_000)

    package let milliCelsius: Int

    package init(milliCelsius: Int) { self.milliCelsius = milliCelsius }

    package static func < (left: Temperature, right: Temperature) -> Bool { left.milliCelsius < right.milliCelsius }

    /// Degrees, with at most three decimals.
    package init(typed text: String, _ name: String) throws(ProvingFault) {
        guard let number = exactNumber(text, decimals: 3) else {
            throw ProvingFault("\(name): type degrees Celsius with at most three decimals, as 21.4")
        }
        self.init(milliCelsius: number)
        guard Self.typedRange.contains(self) else {
            throw ProvingFault("\(name): \(text) is no temperature of a dispenser")
        }
    }

    package var words: String { "\(decimal(milliCelsius, decimals: 3, shown: 1...3)) °C" }
}

/// A cubic coefficient of expansion, in billionths a kelvin.
package struct Expansion: Hashable, Sendable {
    /// More than any liquid in a dispenser has.
    package static let billionthsMax = 3_000_000

    package let billionthsPerKelvin: Int

    package init(billionthsPerKelvin: Int) throws(ProvingFault) {
        guard (0...Self.billionthsMax).contains(billionthsPerKelvin) else {
            throw ProvingFault("a coefficient of expansion lies between 0 and 0.003 per kelvin")
        }
        self.billionthsPerKelvin = billionthsPerKelvin
    }

    private init(known billionthsPerKelvin: Int) { self.billionthsPerKelvin = billionthsPerKelvin }

    /// Usual values, to be typed over: 50 x 10^-6/K of stainless steel, 1.1 x 10^-3/K of petrol, 0.84 x 10^-3/K of diesel.
    package static let stainlessSteel = Expansion(known: 50_000)
    package static let petrol = Expansion(known: 1_100_000)
    package static let diesel = Expansion(known: 840_000)

    package var words: String { "\(decimal(billionthsPerKelvin, decimals: 3, shown: 0...3)) × 10⁻⁶/K" }
}

/// A relative error, (V_J - V) / V, in billionths: 1,000,000 is 0.1 %.
package struct RelativeError: Hashable, Comparable, Sendable {
    package let billionths: Int

    package init(billionths: Int) { self.billionths = billionths }

    /// Rounded half away from zero.
    package init(of indicated: Volume, to reference: Volume) {
        precondition(reference.microlitres > 0)
        let difference = Int128((indicated - reference).microlitres) * 1_000_000_000
        billionths = Int(rounded(difference, over: Int128(reference.microlitres)))
    }

    package static func < (left: RelativeError, right: RelativeError) -> Bool { left.billionths < right.billionths }

    package var magnitude: RelativeError { RelativeError(billionths: abs(billionths)) }

    /// Rounded half away from zero.
    package static func mean(_ errors: [RelativeError]) -> RelativeError {
        precondition(!errors.isEmpty)
        let sum = errors.reduce(Int128(0)) { $0 + Int128($1.billionths) }
        return RelativeError(billionths: Int(rounded(sum, over: Int128(errors.count))))
    }

    /// The share as a floating number, for statistics.
    package var share: Double { Double(billionths) / 1e9 }

    /// In percent with three decimals and its sign.
    package var percent: String {
        let shown = rounded(Int128(billionths), over: 10_000)
        return (shown > 0 ? "+" : "") + decimal(Int(shown), decimals: 3, shown: 3...3)
    }
}

extension Volume {
    /// Litres with at most six decimals, up to 1,000 L.
    package init(typedLitres text: String, _ name: String) throws(ProvingFault) {
        guard let number = exactNumber(text, decimals: 6), (0...1_000_000_000).contains(number) else {
            throw ProvingFault("\(name): type litres, as 20.004")
        }
        self.init(microlitres: number)
    }

    /// At least three decimals, and as many as it has.
    package var litresText: String { decimal(microlitres, decimals: 6, shown: 3...6) }
}

/// Half away from zero.
func rounded(_ numerator: Int128, over denominator: Int128) -> Int128 {
    let half = denominator / 2
    return numerator >= 0 ? (numerator + half) / denominator : -((-numerator + half) / denominator)
}

/// A number of 10^-`decimals`, with a point; as many decimals as it has within `shown`.
func decimal(_ number: Int, decimals: Int, shown: ClosedRange<Int>) -> String {
    var digits = String(number.magnitude)
    digits = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    var fraction = digits.suffix(decimals)
    while fraction.count > shown.lowerBound, fraction.last == "0" || fraction.count > shown.upperBound {
        fraction.removeLast()
    }
    let whole = digits.dropLast(decimals)
    return (number < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
}

/// The typed decimal number in units of 10^-`decimals`, exactly; nil for anything else than digits with one point or comma, and
/// for more decimals.
package func exactNumber(_ text: String, decimals: Int) -> Int? {
    var digits = text[...]
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits.removeFirst() }
    let parts = digits.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "," }
    guard (1...2).contains(parts.count), let whole = parts.first, (1...9).contains(whole.count) else { return nil }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard fraction.count <= decimals, parts.count == 1 || !fraction.isEmpty else { return nil }
    let all = "\(whole)\(fraction)" + String(repeating: "0", count: decimals - fraction.count)
    guard all.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(all) else {
        return nil
    }
    return isNegative ? -number : number
}
