/// Takes the sequences of arrows, function keys and the like out of what a terminal sends (ECMA-48, 5.4), so that no letter of
/// one counts as typed.
package struct EscapeSequences: Sendable {
    package enum Outcome: Equatable, Sendable {
        /// Of a sequence; it does nothing.
        case none
        /// The key Delete.
        case delete
        /// Of no sequence.
        case byte(UInt8)
    }

    private enum Place {
        case outside
        /// After ESC.
        case escape
        /// After ESC [, with the number that was read so far.
        case control(parameter: Int)
        /// After ESC O, or ESC [ [, which Linux's console sends for F1 to F5.
        case function
    }

    private static let deleteKey = 3
    private static let parameterMax = 9_999

    private var place = Place.outside

    package init() {}

    package mutating func take(_ byte: UInt8) -> Outcome {
        // A sequence that broke off hides no key that ends or empties a line.
        let isControl = byte < 0x20 && byte != 0x1B
        switch place {
        case .outside:
            guard byte == 0x1B else { return .byte(byte) }
            place = .escape
        case .escape:
            switch byte {
            case UInt8(ascii: "["): place = .control(parameter: 0)
            case UInt8(ascii: "O"): place = .function
            case 0x1B: place = .escape
            case _:
                place = .outside
                if isControl { return .byte(byte) }
            }
        case .function:
            place = byte == 0x1B ? .escape : .outside
            if isControl { return .byte(byte) }
        case .control(let parameter): return control(byte, parameter)
        }
        return .none
    }

    private mutating func control(_ byte: UInt8, _ parameter: Int) -> Outcome {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let next = parameter * 10 + Int(byte - UInt8(ascii: "0"))
            place = .control(parameter: min(next, Self.parameterMax))
            return .none
        case 0x20..<0x40: return .none
        case UInt8(ascii: "["):
            place = .function
            return .none
        case 0x1B:
            place = .escape
            return .none
        case _:
            place = .outside
            if byte < 0x20 { return .byte(byte) }
            return byte == UInt8(ascii: "~") && parameter == Self.deleteKey ? .delete : .none
        }
    }
}
