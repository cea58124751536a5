import FuelPassbook
import ISO7816

/// A script of exchanges with a card, for `greylock card script`. One statement a line:
///
///     # a comment
///     > 80 5C 00 01 04              a command
///     < {balance:4} 90 00           the answer expected, all of it
///     !reset                        power down and up
///     !verify                       VERIFY with a PIN asked for at the terminal
///     !verify demonstration         VERIFY with the published demonstration PIN
///
/// In an answer `..` is any byte, `{name:4}` any four bytes that are kept under that name, and `{:4}` any four that are
/// not. `{name}` stands for kept bytes, in commands and answers. Every command is followed by its answer.
struct ExchangeScript {
    struct Line {
        /// From 1.
        let number: Int
        let statement: Statement
    }

    enum Statement {
        case exchange(command: [Token], expected: Expectation)
        case verify(PINSource, expected: Expectation)
        case reset
    }

    struct Expectation {
        let line: Int
        let tokens: [Token]
    }

    enum PINSource {
        case ask
        case demonstration
    }

    enum Token: Equatable {
        case byte(UInt8)
        case any(Int)
        case capture(String, Int)
        case kept(String)

        var isByte: Bool {
            if case .byte = self { true } else { false }
        }
    }

    /// The first thing that is wrong with a script.
    struct Fault: Error {
        let line: Int
        let reason: String
    }

    static let sizeMax = 1 << 20
    private static let captureBytesMax = 256

    private(set) var lines: [Line] = []

    init(parsing text: String) throws(Fault) {
        var kept: [String: Int] = [:]
        var waiting: (line: Int, command: Command)?
        for (index, row) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let number = index + 1
            let content = row.prefix { $0 != "#" }.drop(while: \.isWhitespace)
            guard let mark = content.first else { continue }
            let rest = content.dropFirst()
            if mark == "<" {
                guard let (line, command) = waiting else {
                    throw Fault(line: number, reason: "an answer without a command before it")
                }
                let expected = Expectation(line: number, tokens: try Self.tokens(of: rest, number))
                try Self.keep(expected, in: &kept)
                lines.append(Line(number: line, statement: command.statement(expected)))
                waiting = nil
                continue
            }
            if let waiting { throw Self.unanswered(waiting.line) }
            switch mark {
            case ">": waiting = (number, .bytes(try Self.command(rest, number, kept)))
            case "!":
                switch rest.split(whereSeparator: \.isWhitespace) {
                case ["reset"]: lines.append(Line(number: number, statement: .reset))
                case ["verify"]: waiting = (number, .verify(.ask))
                case ["verify", "demonstration"]: waiting = (number, .verify(.demonstration))
                case _:
                    throw Fault(line: number, reason: "expected !reset, !verify or !verify demonstration")
                }
            case _:
                throw Fault(line: number, reason: "expected a line that begins with >, <, ! or #")
            }
        }
        if let waiting { throw Self.unanswered(waiting.line) }
    }

    private enum Command {
        case bytes([Token])
        case verify(PINSource)

        func statement(_ expected: Expectation) -> Statement {
            switch self {
            case .bytes(let tokens): .exchange(command: tokens, expected: expected)
            case .verify(let source): .verify(source, expected: expected)
            }
        }
    }

    private static func unanswered(_ line: Int) -> Fault {
        Fault(line: line, reason: "expected the answer to it on the next line, after <")
    }

    private static func command(
        _ text: Substring,
        _ line: Int,
        _ kept: [String: Int]
    ) throws(Fault) -> [Token] {
        let tokens = try tokens(of: text, line)
        var probe: [UInt8] = []
        for token in tokens {
            switch token {
            case .byte(let byte): probe.append(byte)
            case .kept(let name):
                guard let count = kept[name] else { throw missing(name, line) }
                probe += [UInt8](repeating: 0, count: count)
            case .any, .capture: throw Fault(line: line, reason: "a command has all its bytes: no .. and no {name:4}")
            }
        }
        guard probe.count >= 4 else {
            throw Fault(line: line, reason: "expected at least the four bytes of a command's header")
        }
        // Whether a PIN is there shows in the header, which must therefore be written out.
        let header = tokens.prefix(4)
        guard header.count == 4, header.allSatisfy(\.isByte) else {
            throw Fault(line: line, reason: "expected a header of four bytes in hexadecimal")
        }
        guard !RawCommand(bytes: probe).mayCarryPIN else {
            throw Fault(line: line, reason: "the command may carry a PIN, which stands in no file: use !verify")
        }
        return tokens
    }

    private static func keep(_ expected: Expectation, in kept: inout [String: Int]) throws(Fault) {
        for token in expected.tokens {
            switch token {
            case .capture(let name, let count): kept[name] = count
            case .kept(let name): guard kept[name] != nil else { throw missing(name, expected.line) }
            case .byte, .any: continue
            }
        }
    }

    private static func missing(_ name: String, _ line: Int) -> Fault {
        Fault(line: line, reason: "nothing is kept as {\(name)} so far")
    }

    private static func tokens(of text: Substring, _ line: Int) throws(Fault) -> [Token] {
        var tokens: [Token] = []
        var rest = text
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "{" {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Fault(line: line, reason: "expected a } for the {")
                }
                tokens.append(try reference(rest[..<end].dropFirst(), line))
                rest = rest[end...].dropFirst()
            } else if rest.hasPrefix("..") {
                tokens.append(.any(1))
                rest = rest.dropFirst(2)
            } else {
                let digits = rest.prefix(2)
                do throws(ParseError) { tokens += try Hex.bytes(digits).map { .byte($0) } } catch {
                    throw Fault(line: line, reason: "expected two hexadecimal digits, .. or {name}")
                }
                rest = rest.dropFirst(2)
            }
        }
        return tokens
    }

    private static func reference(_ text: Substring, _ line: Int) throws(Fault) -> Token {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }), parts.count <= 2 else {
            throw Fault(line: line, reason: "expected {name}, {name:4} or {:4}")
        }
        guard parts.count == 2 else {
            guard !name.isEmpty else { throw Fault(line: line, reason: "expected a name in the braces") }
            return .kept(name)
        }
        guard let count = Int(parts[1]), (1...captureBytesMax).contains(count) else {
            throw Fault(line: line, reason: "expected a count of 1 to \(captureBytesMax) bytes after the colon")
        }
        return name.isEmpty ? .any(count) : .capture(name, count)
    }
}

extension ExchangeScript.Expectation {
    /// Compares the whole answer, and keeps what is to be kept.
    ///
    /// - Returns: false at the first difference, or when either side is longer.
    func matches(_ answer: [UInt8], keeping kept: inout [String: [UInt8]]) -> Bool {
        var rest = answer[...]
        for token in tokens {
            switch token {
            case .byte(let byte): guard rest.popFirst() == byte else { return false }
            case .any(let count):
                guard rest.count >= count else { return false }
                rest = rest.dropFirst(count)
            case .capture(let name, let count):
                guard rest.count >= count else { return false }
                kept[name] = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
            case .kept(let name):
                guard let bytes = kept[name], rest.starts(with: bytes) else { return false }
                rest = rest.dropFirst(bytes.count)
            }
        }
        return rest.isEmpty
    }

    /// The pattern with the kept bytes in their places.
    func text(_ kept: [String: [UInt8]]) -> String {
        tokens.map { token in
            switch token {
            case .byte(let byte): Hex.string([byte])
            case .any(let count), .capture(_, let count): String(repeating: "..", count: count)
            case .kept(let name): kept[name].map { Hex.string($0) } ?? "{\(name)}"
            }
        }.joined()
    }
}
