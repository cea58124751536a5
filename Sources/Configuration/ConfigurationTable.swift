import Codes

/// One table of the text. It asks for keys in the document's name, and notes what is wrong with them. A key may be asked
/// for again.
package struct ConfigurationTable {
    private let document: ConfigurationDocument
    private let path: ConfigurationPath
    private let line: Int
    /// nil when it is no table; that is noted, and what it lacks is not.
    private let entries: [String: PlacedValue]?

    /// - Parameter line: of the table, or of the innermost one around it that stands in the text.
    init(document: ConfigurationDocument, path: ConfigurationPath, line: Int, value: ConfigurationValue?) {
        self.document = document
        self.path = path
        self.line = line
        switch value {
        case .table(let entries): self.entries = entries
        case nil: entries = [:]
        case .text, .integer, .truth, .list, .other:
            entries = nil
            document.note(path, line: line, "a table", found: value?.description)
        }
    }

    /// The name of the text.
    var file: String { document.file }

    /// Nothing wrong was found so far, so settings may be compared with one another.
    package var isSound: Bool { document.isSound }

    /// nil when the key is missing or its value wrong, either of which is noted.
    package func required<Value>(_ key: String, _ setting: Setting<Value>) -> Value? {
        let value = optional(key, setting)
        if let entries, entries[key] == nil { note(key, setting.expected, found: nil) }
        return value
    }

    /// The required key's value, or what stands in for it.
    package func value<Value>(_ key: String, _ setting: Setting<Value>) -> Value {
        required(key, setting) ?? setting.standIn
    }

    package func value<Value>(_ key: String, _ setting: Setting<Value>, default value: Value) -> Value {
        optional(key, setting) ?? value
    }

    /// Leaves the value as it is when the key is not there.
    func read<Value>(_ key: String, _ setting: Setting<Value>, into value: inout Value) {
        value = optional(key, setting) ?? value
    }

    package func optional<Value>(_ key: String, _ setting: Setting<Value>) -> Value? {
        guard let entry = ask(for: key) else { return nil }
        return read(entry, setting, at: path(to: key))
    }

    /// The value of a required key in whose place somebody may have written a secret: what was found is not shown.
    package func secretive<Value>(_ key: String, _ setting: Setting<Value>) -> Value {
        let shown = Setting<Value?>(expected: setting.expected, standIn: nil) { .some(setting.read($0)) }
        guard let found = required(key, shown) else { return setting.standIn }
        if let found { return found }
        note(key, setting.expected, found: "another value, not shown here")
        document.skip(path(to: key))
        return setting.standIn
    }

    /// nil when the key is not there.
    func list<Value>(_ key: String, _ setting: Setting<Value>, countMax: Int) -> [Value]? {
        elements(of: key, 0...countMax)?.compactMap { read($0.placed, setting, at: $0.path) }
    }

    /// When it is not there, an empty one: what must be in it is then noted as missing.
    package func table(_ key: String) -> ConfigurationTable {
        let entry = ask(for: key)
        return ConfigurationTable(
            document: document,
            path: path(to: key),
            line: entry?.line ?? line,
            value: entry?.value
        )
    }

    /// Empty when the key is not there.
    func tables(_ key: String, _ counts: ClosedRange<Int>) -> [ConfigurationTable] {
        (elements(of: key, counts) ?? []).map { path, placed in
            ConfigurationTable(document: document, path: path, line: placed.line, value: placed.value)
        }
    }

    /// A table whose keys are names of the text's own; empty when it is not there.
    func texts(_ key: String, _ setting: Setting<String>) -> [String: String] {
        let parent = table(key)
        return (parent.entries ?? [:]).keys.reduce(into: [:]) { texts, name in
            texts[name] = parent.optional(name, setting)
        }
    }

    /// Tables that have numbers for keys, as in `[side.3]`: at least one and at most `countMax`, by their numbers.
    func numberedTables(
        _ key: String,
        _ numbers: ClosedRange<Int>,
        countMax: Int
    ) -> [(number: Int, table: ConfigurationTable)] {
        let expected = "1 to \(countMax) tables, [\(key).\(numbers.lowerBound)] to [\(key).\(numbers.upperBound)]"
        let parent = table(key)
        guard let entries = parent.entries else { return [] }
        guard (1...countMax).contains(entries.count) else {
            note(key, expected, found: entries.isEmpty ? nil : "\(entries.count)")
            skip(key)
            return []
        }
        var tables: [(number: Int, table: ConfigurationTable)] = []
        for name in entries.keys {
            guard let number = Int(name), numbers.contains(number), "\(number)" == name else {
                parent.note(name, expected, found: "unknown key \(quoted(name))", code: .configurationUnknownKey)
                parent.skip(name)
                continue
            }
            tables.append((number, parent.table(name)))
        }
        return tables.sorted { $0.number < $1.number }
    }

    /// What stands at a key that is not asked for.
    func entry(_ key: String) -> ConfigurationValue? { entries?[key]?.value }

    /// A key that has no meaning here any more.
    func refuse(_ key: String, _ expected: String) {
        guard entries?[key] != nil else { return }
        noteConflict(key, expected)
        document.skip(path(to: key))
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

    /// All that nobody asked for.
    func skipOthers() {
        for key in (entries ?? [:]).keys where !document.isKnown(path(to: key)) { document.skip(path(to: key)) }
    }

    /// Notes that the key's value, or its absence, does not fit another setting.
    package func noteConflict(_ key: String, _ expected: String) {
        note(key, expected, found: entries?[key]?.value.description)
    }

    private func note(
        _ key: String,
        _ expected: String,
        found: String?,
        code: ServiceCode = .configurationWrong
    ) {
        document.note(path(to: key), line: entries?[key]?.line ?? line, expected, found: found, code: code)
    }

    private func path(to key: String) -> ConfigurationPath { path.appending(.key(key)) }

    private func ask(for key: String) -> PlacedValue? {
        document.ask(for: path(to: key))
        return entries?[key]
    }

    private func read<Value>(_ placed: PlacedValue, _ setting: Setting<Value>, at path: ConfigurationPath) -> Value? {
        let result = setting.read(placed.value)
        if result == nil { document.note(path, line: placed.line, setting.expected, found: placed.value.description) }
        return result
    }

    /// nil when the key is not there, or no array of so many.
    private func elements(
        of key: String,
        _ counts: ClosedRange<Int>
    ) -> [(path: ConfigurationPath, placed: PlacedValue)]? {
        guard let entry = ask(for: key) else { return nil }
        guard case .list(let elements) = entry.value, counts.contains(elements.count) else {
            note(
                key,
                "an array of \(counts.lowerBound) to \(counts.upperBound) values",
                found: entry.value.description
            )
            return nil
        }
        return elements.enumerated().map { (path(to: key).appending(.element($0.offset)), $0.element) }
    }
}
