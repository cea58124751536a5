/// Arithmetic on decimal digits as on paper, to check integers against something that is none.
enum DecimalText {
    /// The quotient of a number in decimal digits by a divisor, rounded half up.
    static func quotientHalfUp(_ digits: String, by divisor: Int) -> String {
        var quotient = ""
        var remainder = 0
        for digit in digits {
            guard let value = digit.wholeNumberValue else { preconditionFailure("\(digit) is no digit") }
            remainder = remainder * 10 + value
            quotient.append(String(remainder / divisor))
            remainder %= divisor
        }
        let whole = String(quotient.drop { $0 == "0" })
        return remainder >= divisor - remainder ? successor(whole) : whole.isEmpty ? "0" : whole
    }

    /// A number of hundredths as whole ones, rounded half up by looking at its last two digits.
    static func wholeHalfUp(hundredths: Int) -> String {
        let digits = String(repeating: "0", count: max(0, 3 - String(hundredths).count)) + String(hundredths)
        let whole = String(digits.dropLast(2))
        return digits.suffix(2) >= "50" ? successor(whole) : whole
    }

    private static func successor(_ digits: String) -> String {
        var digits = Array(digits)
        var position = digits.count - 1
        while position >= 0, digits[position] == "9" {
            digits[position] = "0"
            position -= 1
        }
        guard position >= 0, let value = digits[position].wholeNumberValue else { return "1" + String(digits) }
        digits[position] = Character(String(value + 1))
        return String(digits)
    }
}
