import Quantities

/// A line that is shown as it is typed, behind its question.
///
/// A plain terminal steps back within a row and no further: a line that reaches the next row is written anew where a key takes
/// away, its question too.
package struct OpenLine {
    package enum Outcome: Equatable, Sendable {
        case shows(String)
        /// nil for what is no text, or too long.
        case entered(String?)
        /// Ctrl-C, Ctrl-D or Ctrl-\: whoever types does not want to.
        case cancelled
    }

    private static let bytesMax = 512

    /// What stands before the line.
    package let prompt: String
    /// Of the terminal's rows, in columns.
    private let width: Int
    private var typed: [UInt8] = []
    /// How many of the bytes the terminal shows.
    private var shown = 0
    private var escapes = EscapeSequences()

    package init(question: String, width: Int) {
        prompt = "\(question): "
        self.width = width
    }

    package mutating func receive(_ byte: UInt8) -> Outcome {
        switch escapes.take(byte) {
        case .none: .shows("")
        case .delete: .shows(removeLast())
        case .byte(let byte): take(byte)
        }
    }

    private mutating func take(_ byte: UInt8) -> Outcome {
        switch byte {
        case 0x0A, 0x0D: return .entered(typed.count > Self.bytesMax ? nil : String(validating: typed, as: UTF8.self))
        case 0x03, 0x04, 0x1C: return .cancelled
        case 0x15, 0x17: return .shows(remove(typed.count))
        case 0x08, 0x7F: return .shows(removeLast())
        case let byte:
            if typed.count <= Self.bytesMax { typed.append(byte) }
            guard let text = String(validating: typed[shown...], as: UTF8.self) else { return .shows("") }
            shown = typed.count
            return .shows(text.printable)
        }
    }

    private mutating func removeLast() -> String {
        let head = typed.lastIndex { $0 & 0xC0 != 0x80 } ?? 0
        return remove(typed.count - head)
    }

    private mutating func remove(_ count: Int) -> String {
        guard count > 0 else { return "" }
        let before = text
        typed.removeLast(count)
        // Of a character that is half typed nothing is on the terminal.
        shown = typed.count
        let columns = before.columns - text.columns
        let row = prompt.split(separator: "\n").last.map { String($0).columns } ?? 0
        guard columns > 0, row + before.columns < width else { return "\n\(prompt)\(text)" }
        return String(repeating: "\u{8} \u{8}", count: columns)
    }

    /// As it is on the terminal.
    private var text: String { String(decoding: typed.prefix(shown), as: UTF8.self).printable }
}
