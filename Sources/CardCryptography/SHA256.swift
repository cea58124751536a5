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

extension SHA256 {
    /// The digest of what comes in parts.
    ///
    /// The corresponding C functions are `EVP_DigestInit_ex`, `EVP_DigestUpdate` and `EVP_DigestFinal_ex`.
    @safe
    package struct Stream: ~Copyable {
        private let context: OpaquePointer

        package init() {
            guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
            else {
                preconditionFailure("libcrypto has no SHA-256")
            }
            unsafe self.context = context
        }

        deinit { unsafe EVP_MD_CTX_free(context) }

        package mutating func update(_ part: ArraySlice<UInt8>) {
            // SAFETY: libcrypto reads no more than the slice, inside this call.
            let isDone = unsafe part.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
            precondition(isDone == 1, "libcrypto has no SHA-256")
        }

        package consuming func finish() -> [UInt8] {
            var digest = [UInt8](repeating: 0, count: SHA256.length)
            let isDone = unsafe EVP_DigestFinal_ex(context, &digest, nil)
            precondition(isDone == 1, "libcrypto has no SHA-256")
            return digest
        }
    }
}
