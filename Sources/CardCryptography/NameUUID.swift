private import COpenSSL

/// A UUID that follows from a name (RFC 9562, 5.5: version 5), which is no secret and protects nothing.
package enum NameUUID {
    private static let length = 16

    /// The corresponding C function is `EVP_Digest`.
    ///
    /// - Parameter namespace: a UUID's 16 bytes.
    /// - Returns: as many.
    package static func of(_ name: String, in namespace: [UInt8]) -> [UInt8] {
        let message = namespace + Array(name.utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        let isDone = unsafe EVP_Digest(message, message.count, &digest, nil, EVP_sha1(), nil)
        precondition(isDone == 1, "libcrypto has no SHA-1")
        digest[6] = digest[6] & 0x0F | 0x50
        digest[8] = digest[8] & 0x3F | 0x80
        return Array(digest.prefix(length))
    }
}
