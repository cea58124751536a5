package import CardCryptography

/// A component as its custodian types it, key by key: groups of four hexadecimal digits, each with its check digit where
/// the sheet has them. Digits typed so far are in locked memory.
package struct ComponentEntry: ~Copyable {
    /// What a character did.
    package enum Outcome: Equatable, Sendable {
        /// Blank, dash, or a digit within a group.
        case taken
        /// The group of this number, from 1, is right.
        case group(Int)
        /// Its check digit is wrong: its digits are forgotten, and it is typed again.
        case wrongGroup(Int)
        /// No hexadecimal digit, blank or dash: nothing is taken.
        case noDigit
        /// All groups are there already.
        case tooMany
    }

    package let kind: ComponentKind
    package let hasCheckDigits: Bool
    package private(set) var groupsDone = 0
    private var bytes: LockedBuffer
    /// Of the group that is being typed.
    private var digits: LockedBuffer
    private var digitsCount = 0

    /// - Parameter hasCheckDigits: false for the sheet of a security module that prints none.
    package init(_ kind: ComponentKind, hasCheckDigits: Bool) {
        self.kind = kind
        self.hasCheckDigits = hasCheckDigits
        bytes = LockedBuffer(count: kind.length)
        digits = LockedBuffer(count: Self.groupDigits)
    }

    private static let groupDigits = 4

    package var isComplete: Bool { groupsDone == kind.groups }

    /// - Parameter character: ASCII.
    package mutating func take(_ character: UInt8) -> Outcome {
        if character == UInt8(ascii: " ") || character == UInt8(ascii: "-") { return .taken }
        guard let value = Self.value(character) else { return .noDigit }
        guard !isComplete else { return .tooMany }
        guard digitsCount == Self.groupDigits else {
            digits.withMutableSpan { [digitsCount] in $0[digitsCount] = value }
            digitsCount += 1
            return hasCheckDigits || digitsCount < Self.groupDigits ? .taken : finishGroup()
        }
        let expected = digits.withSpan { digits in
            CheckDigit.of([digits[0], digits[1], digits[2], digits[3]], group: groupsDone + 1)
        }
        guard value == expected else {
            digitsCount = 0
            return .wrongGroup(groupsDone + 1)
        }
        return finishGroup()
    }

    /// Takes the last digit of the group that is being typed away.
    package mutating func removeLast() { digitsCount = max(0, digitsCount - 1) }

    private mutating func finishGroup() -> Outcome {
        let start = 2 * groupsDone
        let (high, low) = digits.withSpan { ($0[0] << 4 | $0[1], $0[2] << 4 | $0[3]) }
        bytes.withMutableSpan { ($0[start], $0[start + 1]) = (high, low) }
        digitsCount = 0
        groupsDone += 1
        return .group(groupsDone)
    }

    /// nil before all groups are there.
    package consuming func component() -> KeyComponent? { isComplete ? KeyComponent(bytes) : nil }

    /// nil of what is no hexadecimal digit.
    static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case _: nil
        }
    }
}

extension KeyComponent {
    /// Characters of a group on a sheet, with the blank behind it.
    static let sheetGroup = 7

    /// Its groups as a sheet prints them, ASCII in locked memory: four digits, a dash and the check digit, a blank between
    /// groups.
    package func sheetText() -> LockedBuffer {
        let perGroup = Self.sheetGroup
        var text = LockedBuffer(count: raw.count / 2 * perGroup - 1)
        raw.withSpan { raw in
            text.withMutableSpan { text in
                for group in 0..<raw.count / 2 {
                    let (first, second) = (raw[2 * group], raw[2 * group + 1])
                    let digits: InlineArray<4, UInt8> = [first >> 4, first & 15, second >> 4, second & 15]
                    let start = group * perGroup
                    for index in digits.indices { text[start + index] = Self.digit(digits[index]) }
                    text[start + 4] = UInt8(ascii: "-")
                    text[start + 5] = Self.digit(CheckDigit.of(digits, group: group + 1))
                    if start + 6 < text.count { text[start + 6] = UInt8(ascii: " ") }
                }
            }
        }
        return text
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
