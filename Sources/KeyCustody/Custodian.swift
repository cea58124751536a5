import Quantities

/// Who typed a component, and out of which envelope.
package struct Custodian: Equatable, Sendable {
    package static var nameMax: Int { PersonName.countMax }
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
    package static func name(_ text: String) -> String? { PersonName.checked(text) }

    package static func envelope(_ text: String) -> String? {
        let number = PersonName.trimmed(text)
        guard (1...envelopeMax).contains(number.utf8.count) else { return nil }
        return number.utf8.allSatisfy(isOfEnvelope) ? number : nil
    }

    /// As ``PersonName/areSame(_:_:)``.
    package static func areSame(_ one: String, _ other: String) -> Bool { PersonName.areSame(one, other) }

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
