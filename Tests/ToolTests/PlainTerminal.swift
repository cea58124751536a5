import Quantities

/// The rows of a terminal of few abilities after what it was sent: characters, carriage return, line feed and step back.
struct PlainTerminal {
    /// Each as wide as the longest that was written there.
    private(set) var rows: [String] = [""]
    /// A byte that such a terminal does not know, or a line feed without a carriage return.
    private(set) var isPuzzled = false
    private(set) var columnsMax = 0

    init(_ sent: String) {
        var row: [String] = []
        var column = 0
        var before: Unicode.Scalar = " "
        for scalar in sent.unicodeScalars {
            switch scalar {
            case "\r": column = 0
            case "\n":
                if before != "\r" { isPuzzled = true }
                row = []
                rows.append("")
            case "\u{8}": column -= 1
            case _ where scalar.value < 0x20: isPuzzled = true
            case _:
                let text = String(scalar)
                // The second column of a wide character is its own.
                for cell in [text] + Array(repeating: "", count: text.columns - 1) {
                    if column < row.count { row[column] = cell } else { row.append(cell) }
                    column += 1
                }
            }
            before = scalar
            if column < 0 { isPuzzled = true }
            columnsMax = max(columnsMax, column)
            rows[rows.count - 1] = row.joined()
        }
    }
}
