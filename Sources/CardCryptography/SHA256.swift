private import COpenSSL

/// SHA-256 (FIPS 180-4), for what is no secret.
package enum SHA256 {
    package static let length = 32

    /// The corresponding C function is `EVP_Digest`.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.length)
        let isDone = unsafe EVP_Digest(message, message.count, &digest, nil, EVP_sha256(), nil)
        precondition(isDone == 1, "libcrypto has no SHA-256")
        return digest
    }
}
