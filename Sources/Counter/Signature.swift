package import ISO7816

/// Who decided something by hand, and why; both as typed.
package struct Signature: Equatable, Sendable {
    package static let bytesMax = 200

    package let name: String
    package let reason: String

    /// - Throws: `.wrongLength` for one that is empty or longer than 200 bytes.
    package init(name: String, reason: String) throws(ParseError) {
        guard (1...Self.bytesMax).contains(name.utf8.count) else { throw .wrongLength("name") }
        guard (1...Self.bytesMax).contains(reason.utf8.count) else { throw .wrongLength("reason") }
        self.name = name
        self.reason = reason
    }
}
