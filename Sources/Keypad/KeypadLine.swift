package import CardCryptography

/// Digits as they are typed at a keypad: keys in, actions out.
///
/// They stand in locked memory alone. A line that is longer than its field, or has another character in it, stays so until as
/// much is taken away; one of which a key may be missing stays so to its end: nothing is left out of a PIN in silence.
struct KeypadLine: ~Copyable {
    enum Action: Equatable {
        case none
        case changed(characters: Int)
        case entered
        case refused(KeypadAnswer.Fault)
        case cancelled
    }

    /// Stands for a character that is no digit.
    private static let other: UInt8 = 0

    private var typed: LockedBuffer
    private var count = 0
    /// Characters beyond the field.
    private var excess = 0
    private var hasLostKeys = false

    init(digitsMax: Int) { typed = LockedBuffer(count: digitsMax) }

    consuming func take() -> KeypadAnswer { .entered(typed, count: count) }

    mutating func receive(_ event: InputEvents.Event) -> Action {
        switch event {
        case .lost:
            hasLostKeys = true
            while count > 0 { remove() }
            return .none
        case .key(.digit(let digit)): return add(digit)
        case .key(.other): return add(Self.other)
        case .key(.correction):
            if excess > 0 { excess -= 1 } else if count > 0 { remove() }
            return .changed(characters: count + excess)
        case .key(.cancel): return .cancelled
        case .key(.enter): return end()
        }
    }

    private func end() -> Action {
        if hasLostKeys { return .refused(.keysLost) }
        if excess > 0 { return .refused(.tooLong) }
        let count = count
        let hasOther = typed.withSpan { bytes in (0..<count).contains { bytes[$0] == Self.other } }
        return hasOther ? .refused(.noDigit) : .entered
    }

    private mutating func add(_ digit: UInt8) -> Action {
        if count < typed.count {
            let place = count
            // Once a key is missing the others are worth nothing.
            let kept = hasLostKeys ? Self.other : digit
            typed.withMutableSpan { $0[place] = kept }
            count += 1
        } else {
            excess += 1
        }
        return .changed(characters: count + excess)
    }

    private mutating func remove() {
        count -= 1
        let place = count
        typed.withMutableSpan { $0[place] = 0 }
    }
}

/// What came of a question at a keypad.
package enum KeypadAnswer: ~Copyable, Sendable {
    /// ASCII digits, of which so many were typed.
    case entered(LockedBuffer, count: Int)
    case refused(Fault)
    case cancelled

    package enum Fault: Equatable, Sendable {
        case tooLong
        case noDigit
        /// The kernel dropped events.
        case keysLost
    }
}
