package import CardCryptography
import ISO7816

/// What was typed in one line.
package struct SecretLine: ~Copyable, Sendable {
    package let bytes: LockedBuffer
    /// How many of the bytes were typed.
    package let count: Int
}

/// One line of a secret, typed at a terminal that shows nothing: bytes in, actions out.
///
/// What is typed stands in locked memory alone. The line is edited at its end: both keys that may be called backspace
/// take the last character away, Ctrl-U and Ctrl-W all of it; arrows, Home, End and every other key that is no character
/// do nothing. A line that has become longer than its field stays too long until as much is taken away.
package struct LineEditor: ~Copyable {
    /// What a line is made of.
    package enum Field: Equatable, Sendable {
        /// Decimal digits, those of full width (U+FF10 to U+FF19) among them. Anything else counts as a character, and
        /// as none that may be in the line.
        case digits(max: Int)
        /// Bytes of UTF-8.
        case text(bytesMax: Int)
    }

    package enum Action: Equatable, Sendable {
        /// Nothing that anybody sees.
        case none
        /// The line has so many characters now.
        case changed(characters: Int)
        /// The line is finished: take it.
        case entered
        /// The line is finished, and is none that may be entered.
        case refused(Fault)
        /// Ctrl-C, Ctrl-D or Ctrl-\: whoever types does not want to.
        case cancelled
    }

    package enum Fault: Equatable, Sendable {
        case tooLong
        case noDigit
    }

    /// Where a sequence of several bytes stands.
    private enum Sequence {
        case none
        /// After ESC.
        case escape
        /// After ESC [, with the number that was read so far.
        case control(parameter: Int)
        /// After ESC O.
        case function
        /// In a character of UTF-8 of a field of digits: how many bytes are to come, and its value so far.
        case character(left: Int, value: UInt32)
    }

    /// Stands for a character that is no digit.
    private static let other: UInt8 = 0
    private static let deleteKey = 3
    private static let parameterMax = 9_999

    private let field: Field
    private var typed: LockedBuffer
    private var count = 0
    /// Characters beyond the field.
    private var excess = 0
    private var sequence = Sequence.none

    package init(_ field: Field) {
        self.field = field
        switch field {
        case .digits(let max): typed = LockedBuffer(count: max)
        case .text(let bytesMax): typed = LockedBuffer(count: bytesMax)
        }
    }

    /// What was typed.
    package consuming func take() -> SecretLine { SecretLine(bytes: typed, count: count) }

    package mutating func receive(_ byte: UInt8) -> Action {
        switch sequence {
        case .none: return receiveFirst(byte)
        case .escape: return receiveEscaped(byte)
        case .function:
            sequence = .none
            // A sequence that broke off hides no key that ends or empties a line.
            return byte < 0x20 ? receiveFirst(byte) : .none
        case .control(let parameter): return receiveControl(byte, parameter)
        case .character(let left, let value): return receiveContinuation(byte, left, value)
        }
    }

    private mutating func receiveFirst(_ byte: UInt8) -> Action {
        switch byte {
        case 0x0A, 0x0D: return end()
        case 0x08, 0x7F: return removeLast()
        case 0x15, 0x17: return clear()
        case 0x03, 0x04, 0x1C: return .cancelled
        case 0x1B:
            sequence = .escape
            return .none
        case 0x00..<0x20: return .none
        case _: break
        }
        switch field {
        case .digits: return receiveDigit(byte)
        case .text: return receiveText(byte)
        }
    }

    private func end() -> Action {
        if excess > 0 { return .refused(.tooLong) }
        switch field {
        case .text: return .entered
        case .digits:
            let count = count
            let hasOther = typed.withSpan { bytes in (0..<count).contains { bytes[$0] == Self.other } }
            return hasOther ? .refused(.noDigit) : .entered
        }
    }

    // MARK: - Keys of several bytes (ECMA-48, 5.4)

    private mutating func receiveEscaped(_ byte: UInt8) -> Action {
        switch byte {
        case UInt8(ascii: "["): sequence = .control(parameter: 0)
        case UInt8(ascii: "O"): sequence = .function
        case 0x1B: sequence = .escape
        case 0x00..<0x20:
            sequence = .none
            return receiveFirst(byte)
        case _: sequence = .none
        }
        return .none
    }

    private mutating func receiveControl(_ byte: UInt8, _ parameter: Int) -> Action {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let next = parameter * 10 + Int(byte - UInt8(ascii: "0"))
            sequence = .control(parameter: min(next, Self.parameterMax))
            return .none
        case 0x20..<0x40: return .none
        case 0x00..<0x20:
            sequence = .none
            return receiveFirst(byte)
        case _:
            sequence = .none
            return byte == UInt8(ascii: "~") && parameter == Self.deleteKey ? removeLast() : .none
        }
    }

    // MARK: - Digits

    private mutating func receiveDigit(_ byte: UInt8) -> Action {
        switch byte {
        case 0xC2..<0xE0: sequence = .character(left: 1, value: UInt32(byte & 0x1F))
        case 0xE0..<0xF0: sequence = .character(left: 2, value: UInt32(byte & 0x0F))
        case 0xF0..<0xF5: sequence = .character(left: 3, value: UInt32(byte & 0x07))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return add(byte)
        case _: return add(Self.other)
        }
        return .none
    }

    private mutating func receiveContinuation(_ byte: UInt8, _ left: Int, _ value: UInt32) -> Action {
        guard byte & 0xC0 == 0x80 else {
            // What broke off was a character, and none that may be in the line.
            sequence = .none
            let action = add(Self.other)
            let next = receive(byte)
            return next == .none ? action : next
        }
        let value = value << 6 | UInt32(byte & 0x3F)
        guard left == 1 else {
            sequence = .character(left: left - 1, value: value)
            return .none
        }
        sequence = .none
        guard (0xFF10...0xFF19).contains(value) else { return add(Self.other) }
        return add(UInt8(ascii: "0") + UInt8(value - 0xFF10))
    }

    private mutating func add(_ digit: UInt8) -> Action {
        if count < typed.count {
            let place = count
            typed.withMutableSpan { $0[place] = digit }
            count += 1
        } else {
            excess += 1
        }
        return .changed(characters: characters)
    }

    // MARK: - Text

    private mutating func receiveText(_ byte: UInt8) -> Action {
        let continues = byte & 0xC0 == 0x80
        if excess > 0 {
            if !continues { excess += 1 }
            return .changed(characters: characters)
        }
        guard count < typed.count else {
            // The whole character is too much, and not its last bytes.
            if continues { removeStored() }
            excess = 1
            return .changed(characters: characters)
        }
        let place = count
        typed.withMutableSpan { $0[place] = byte }
        count += 1
        return .changed(characters: characters)
    }

    private var characters: Int {
        switch field {
        case .digits: return count + excess
        case .text:
            let count = count
            return excess + typed.withSpan { bytes in (0..<count).count { bytes[$0] & 0xC0 != 0x80 } }
        }
    }

    // MARK: - Taking away

    private mutating func removeLast() -> Action {
        if excess > 0 { excess -= 1 } else { removeStored() }
        return .changed(characters: characters)
    }

    private mutating func removeStored() {
        var isWhole = false
        while count > 0 && !isWhole {
            count -= 1
            let place = count
            typed.withMutableSpan { bytes in
                switch field {
                case .digits: isWhole = true
                case .text: isWhole = bytes[place] & 0xC0 != 0x80
                }
                bytes[place] = 0
            }
        }
    }

    private mutating func clear() -> Action {
        while count > 0 { removeStored() }
        excess = 0
        return .changed(characters: 0)
    }
}
