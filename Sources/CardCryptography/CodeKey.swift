private import COpenSSL

/// A code over a stored row: HMAC-SHA-256 (FIPS 198-1). One half of it is stored with the row, the other nowhere.
///
/// There is no `==`: a stored code is judged by `isValid(_:)`, in constant time.
package struct StoredCode: Sendable {
    /// Of the half that is stored.
    package static let length = 16

    package let bytes: [UInt8]
    /// Of the half that is not: whoever has the file cannot work it out.
    package let hidden: UInt64

    fileprivate init(_ code: [UInt8]) {
        precondition(code.count == 2 * Self.length)
        bytes = Array(code.prefix(Self.length))
        hidden = code.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Whether `stored` is this code.
    package func isValid(_ stored: [UInt8]) -> Bool { ConstantTime.isEqual(bytes, stored) }
}

/// A key for ``StoredCode``, 32 bytes in locked memory.
package struct CodeKey: ~Copyable, Sendable {
    package static let length = 32

    private let raw: LockedBuffer

    /// - Parameter raw: 32 bytes.
    package init(raw: consuming LockedBuffer) {
        precondition(raw.count == Self.length)
        self.raw = raw
    }

    /// Drawn from a master key as a ``SealingKey`` is.
    package init(from master: borrowing DoubleLengthKey, label: StaticString) {
        raw = LockedBuffer(from: master, label: label)
    }

    /// Another key of the same kind for one purpose (NIST SP 800-108 in its simplest form: one block).
    package borrowing func child(of purpose: [UInt8]) -> CodeKey { CodeKey(raw: derive(purpose)) }

    /// The same, to seal with.
    package borrowing func sealingKey(of purpose: [UInt8]) -> SealingKey { SealingKey(raw: derive(purpose)) }

    package borrowing func code(of message: [UInt8]) -> StoredCode {
        var code = [UInt8](repeating: 0, count: Self.length)
        unsafe code.withUnsafeMutableBufferPointer { output in
            guard let base = output.baseAddress else { preconditionFailure("the code has bytes") }
            unsafe hmac(message, into: base)
        }
        return StoredCode(code)
    }

    private borrowing func derive(_ purpose: [UInt8]) -> LockedBuffer {
        let key = LockedBuffer(count: Self.length)
        unsafe key.withUnsafeBase { unsafe hmac(purpose, into: $0.assumingMemoryBound(to: UInt8.self)) }
        return key
    }

    /// The corresponding C function is `HMAC`, which wipes its working memory.
    ///
    /// - SAFETY: `output` has room for 32 bytes.
    @unsafe
    private borrowing func hmac(_ message: [UInt8], into output: UnsafeMutablePointer<UInt8>) {
        SecretStack.run {
            var length: UInt32 = 0
            // SAFETY: the locked buffer holds the 32 key bytes; libcrypto reads them inside this call.
            let isDone = unsafe raw.withUnsafeBase { key in
                unsafe HMAC(EVP_sha256(), key, Int32(Self.length), message, message.count, output, &length) != nil
            }
            precondition(isDone && length == Self.length, "libcrypto has no HMAC-SHA-256")
        }
    }
}

extension LockedBuffer {
    /// 32 bytes: HKDF-Extract with SHA-256 (RFC 5869, 2.2), of which nothing leads back to this secret.
    ///
    /// The corresponding C function is `HMAC`, which wipes its working memory.
    package borrowing func extract(salt: [UInt8]) -> LockedBuffer {
        let key = LockedBuffer(count: CodeKey.length)
        let count = count
        // SAFETY: both buffers hold the bytes that their counts say; libcrypto uses them inside this call.
        let isDone = SecretStack.run {
            unsafe withUnsafeBase { secret in
                unsafe key.withUnsafeBase { output in
                    var length: UInt32 = 0
                    let digest = unsafe output.assumingMemoryBound(to: UInt8.self)
                    let bytes = unsafe secret.assumingMemoryBound(to: UInt8.self)
                    return unsafe HMAC(EVP_sha256(), salt, Int32(salt.count), bytes, count, digest, &length) != nil
                        && length == CodeKey.length
                }
            }
        }
        precondition(isDone, "libcrypto has no HMAC-SHA-256")
        return key
    }

    /// 32 bytes: four encryptions under `master` of the 8-byte label with its last byte counted up from 0.
    init(from master: borrowing DoubleLengthKey, label: StaticString) {
        let label = Array("\(label)".utf8)
        precondition(label.count == DESBlock.length - 1)
        self = SecretStack.run {
            var raw = LockedBuffer(count: 32)
            raw.withMutableSpan { span in
                for part in 0..<UInt8(4) {
                    master.encrypt(DESBlock(label + [part]), into: &span, at: Int(part) * DESBlock.length)
                }
            }
            return raw
        }
    }
}
