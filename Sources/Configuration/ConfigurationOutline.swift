import Dispenser
import Quantities
package import Words

/// A configuration's settings without its comments, as they may leave the board (``MaskedText``).
package enum ConfigurationOutline {
    /// Of an application's name, who registered it.
    private static let registeredDigits = 10
    /// Of a list.
    private static let valuesShown = 20

    /// - Parameter bytes: of any text; what is wrong with it stands last.
    package static func lines(_ bytes: [UInt8], file: String) -> [MaskedText] {
        let document: ConfigurationDocument
        do throws(ConfigurationError) { document = try ConfigurationDocument(file: file, bytes: bytes) } catch {
            return ["\(error.description)"]
        }
        var problem: MaskedText?
        do throws(ConfigurationError) { _ = try document.read { Configuration(reading: $0) } } catch {
            problem = "wrong: \(error.description)"
        }
        var lines: [MaskedText] = []
        document.visit { path, value, isKnown in
            switch value {
            case _ where !isKnown: lines.append("\(path) = (unknown, not shown)")
            case .integer(let number): lines.append("\(path) = \(number)")
            case .truth(let truth): lines.append("\(path) = \(truth ? "true" : "false")")
            case .text(let text):
                switch path {
                case "terminal.id": lines.append("terminal.id = \(terminal(text))")
                case "card.aid":
                    let digits = text.filter { $0 != " " }
                    lines.append("card.aid = \(halves(digits.prefix(registeredDigits))), \(digits.count / 2) bytes")
                case _: lines.append("\(path) = \"\(text)\"")
                }
            case .list(let values):
                let shown = values.prefix(valuesShown).map { MaskedText(masking: "\($0.value)") }
                let all = shown.dropFirst().reduce(shown.first ?? "") { "\($0), \($1)" }
                lines.append("\(path): \(values.count) of them: \(all)")
            case .other(let what): lines.append("\(path): \(what)")
            case .table: break
            }
        }
        return lines + (problem.map { [$0] } ?? [])
    }

    /// Twelve digits that everybody may have; any other text is anybody's.
    private static func terminal(_ text: String) -> MaskedText {
        text.count == 12 && text.allSatisfy(\.isHexDigit) ? halves(text[...]) : MaskedText(masking: text)
    }

    /// In groups that are too short for a secret.
    private static func halves(_ text: Substring) -> MaskedText {
        let pairs = stride(from: 0, to: text.count, by: 2).map {
            MaskedText(masking: String(text.dropFirst($0).prefix(2)))
        }
        return pairs.dropFirst().reduce(pairs.first ?? "") { "\($0)\($1)" }
    }
}
