private import Quantities

/// A name, a number or a reason as somebody typed it: one line of 1 to 200 characters, all of them printable, no blanks at its ends.
package struct TypedText: Hashable, Sendable {
    package static let charactersMax = 200

    package let text: String

    /// - Parameter name: what it is, for the error.
    package init(_ text: String, _ name: String) throws(ProvingFault) {
        let blank: Character = " "
        let trimmed = text.drop { $0 == blank }
        let kept = String(
            trimmed[..<(trimmed.lastIndex { $0 != blank }.map { trimmed.index(after: $0) } ?? trimmed.startIndex)]
        )
        guard !kept.isEmpty else { throw ProvingFault("\(name) is missing: type it") }
        guard kept.unicodeScalars.count <= Self.charactersMax else {
            throw ProvingFault("\(name) is too long: at most \(Self.charactersMax) characters")
        }
        guard kept.printable == kept else {
            throw ProvingFault("\(name) has characters that cannot be printed: type it again without them")
        }
        self.text = kept
    }
}
