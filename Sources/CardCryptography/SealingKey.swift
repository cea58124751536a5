private import COpenSSL

/// Seals short values for storage outside the security module: AES-256-GCM (NIST SP 800-38D).
///
/// A key drawn from a two-key triple-DES master makes the sealed value as strong as that master, and whoever replaces
/// the storage card of a board learns nothing from the records on it. The issuer's key store draws its key from a
/// passphrase instead.
package struct SealingKey: ~Copyable, Sendable {
    package static let nonceLength = 12
    package static let tagLength = 16

    private let raw: LockedBuffer

    /// - Parameter raw: 32 bytes.
    package init(raw: consuming LockedBuffer) {
        precondition(raw.count == 32)
        self.raw = raw
    }

    /// Derives 32 bytes as four encryptions of the 8-byte label with its last byte counted up from 0.
    package init(from master: borrowing DoubleLengthKey, label: StaticString) {
        raw = LockedBuffer(from: master, label: label)
    }

    /// Nonce, ciphertext and tag of `plain`, bound to `context`.
    package borrowing func seal(_ plain: [UInt8], context: [UInt8], random: any RandomSource) -> [UInt8] {
        unsafe plain.withUnsafeBufferPointer { unsafe seal($0, context: context, random: random) }
    }

    /// Nonce, ciphertext and tag of a secret, bound to `context`.
    package borrowing func seal(
        _ secret: borrowing LockedBuffer,
        context: [UInt8],
        random: any RandomSource
    ) -> [UInt8] {
        secret.withSpan { span in
            unsafe span.withUnsafeBufferPointer { unsafe seal($0, context: context, random: random) }
        }
    }

    /// The plain bytes, or nil when the sealed value or its context was altered, or another key sealed it.
    package borrowing func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: max(0, sealed.count - Self.nonceLength - Self.tagLength))
        let done = unsafe output.withUnsafeMutableBufferPointer { unsafe open(sealed, context: context, into: $0) }
        return done ? output : nil
    }

    /// The secret in locked memory, or nil as in `open`; a sealed value without any bytes is no secret.
    package borrowing func openSecret(_ sealed: [UInt8], context: [UInt8]) -> LockedBuffer? {
        let count = sealed.count - Self.nonceLength - Self.tagLength
        guard count > 0 else { return nil }
        let plain = LockedBuffer(count: count)
        // SAFETY: the pointer covers the buffer's bytes and is used inside the closure only.
        let done = unsafe plain.withUnsafeBase { base in
            let bytes = unsafe base.assumingMemoryBound(to: UInt8.self)
            return unsafe open(sealed, context: context, into: UnsafeMutableBufferPointer(start: bytes, count: count))
        }
        guard done else { return nil }
        return plain
    }

    /// Whether `sealed` holds `secret`, compared in constant time.
    package borrowing func opens(_ sealed: [UInt8], context: [UInt8], to secret: borrowing LockedBuffer) -> Bool {
        guard let plain = openSecret(sealed, context: context) else { return false }
        return plain.isEqual(to: secret)
    }

    @unsafe
    private borrowing func seal(
        _ plain: UnsafeBufferPointer<UInt8>,
        context: [UInt8],
        random: any RandomSource
    ) -> [UInt8] {
        let nonce = random.bytes(Self.nonceLength)
        var output = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        let done = unsafe withCipher(nonce: nonce, encrypting: true) { cipher in
            var length: Int32 = 0
            return unsafe EVP_EncryptUpdate(cipher, nil, &length, context, Int32(context.count)) == 1
                && EVP_EncryptUpdate(cipher, &output, &length, plain.baseAddress, Int32(plain.count)) == 1
                && EVP_EncryptFinal_ex(cipher, nil, &length) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), &tag) == 1
        }
        precondition(done, "libcrypto has no AES-256-GCM")
        return nonce + output + tag
    }

    @unsafe
    private borrowing func open(
        _ sealed: [UInt8],
        context: [UInt8],
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        guard sealed.count == Self.nonceLength + output.count + Self.tagLength else { return false }
        let nonce = Array(sealed.prefix(Self.nonceLength))
        let text = Array(sealed.dropFirst(Self.nonceLength).dropLast(Self.tagLength))
        var tag = Array(sealed.suffix(Self.tagLength))
        return unsafe withCipher(nonce: nonce, encrypting: false) { cipher in
            var length: Int32 = 0
            return unsafe EVP_DecryptUpdate(cipher, nil, &length, context, Int32(context.count)) == 1
                && EVP_DecryptUpdate(cipher, output.baseAddress, &length, text, Int32(text.count)) == 1
                && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
                && EVP_DecryptFinal_ex(cipher, nil, &length) == 1
        }
    }

    @unsafe
    private borrowing func withCipher(
        nonce: [UInt8],
        encrypting: Bool,
        _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        SecretStack.run {
            guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return false }
            defer { unsafe EVP_CIPHER_CTX_free(cipher) }
            // SAFETY: the locked buffer holds the 32 key bytes; libcrypto reads them inside this call.
            let ready = unsafe raw.withUnsafeBase { key in
                unsafe EVP_CipherInit_ex(
                    cipher,
                    EVP_aes_256_gcm(),
                    nil,
                    key.assumingMemoryBound(to: UInt8.self),
                    nonce,
                    encrypting ? 1 : 0
                )
            }
            return unsafe ready == 1 && body(cipher)
        }
    }
}
