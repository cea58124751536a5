package import CardCryptography

/// By which a purchase master in a token is told from any other: zeros under it. Its check value is the first bytes of that.
package struct TokenMark: Hashable, Sendable {
    package static let length = 8
    package static let input = [UInt8](repeating: 0, count: length)

    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        precondition(bytes.count == Self.length)
        self.bytes = bytes
    }

    package init(of raw: borrowing LockedBuffer) {
        bytes = DoubleLengthKey(raw.part(0..<raw.count)).encrypted(Self.input)
    }

    /// - Parameter zeros: under the key that is asked.
    package func isOf(_ zeros: borrowing LockedBuffer) -> Bool {
        zeros.withSpan { zeros in zeros.count == Self.length && zeros.indices.allSatisfy { zeros[$0] == bytes[$0] } }
    }
}
