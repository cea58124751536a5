extension String {
    /// How many columns of a terminal or a receipt printer it takes.
    package var columns: Int { unicodeScalars.reduce(0) { $0 + $1.columns } }

    /// With spaces after it; unchanged where it is as wide.
    package func padded(toColumns width: Int) -> String { self + spaces(toColumns: width) }

    /// With spaces before it; unchanged where it is as wide.
    package func indented(toColumns width: Int) -> String { spaces(toColumns: width) + self }

    /// Broken into lines of at most so many columns, the later ones two columns further in than the first: between the cells of a
    /// table, which two blanks part, or else between words. What is wider alone stays whole.
    package func wrapped(toColumns width: Int) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line).columns > width ? String(line).broken(toColumns: width) : String(line)
        }.joined(separator: "\n")
    }

    private func broken(toColumns width: Int) -> String {
        let indent = String(prefix { $0 == " " })
        let pieces = pieces
        var lines: [String] = []
        var current = indent
        for (gap, piece) in pieces {
            if !lines.isEmpty || current != indent, (current + gap + piece).columns > width {
                lines.append(current)
                current = "\(indent)  \(piece)"
            } else {
                current += current == indent ? piece : gap + piece
            }
        }
        return (lines + [current]).joined(separator: "\n")
    }

    /// What may stand on a line of its own, each with the blanks before it.
    private var pieces: [(gap: String, piece: String)] {
        let words = drop { $0 == " " }
        let isTable = words.contains("  ")
        var pieces: [(gap: String, piece: String)] = []
        var gap = ""
        for word in words.split(separator: " ", omittingEmptySubsequences: false) {
            if word.isEmpty {
                gap += " "
            } else if let last = pieces.last, isTable, gap == " " {
                pieces[pieces.count - 1].piece = "\(last.piece) \(word)"
                gap = " "
            } else {
                pieces.append((gap, String(word)))
                gap = " "
            }
        }
        return pieces
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
