/// A value of the text. Fractions, dates and times are no setting's value.
package enum ConfigurationValue {
    case text(String)
    case integer(Int)
    case truth(Bool)
    case list([PlacedValue])
    case table([String: PlacedValue])
    /// What it is.
    case other(String)
}

/// A value where it stands.
package struct PlacedValue {
    package let value: ConfigurationValue
    /// Of its first character, a table's of its header; from 1.
    package let line: Int
}

extension ConfigurationValue: CustomStringConvertible {
    package var description: String {
        switch self {
        case .text(let text): quoted(text)
        case .integer(let integer): "\(integer)"
        case .truth(let truth): "\(truth)"
        case .list(let values): values.count == 1 ? "an array of 1 value" : "an array of \(values.count) values"
        case .table: "a table"
        case .other(let text): text
        }
    }
}

/// At most 60 characters of the text, in quotation marks.
func quoted(_ text: String) -> String {
    let countMax = 60
    return text.count > countMax ? "\"\(text.prefix(countMax))...\"" : "\"\(text)\""
}
