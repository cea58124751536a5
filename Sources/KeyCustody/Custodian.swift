/// Who typed a component, and out of which envelope.
package struct Custodian: Equatable, Sendable {
    package static let nameMax = 40
    package static let envelopeMax = 20

    package let name: String
    package let envelope: String

    /// nil where one of the two is none.
    ///
    /// - Parameters:
    ///   - name: 1 to 40 characters, with neither control nor formatting characters.
    ///   - envelope: its number: 1 to 20 of letters and digits of ASCII, dashes, dots and slashes.
    package init?(name: String, envelope: String) {
        guard let name = Self.name(name), let envelope = Self.envelope(envelope) else { return nil }
        self.name = name
        self.envelope = envelope
    }

    /// A name as it stands in an audit log: without blanks around it.
    package static func name(_ text: String) -> String? {
        let name = trimmed(text)
        // A character may have any number of accents.
        guard (1...nameMax).contains(name.count), name.utf8.count <= 4 * nameMax else { return nil }
        return name.unicodeScalars.allSatisfy(isOfName) ? name : nil
    }

    package static func envelope(_ text: String) -> String? {
        let number = trimmed(text)
        guard (1...envelopeMax).contains(number.utf8.count) else { return nil }
        return number.utf8.allSatisfy(isOfEnvelope) ? number : nil
    }

    /// Whether two names are one person's, in capitals or not.
    package static func areSame(_ one: String, _ other: String) -> Bool { folded(one) == folded(other) }

    private static func folded(_ name: String) -> String { trimmed(name).uppercased().lowercased() }

    private static func trimmed(_ text: String) -> String {
        let rest = text.drop { $0.isWhitespace && !$0.isNewline }
        guard let last = rest.lastIndex(where: { !$0.isWhitespace || $0.isNewline }) else { return "" }
        return String(rest[...last])
    }

    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case _: true
        }
    }

    private static func isOfEnvelope(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"):
            true
        case _: false
        }
    }
}

/// A key that all its custodians confirmed, and who they are.
package struct ConfirmedKey: ~Copyable {
    package let key: CombinedKey
    package let custodians: [Custodian]

    package init(_ key: consuming CombinedKey, of custodians: [Custodian]) {
        self.key = key
        self.custodians = custodians
    }

    package consuming func take() -> CombinedKey { key }
}
