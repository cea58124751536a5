private import TOMLKit

/// The way to a value: keys of tables, and elements of arrays.
package struct ConfigurationPath: Hashable {
    package enum Step: Hashable {
        case key(String)
        /// From 0.
        case element(Int)
    }

    /// Twice as deep as any setting lies.
    static let depthMax = 8

    package static let root = ConfigurationPath(steps: [])

    private(set) var steps: [Step]

    var parent: ConfigurationPath { ConfigurationPath(steps: steps.dropLast()) }

    package func appending(_ step: Step) -> ConfigurationPath { ConfigurationPath(steps: steps + [step]) }
}

extension ConfigurationPath: CustomStringConvertible {
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key):
                let isBare = !key.isEmpty && key.utf8.allSatisfy(ConfigurationLines.isBareKeyCharacter)
                text += (text.isEmpty ? "" : ".") + (isBare ? key : quoted(key))
            case .element(let index): text += "[\(index + 1)]"
            }
        }
        return text
    }
}

/// A value of the text. Fractions, dates and times are no setting's value.
package enum ConfigurationValue {
    case text(String)
    case integer(Int)
    case truth(Bool)
    case list([ConfigurationValue])
    case table([String: ConfigurationValue])
    /// What it is.
    case other(String)
}

extension ConfigurationValue {
    /// What the text says, and where. The text itself must be free of NUL.
    static func parse(_ text: String) throws(TOMLFault) -> (value: ConfigurationValue, lines: ConfigurationLines) {
        do {
            let lines = ConfigurationLines(scanning: text)
            if let refusal = lines.refusal { throw refusal }
            let table = try TOMLTable(string: text)
            // TOMLKit hands out C strings, which would end there.
            if let line = lines.lineOfNUL { throw TOMLFault(line: line, reason: "an escaped NUL") }
            return (ConfigurationValue(table), lines)
        } catch let error as TOMLParseError {
            throw TOMLFault(line: error.source.begin.line, reason: error.description)
        } catch let error as TOMLFault {
            throw error
        } catch {
            throw TOMLFault(line: 1, reason: "\(error)")
        }
    }

    private init(_ value: any TOMLValueConvertible) {
        if let text = value.string {
            self = .text(text)
        } else if let integer = value.int {
            self = .integer(integer)
        } else if let truth = value.bool {
            self = .truth(truth)
        } else if let number = value.double {
            self = .other("\(number)")
        } else if let array = value.array {
            self = .list(array.map { ConfigurationValue($0) })
        } else if let table = value.table {
            // Keys that differ in bytes may still be the same text; neither is a known one.
            self = .table(
                Dictionary(table.map { ($0.0, ConfigurationValue($0.1)) }, uniquingKeysWith: { first, _ in first })
            )
        } else {
            self = .other("a \(value.type)")
        }
    }
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

/// The text is not TOML.
struct TOMLFault: Error {
    let line: Int
    let reason: String
}

/// At most 60 characters of the text, in quotation marks.
func quoted(_ text: String) -> String {
    let countMax = 60
    return text.count > countMax ? "\"\(text.prefix(countMax))...\"" : "\"\(text)\""
}
