package import ISO7816

/// What a setting's value must be, and how it is read.
package struct Setting<Value> {
    /// As it stands in an error: "an integer from 1 to 99".
    package let expected: String
    /// nil for any other value.
    package let read: (ConfigurationValue) -> Value?

    package init(expected: String, _ read: @escaping (ConfigurationValue) -> Value?) {
        self.expected = expected
        self.read = read
    }
}

extension Setting where Value == Bool {
    package static var truth: Setting {
        Setting(expected: "true or false") { value in
            guard case .truth(let truth) = value else { return nil }
            return truth
        }
    }
}

extension Setting where Value == Int {
    package static func integer(_ range: ClosedRange<Int>, _ unit: String? = nil) -> Setting {
        let unit = unit.map { ", \($0)" } ?? ""
        return Setting(expected: "an integer from \(range.lowerBound) to \(range.upperBound)\(unit)") { value in
            guard case .integer(let integer) = value, range.contains(integer) else { return nil }
            return integer
        }
    }
}

extension Setting where Value == String {
    package static func text(_ counts: ClosedRange<Int>) -> Setting {
        Setting(expected: "a text of \(counts.lowerBound) to \(counts.upperBound) characters") { value in
            guard case .text(let text) = value, counts.contains(text.count) else { return nil }
            return text
        }
    }

    /// A service has no working directory of its own, so a path begins at the root. At most PATH_MAX bytes with the
    /// closing NUL.
    package static var path: Setting {
        Setting(expected: "a path that begins with /") { value in
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
        return Setting(expected: "\(digits) hexadecimal digits in quotation marks") { value in
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

extension Setting {
    /// An element that is written in hexadecimal or decimal digits, two for each byte.
    package static func element(_ expected: String) -> Setting where Value: DataElement {
        Setting(expected: expected) { value in
            guard case .text(let text) = value else { return nil }
            do throws(ParseError) { return try Value(parsing: Hex.bytes(text)) } catch { return nil }
        }
    }
}

extension Setting where Value: RawRepresentable<String> & CaseIterable {
    package static var word: Setting {
        let words = Value.allCases.map { "\"\($0.rawValue)\"" }
        return Setting(expected: words.joined(separator: " or ")) { value in
            guard case .text(let text) = value else { return nil }
            return Value(rawValue: text)
        }
    }
}

/// One table of the text. It asks for keys in the document's name, and notes what is wrong with them.
package struct ConfigurationTable {
    private let document: ConfigurationDocument
    private let path: ConfigurationPath
    /// nil when it is no table; that is noted, and what it lacks is not.
    private let entries: [String: ConfigurationValue]?

    init(document: ConfigurationDocument, path: ConfigurationPath, value: ConfigurationValue?) {
        self.document = document
        self.path = path
        switch value {
        case .table(let entries): self.entries = entries
        case nil: entries = [:]
        case .text, .integer, .truth, .list, .other:
            entries = nil
            document.note(path, "a table", found: value?.description)
        }
    }

    /// The name of the text.
    var file: String { document.file }

    /// Nothing wrong was found so far, so settings may be compared with one another.
    var isSound: Bool { document.isSound }

    package func required<Value>(_ key: String, _ setting: Setting<Value>) -> Value? {
        let value = optional(key, setting)
        if let entries, entries[key] == nil { document.note(path(to: key), setting.expected, found: nil) }
        return value
    }

    package func optional<Value>(_ key: String, _ setting: Setting<Value>) -> Value? {
        guard let entry = ask(for: key) else { return nil }
        return read(entry, setting, at: path(to: key))
    }

    package func value<Value>(_ key: String, _ setting: Setting<Value>, default value: Value) -> Value {
        optional(key, setting) ?? value
    }

    /// Empty when the key is not there.
    func list<Value>(_ key: String, _ setting: Setting<Value>, countMax: Int) -> [Value] {
        elements(of: key, 0...countMax).compactMap { read($0.value, setting, at: $0.path) }
    }

    /// When it is not there, an empty one: what must be in it is then noted as missing.
    package func table(_ key: String) -> ConfigurationTable {
        ConfigurationTable(document: document, path: path(to: key), value: ask(for: key))
    }

    /// Empty when the key is not there.
    func tables(_ key: String, _ counts: ClosedRange<Int>) -> [ConfigurationTable] {
        elements(of: key, counts).map { ConfigurationTable(document: document, path: $0.path, value: $0.value) }
    }

    /// Keys that have a meaning only under another condition.
    func refuse(_ keys: String..., unless condition: String) {
        for key in keys {
            if ask(for: key) != nil { noteConflict(key, "nothing unless \(condition)") }
            document.skip(path(to: key))
        }
    }

    /// Keys of which cannot be said whether they belong here.
    func skip(_ keys: String...) {
        for key in keys { document.skip(path(to: key)) }
    }

    /// Notes that the key's value, or its absence, does not fit another setting.
    package func noteConflict(_ key: String, _ expected: String) {
        document.note(path(to: key), expected, found: entries?[key]?.description)
    }

    private func path(to key: String) -> ConfigurationPath { path.appending(.key(key)) }

    private func ask(for key: String) -> ConfigurationValue? {
        document.ask(for: path(to: key))
        return entries?[key]
    }

    private func read<Value>(
        _ value: ConfigurationValue,
        _ setting: Setting<Value>,
        at path: ConfigurationPath
    ) -> Value? {
        let result = setting.read(value)
        if result == nil { document.note(path, setting.expected, found: value.description) }
        return result
    }

    private func elements(
        of key: String,
        _ counts: ClosedRange<Int>
    ) -> [(path: ConfigurationPath, value: ConfigurationValue)] {
        guard let entry = ask(for: key) else { return [] }
        guard case .list(let values) = entry, counts.contains(values.count) else {
            document.note(
                path(to: key),
                "an array of \(counts.lowerBound) to \(counts.upperBound) values",
                found: entry.description
            )
            return []
        }
        return values.enumerated().map { (path(to: key).appending(.element($0.offset)), $0.element) }
    }
}
