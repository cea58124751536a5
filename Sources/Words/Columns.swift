extension String {
    /// How many columns of a terminal or a receipt printer it takes.
    package var columns: Int { unicodeScalars.reduce(0) { $0 + $1.columns } }

    /// With spaces after it; unchanged where it is as wide.
    package func padded(toColumns width: Int) -> String { self + spaces(toColumns: width) }

    /// With spaces before it; unchanged where it is as wide.
    package func indented(toColumns width: Int) -> String { spaces(toColumns: width) + self }

    /// As lines that are no wider, broken at blanks; those after the first begin with two. A word that is wider alone is broken anywhere.
    package func broken(toColumns width: Int) -> [String] {
        precondition(width > 3)
        var lines = [""]
        func fits(_ text: String) -> Bool { (lines[lines.count - 1] + text).columns <= width }
        for word in split(separator: " ") {
            let isBegun = !["", "  "].contains(lines[lines.count - 1])
            if isBegun, fits(" " + word) {
                lines[lines.count - 1] += " " + word
                continue
            }
            if isBegun { lines.append("  ") }
            for character in word {
                if !fits(String(character)) { lines.append("  ") }
                lines[lines.count - 1].append(character)
            }
        }
        return lines
    }

    private func spaces(toColumns width: Int) -> String { String(repeating: " ", count: max(0, width - columns)) }
}

extension Unicode.Scalar {
    /// The blocks whose characters are wide or of full width (Unicode Standard Annex 11).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    fileprivate var columns: Int {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: 0
        case _: Self.wide.contains { $0.contains(value) } ? 2 : 1
        }
    }
}
