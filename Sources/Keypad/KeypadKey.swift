private import CLinux

/// What a key of a keypad says.
enum KeypadKey: Equatable, Sendable {
    /// In ASCII.
    case digit(UInt8)
    case enter
    /// Takes the last digit away.
    case correction
    case cancel
    /// A character that is no digit.
    case other
}

extension KeypadKey {
    /// nil for a key that does nothing: modifiers, locks, arrows, functions.
    ///
    /// - Parameter code: of `linux/input-event-codes.h`. It names a key by its place and does not change with NumLock or Shift.
    init?(code: UInt16) {
        switch Int32(code) {
        case KEY_0, KEY_KP0, KEY_NUMERIC_0: self = .digit(0x30)
        case KEY_1, KEY_KP1, KEY_NUMERIC_1: self = .digit(0x31)
        case KEY_2, KEY_KP2, KEY_NUMERIC_2: self = .digit(0x32)
        case KEY_3, KEY_KP3, KEY_NUMERIC_3: self = .digit(0x33)
        case KEY_4, KEY_KP4, KEY_NUMERIC_4: self = .digit(0x34)
        case KEY_5, KEY_KP5, KEY_NUMERIC_5: self = .digit(0x35)
        case KEY_6, KEY_KP6, KEY_NUMERIC_6: self = .digit(0x36)
        case KEY_7, KEY_KP7, KEY_NUMERIC_7: self = .digit(0x37)
        case KEY_8, KEY_KP8, KEY_NUMERIC_8: self = .digit(0x38)
        case KEY_9, KEY_KP9, KEY_NUMERIC_9: self = .digit(0x39)
        case KEY_ENTER, KEY_KPENTER, KEY_OK, KEY_NUMERIC_POUND: self = .enter
        case KEY_BACKSPACE, KEY_DELETE, KEY_KPDOT, KEY_NUMERIC_STAR: self = .correction
        case KEY_ESC, KEY_CANCEL, KEY_KPMINUS: self = .cancel
        case KEY_MINUS, KEY_EQUAL, KEY_Q...KEY_RIGHTBRACE, KEY_A...KEY_GRAVE, KEY_BACKSLASH...KEY_SLASH, KEY_KPASTERISK,
            KEY_SPACE, KEY_KPPLUS, KEY_102ND, KEY_KPSLASH, KEY_KPEQUAL, KEY_KPCOMMA:
            self = .other
        case _: return nil
        }
    }

    /// Each digit and Enter: with less no PIN can be typed.
    static let needed: [KeypadKey] = (UInt8(0x30)...0x39).map { .digit($0) } + [.enter]

    /// - Parameter bits: one for each code, the first in the lowest bit of the first byte.
    static func areEnough(_ bits: [UInt8]) -> Bool {
        let codes = (0..<bits.count * 8).filter { code in bits[code / 8] & (1 as UInt8) << UInt8(code % 8) != 0 }
        let keys = codes.compactMap { KeypadKey(code: UInt16($0)) }
        return needed.allSatisfy(keys.contains)
    }
}
