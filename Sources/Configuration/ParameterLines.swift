import Parameters

extension Configuration {
    /// Whether a text has any parameter of a side's meter. One that is no TOML has none.
    package static func hasParameters(_ text: [UInt8]) -> Bool {
        do throws(TOMLFault) { return try PlacedValue.parse(text).lastParameter != nil } catch { return false }
    }

    /// A configuration's text without the parameters of its sides' meters, which stand under seal; all else stays as it is.
    ///
    /// - Returns: nil where they cannot be taken out by whole lines.
    package static func withoutParameters(_ text: [UInt8]) -> [UInt8]? {
        let newline = UInt8(ascii: "\n")
        var lines = text.split(separator: newline, omittingEmptySubsequences: false).map(Array.init)
        func root(_ lines: [[UInt8]]) -> PlacedValue? {
            do throws(TOMLFault) { return try PlacedValue.parse(Array(lines.joined(separator: [newline]))) } catch {
                return nil
            }
        }
        while let present = root(lines), let (path, line) = present.lastParameter {
            let wanted = present.removing(path[...]).meaning
            let most = min(linesMax, lines.count - line + 1)
            let shorter = (1...max(1, most)).lazy.map { count in lines[..<(line - 1)] + lines[(line - 1 + count)...] }
                .first { root(Array($0))?.meaning == wanted }
            guard let shorter else { return nil }
            lines = Array(shorter)
        }
        return Array(lines.joined(separator: [newline]))
    }

    /// More than ten points have, with comments between them.
    private static let linesMax = 64
}

extension PlacedValue {
    /// The one that stands last; the keys that lead to it, and its line.
    fileprivate var lastParameter: (path: [String], line: Int)? {
        guard case .table(let sides)? = self["side"]?.value else { return nil }
        let found = sides.keys.flatMap { side -> [(path: [String], line: Int)] in
            guard case .table(let pump)? = sides[side]?["pump"]?.value else { return [] }
            return ParameterField.allCases.compactMap { field in
                pump[field.rawValue].map { (["side", side, "pump", field.rawValue], $0.line) }
            }
        }
        return found.max { $0.line < $1.line }
    }

    private subscript(key: String) -> PlacedValue? {
        guard case .table(let entries) = value else { return nil }
        return entries[key]
    }

    fileprivate func removing(_ path: ArraySlice<String>) -> PlacedValue {
        guard case .table(var entries) = value, let key = path.first else { return self }
        let rest = path.dropFirst()
        entries[key] = rest.isEmpty ? nil : entries[key]?.removing(rest)
        return PlacedValue(value: .table(entries), line: line)
    }

    /// What is said, wherever it stands.
    fileprivate var meaning: String {
        switch value {
        case .table(let entries):
            "{" + entries.sorted { $0.key < $1.key }.map { "\($0.key.debugDescription):\($0.value.meaning)" }.joined()
                + "}"
        case .list(let elements): "[" + elements.map { $0.meaning + "," }.joined() + "]"
        case .text(let text): text.debugDescription
        case .integer, .truth, .other: "\(value)"
        }
    }
}
