/// A value of JSON (RFC 8259). Numbers are exact decimals in their text.
indirect enum JSONText: Equatable {
    case null
    case flag(Bool)
    case number(String)
    case text(String)
    case list([JSONText])
    case object([(String, JSONText)])

    static func == (left: JSONText, right: JSONText) -> Bool { left.text == right.text }

    static func number(_ number: some FixedWidthInteger) -> JSONText { .number("\(number)") }

    /// Two blanks a level, members in their order, a line end at the end.
    var text: String {
        var lines = ""
        write(to: &lines, indent: "")
        return lines + "\n"
    }

    private func write(to text: inout String, indent: String) {
        switch self {
        case .null: text += "null"
        case .flag(let flag): text += flag ? "true" : "false"
        case .number(let number): text += number
        case .text(let string): text += Self.quoted(string)
        case .list(let values):
            Self.write(values.map { (nil, $0) }, "[", "]", to: &text, indent)
        case .object(let members):
            Self.write(members.map { ($0.0, $0.1) }, "{", "}", to: &text, indent)
        }
    }

    private static func write(
        _ members: [(String?, JSONText)],
        _ open: String,
        _ close: String,
        to text: inout String,
        _ indent: String
    ) {
        guard !members.isEmpty else {
            text += open + close
            return
        }
        text += open
        for (index, (name, value)) in members.enumerated() {
            text += (index == 0 ? "\n" : ",\n") + indent + "  "
            if let name { text += quoted(name) + ": " }
            value.write(to: &text, indent: indent + "  ")
        }
        text += "\n" + indent + close
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
