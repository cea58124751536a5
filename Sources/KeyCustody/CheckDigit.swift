/// The digit behind each group of four on a component's sheet: what is likely to go wrong at a keypad makes another one.
///
/// The sum over GF(16), polynomial x^4 + x + 1, of the group's digits times x, x^2, x^3 and x^4 and of the group's number
/// times x^5. All six factors differ, the check digit's own 1 among them: so every single wrong digit is found, every two
/// digits of a group that change places, and every two groups that do.
enum CheckDigit {
    /// - Parameters:
    ///   - digits: four values below 16.
    ///   - group: from 1; at most 16.
    static func of(_ digits: InlineArray<4, UInt8>, group: Int) -> UInt8 {
        var sum = product(UInt8(truncatingIfNeeded: group & 15), power: 5)
        for index in digits.indices { sum ^= product(digits[index], power: index + 1) }
        return sum
    }

    private static func product(_ value: UInt8, power: Int) -> UInt8 {
        var value = value
        for _ in 0..<power { value = (value << 1 ^ (value & 8 == 0 ? 0 : 0x13)) & 15 }
        return value
    }
}
