import Codes
import Quantities

/// What a script answers to a tool's questions, each under a key: a TOML file whose values are texts, whole numbers, truths, and
/// lists of those, which answer "key.1", "key.2" and so on.
package struct AnswerSheet: Sendable {
    package struct Answer: Sendable {
        package let text: String
        /// From 1.
        package let line: Int
    }

    package let file: String
    private let answers: [String: Answer]

    /// - Parameter keys: that may be there; of a list its own name, of a numbered table with "N" for its number.
    /// - Throws: the first thing that is wrong: no TOML, an unknown key, or no value that answers.
    package init(path: String, keys: Set<String>) throws(ConfigurationError) {
        file = path
        let bytes = try ConfigurationDocument.contents(of: path)
        let content: PlacedValue
        do throws(TOMLFault) { content = try PlacedValue.parse(bytes) } catch {
            throw ConfigurationError(
                file: path,
                line: error.line,
                key: "syntax",
                expected: "TOML",
                found: error.reason,
                code: .configurationSyntax
            )
        }
        var found: [String: Answer] = [:]
        try Self.collect(content, "", keys, path, &found)
        answers = found
    }

    package func answer(_ key: String) -> Answer? { answers[key] }

    /// What is wrong with the answer to a question.
    package func error(_ key: String, _ expected: String) -> ConfigurationError {
        let answer = answers[key]
        return ConfigurationError(
            file: file,
            line: answer?.line ?? 1,
            key: key,
            expected: expected,
            found: answer.map { quoted($0.text) } ?? "nothing"
        )
    }

    private static func collect(
        _ placed: PlacedValue,
        _ key: String,
        _ keys: Set<String>,
        _ file: String,
        _ found: inout [String: Answer]
    ) throws(ConfigurationError) {
        func problem(_ expected: String) -> ConfigurationError {
            ConfigurationError(file: file, line: placed.line, key: key, expected: expected, found: "\(placed.value)")
        }
        if case .table(let entries) = placed.value {
            for (name, entry) in entries.sorted(by: { $0.value.line < $1.value.line }) {
                try collect(entry, key.isEmpty ? name : "\(key).\(name)", keys, file, &found)
            }
            return
        }
        let general = key.split(separator: ".").map { Int($0) == nil ? $0 : "N" }.joined(separator: ".")
        guard keys.contains(general) else {
            let near = nearNames(to: general, among: keys).first.map { "did you mean \($0)?" }
            throw problem("a known key, \(near ?? "one of \(keys.sorted().joined(separator: ", "))")")
        }
        if case .list(let elements) = placed.value {
            for (index, element) in elements.enumerated() {
                guard let text = element.value.answer else { throw problem("texts or whole numbers") }
                found["\(key).\(index + 1)"] = Answer(text: text, line: element.line)
            }
            return
        }
        guard let text = placed.value.answer else { throw problem("a text in quotation marks, or a whole number") }
        found[key] = Answer(text: text, line: placed.line)
    }
}

extension ConfigurationValue {
    /// As somebody would type it.
    fileprivate var answer: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): "\(number)"
        case .truth(let truth): truth ? "yes" : "no"
        case .list, .table, .other: nil
        }
    }
}
