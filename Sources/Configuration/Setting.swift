import ISO7816

/// What a setting's value must be, and how it is read.
package struct Setting<Value> {
    /// As it stands in an error: "an integer from 1 to 99".
    package let expected: String
    /// A legal value, for what is missing or wrong until that is thrown.
    package let standIn: Value
    /// nil for any other value.
    package let read: (ConfigurationValue) -> Value?

    package init(expected: String, standIn: Value, _ read: @escaping (ConfigurationValue) -> Value?) {
        self.expected = expected
        self.standIn = standIn
        self.read = read
    }

    /// - Parameter transform: makes a value of every legal one.
    package func map<Other>(_ transform: @escaping (Value) -> Other) -> Setting<Other> {
        Setting<Other>(expected: expected, standIn: transform(standIn)) { read($0).map(transform) }
    }
}

extension Setting where Value == Bool {
    package static var truth: Setting {
        Setting(expected: "true or false", standIn: false) { value in
            guard case .truth(let truth) = value else { return nil }
            return truth
        }
    }
}

extension Setting where Value == Int {
    package static func integer(_ range: ClosedRange<Int>, _ unit: String? = nil) -> Setting {
        let unit = unit.map { ", \($0)" } ?? ""
        return Setting(
            expected: "an integer from \(range.lowerBound) to \(range.upperBound)\(unit)",
            standIn: range.lowerBound
        ) { value in
            guard case .integer(let integer) = value, range.contains(integer) else { return nil }
            return integer
        }
    }
}

extension Setting where Value == UInt8 {
    package static func byte(_ range: ClosedRange<UInt8> = 0...255) -> Setting {
        Setting<Int>.integer(Int(range.lowerBound)...Int(range.upperBound)).map { UInt8($0) }
    }
}

extension Setting where Value == String {
    static func text(_ counts: ClosedRange<Int>) -> Setting {
        Setting(
            expected: "a text of \(counts.lowerBound) to \(counts.upperBound) characters",
            standIn: String(repeating: " ", count: counts.lowerBound)
        ) { value in
            guard case .text(let text) = value, counts.contains(text.count) else { return nil }
            return text
        }
    }

    /// A service has no working directory of its own, so a path begins at the root. At most PATH_MAX bytes with the
    /// closing NUL.
    static var path: Setting {
        Setting(expected: "a path that begins with /", standIn: "/") { value in
            guard case .text(let text) = value, text.utf8.first == UInt8(ascii: "/"), text.utf8.count < 4_096 else {
                return nil
            }
            return text
        }
    }
}

extension Setting where Value == [UInt8] {
    /// Blanks may stand between bytes.
    package static func hexadecimal(bytes counts: ClosedRange<Int>) -> Setting {
        let digits =
            counts.count == 1 ? "\(counts.lowerBound * 2)" : "\(counts.lowerBound * 2) to \(counts.upperBound * 2)"
        return Setting(
            expected: "\(digits) hexadecimal digits in quotation marks",
            standIn: [UInt8](repeating: 0, count: counts.lowerBound)
        ) { value in
            guard case .text(let text) = value else { return nil }
            do throws(ParseError) {
                let bytes = try Hex.bytes(text)
                return counts.contains(bytes.count) ? bytes : nil
            } catch {
                return nil
            }
        }
    }
}

extension Setting where Value: DataElement {
    /// An element that is written in hexadecimal or decimal digits, two for each byte.
    static func element(_ expected: String, standIn: Value) -> Setting {
        Setting(expected: expected, standIn: standIn) { value in
            guard case .text(let text) = value else { return nil }
            do throws(ParseError) { return try Value(parsing: Hex.bytes(text)) } catch { return nil }
        }
    }
}

extension Setting where Value: CaseIterable {
    /// - Parameter name: how a case is written.
    static func word(_ name: @escaping (Value) -> String) -> Setting {
        let words = Value.allCases.map { "\"\(name($0))\"" }
        guard let first = Value.allCases.first else { preconditionFailure("a word is one of some") }
        return Setting(expected: words.joined(separator: " or "), standIn: first) { value in
            guard case .text(let text) = value else { return nil }
            return Value.allCases.first { name($0) == text }
        }
    }
}

extension Setting where Value: RawRepresentable<String> & CaseIterable {
    package static var word: Setting { word(\.rawValue) }
}
