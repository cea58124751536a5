private import COpenSSL

/// Draws a key from a passphrase with scrypt (RFC 7914), which makes each guess cost memory and time.
///
/// A weak passphrase stays weak: who has the sealed file may guess for as long as they like, some ten guesses a second
/// on one processor.
package enum PassphraseKey {
    package static let length = 32
    package static let saltLength = 16
    /// N is 2 to this power.
    package static let costExponent: UInt8 = 15
    package static let blockSize: UInt8 = 8
    package static let parallelism: UInt8 = 1

    /// The derivation needs 128 N r bytes and some more; libcrypto refuses more than it is allowed.
    private static let memoryBytesMax: UInt64 = 64 << 20

    /// The corresponding C function is `EVP_PBE_scrypt`. Its working memory and its copy of the passphrase
    /// are not locked; it wipes both.
    ///
    /// - Parameter costExponent: at most 15.
    /// - Returns: 32 bytes.
    package static func derive(
        from passphrase: borrowing LockedBuffer,
        salt: [UInt8],
        costExponent: UInt8 = Self.costExponent
    ) -> LockedBuffer {
        let key = LockedBuffer(count: length)
        let count = passphrase.count
        // SAFETY: both pointers cover their buffers' bytes and are used inside the closures only.
        let result = unsafe passphrase.withUnsafeBase { passphrase in
            unsafe key.withUnsafeBase { key in
                unsafe EVP_PBE_scrypt(
                    passphrase.assumingMemoryBound(to: CChar.self),
                    count,
                    salt,
                    salt.count,
                    1 << UInt64(costExponent),
                    UInt64(blockSize),
                    UInt64(parallelism),
                    memoryBytesMax,
                    key.assumingMemoryBound(to: UInt8.self),
                    length
                )
            }
        }
        precondition(result == 1, "no memory for scrypt")
        return key
    }
}

extension SealingKey {
    /// - Parameter salt: 16 random bytes, kept beside what is sealed.
    package init(passphrase: borrowing LockedBuffer, salt: [UInt8]) {
        self.init(raw: PassphraseKey.derive(from: passphrase, salt: salt))
    }
}
