/// Names of people, as logs and seals keep them.
package enum PersonName {
    package static let countMax = 40

    /// Without blanks around it; nil unless it has 1 to 40 characters, with neither control nor formatting characters.
    package static func checked(_ text: String) -> String? {
        let name = trimmed(text)
        // A character may have any number of accents.
        guard (1...countMax).contains(name.count), name.utf8.count <= 4 * countMax else { return nil }
        return name.printable == name ? name : nil
    }

    /// Whether two names may be one person's: the same letters and digits, whatever is in capitals or stands between them.
    package static func areSame(_ one: String, _ other: String) -> Bool { folded(one) == folded(other) }

    private static func folded(_ name: String) -> String {
        name.uppercased().lowercased().filter { $0.isLetter || $0.isNumber }
    }

    package static func trimmed(_ text: String) -> String {
        let rest = text.drop { $0.isWhitespace && !$0.isNewline }
        guard let last = rest.lastIndex(where: { !$0.isWhitespace || $0.isNewline }) else { return "" }
        return String(rest[...last])
    }
}
