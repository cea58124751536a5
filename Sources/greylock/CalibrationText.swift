import ISO7816
import Proving
import Quantities

// What is typed, as values; each refusal says what is expected.

/// Turns what the core refuses into what is said at once.
func typed<Value>(_ body: () throws(ProvingFault) -> Value) throws(CalibrationRefusal) -> Value {
    do throws(ProvingFault) { return try body() } catch { throw CalibrationRefusal(error.reason) }
}

enum CalibrationText {
    static func date(_ text: String) throws(CalibrationRefusal) -> CalendarDate {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let expected = CalibrationRefusal("type year, month and day, as 2027-03-31")
        guard parts.count == 3, parts[0].count == 4, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2])
        else { throw expected }
        do throws(ParseError) { return try CalendarDate(year: year, month: month, day: day) } catch { throw expected }
    }

    static func number(_ text: String, _ range: ClosedRange<Int>, _ unit: String) throws(CalibrationRefusal) -> Int {
        guard let number = exactNumber(text, decimals: 0), range.contains(number) else {
            throw CalibrationRefusal("type a whole number from \(range.lowerBound) to \(range.upperBound)\(unit)")
        }
        return number
    }

    static func litres(_ text: String, _ name: String) throws(CalibrationRefusal) -> Volume {
        try typed { () throws(ProvingFault) in try Volume(typedLitres: text, name) }
    }

    /// A certificate's correction may be below zero.
    static func signedLitres(_ text: String, _ name: String) throws(CalibrationRefusal) -> Volume {
        guard text.hasPrefix("-") else { return try litres(text, name) }
        return Volume(microlitres: -(try litres(String(text.dropFirst()), name)).microlitres)
    }

    static func temperature(_ text: String, _ name: String) throws(CalibrationRefusal) -> Temperature {
        try typed { () throws(ProvingFault) in try Temperature(typed: text, name) }
    }

    static func expansion(_ text: String, _ name: String) throws(CalibrationRefusal) -> Expansion {
        guard let billionths = exactNumber(text, decimals: 3) else {
            throw CalibrationRefusal("\(name): type millionths per kelvin, as 50 for 0.000050")
        }
        return try typed { () throws(ProvingFault) in try Expansion(billionthsPerKelvin: billionths) }
    }

    static func text(_ text: String, _ name: String) throws(CalibrationRefusal) -> TypedText {
        try typed { () throws(ProvingFault) in try TypedText(text, name) }
    }

    /// A person whom the seal takes too.
    static func person(_ text: String) throws(CalibrationRefusal) -> TypedText {
        guard let name = PersonName.checked(text) else {
            throw CalibrationRefusal("a name has 1 to \(PersonName.countMax) characters that can be seen")
        }
        return try self.text(name, "the name")
    }

    /// An uncertainty in litres, or with "%" the limit of the prover's class.
    static func accuracy(_ text: String) throws(CalibrationRefusal) -> ProverAccuracy {
        guard text.hasSuffix("%") else {
            let volume = try litres(text, "the certificate's uncertainty (of a class limit type the percent sign too)")
            return .certificate(volume, factorThousandths: 2_000)
        }
        let share = String(text.dropLast()).filter { $0 != " " }
        guard let millionths = exactNumber(share, decimals: 4), (1...10_000).contains(millionths) else {
            throw CalibrationRefusal("the limit of the prover's class is above zero and at most 1 %: type it as 0.05 %")
        }
        return .limit(millionths: millionths)
    }

    /// Whole litres a minute, the largest first.
    static func rates(_ text: String) throws(CalibrationRefusal) -> [Int] {
        let words = text.split { $0 == " " || $0 == "," }
        let rates = words.compactMap { exactNumber(String($0), decimals: 0) }
        guard rates.count == words.count, rates.count >= 2, rates.allSatisfy({ (1...1_000).contains($0) }) else {
            throw CalibrationRefusal("type two or more flows in whole litres a minute, the largest first, as 50 20")
        }
        return rates.sorted(by: >)
    }
}
