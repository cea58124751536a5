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

    /// Of a character of several bytes in a field of digits: how many are to come, and its value so far.
    private typealias Character = (left: Int, value: UInt32)

    /// Stands for a character that is no digit.
    private static let other: UInt8 = 0

    private let field: Field
    private var typed: LockedBuffer
    private var count = 0
    /// Characters beyond the field.
    private var excess = 0
    private var character: Character?
    private var escapes = EscapeSequences()

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
        if let (left, value) = character { return receiveContinuation(byte, left, value) }
        return switch escapes.take(byte) {
        case .none: .none
        case .delete: removeLast()
        case .byte(let byte): receiveFirst(byte)
        }
    }

    private mutating func receiveFirst(_ byte: UInt8) -> Action {
        switch byte {
        case 0x0A, 0x0D: return end()
        case 0x08, 0x7F: return removeLast()
        case 0x15, 0x17: return clear()
        case 0x03, 0x04, 0x1C: return .cancelled
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

    // MARK: - Digits

    private mutating func receiveDigit(_ byte: UInt8) -> Action {
        switch byte {
        case 0xC2..<0xE0: character = (1, UInt32(byte & 0x1F))
        case 0xE0..<0xF0: character = (2, UInt32(byte & 0x0F))
        case 0xF0..<0xF5: character = (3, UInt32(byte & 0x07))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return add(byte)
        case _: return add(Self.other)
        }
        return .none
    }

    private mutating func receiveContinuation(_ byte: UInt8, _ left: Int, _ value: UInt32) -> Action {
        guard byte & 0xC0 == 0x80 else {
            // What broke off was a character, and none that may be in the line.
            character = nil
            let action = add(Self.other)
            let next = receive(byte)
            return next == .none ? action : next
        }
        let value = value << 6 | UInt32(byte & 0x3F)
        guard left == 1 else {
            character = (left - 1, value)
            return .none
        }
        character = nil
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
