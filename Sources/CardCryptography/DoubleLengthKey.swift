/// A two-key triple-DES key of 16 bytes (ISO/IEC 18033-3 TDEA, keying option 2), expanded in locked memory.
package struct DoubleLengthKey: ~Copyable, Sendable {
    package static let length = 16
    package static let zeros = [UInt8](repeating: 0, count: 8)

    private let left: DESKeySchedule
    private let right: DESKeySchedule

    /// Expands the key; the raw bytes are wiped.
    package init(_ raw: consuming LockedBuffer) {
        self = SecretStack.run { Self(expanding: raw) }
    }

    private init(expanding raw: borrowing LockedBuffer) {
        precondition(raw.count == Self.length)
        left = raw.withSpan { DESKeySchedule(key: $0.extracting(..<8)) }
        right = raw.withSpan { DESKeySchedule(key: $0.extracting(8...)) }
    }

    /// The key of the holder of `factor`: 3DES(K, f) followed by 3DES(K, NOT f) (spec/grey-lock.md, section 2).
    ///
    /// - Parameter factor: 8 bytes, the right half of an application serial number.
    package borrowing func child(of factor: [UInt8]) -> DoubleLengthKey {
        SecretStack.run { DoubleLengthKey(expanding: rawChild(of: factor)) }
    }

    /// The TAC key of the holder of `factor`: the child's left half XOR its right half (seed 002, 1.6).
    package borrowing func foldedChild(of factor: [UInt8]) -> SingleLengthKey {
        SecretStack.run {
            var raw = rawChild(of: factor)
            raw.withMutableSpan { span in
                for index in 0..<8 {
                    span[index] ^= span[index + 8]
                }
            }
            return raw.withSpan { SingleLengthKey(expanding: $0.extracting(..<8)) }
        }
    }

    /// 3DES(K, data), 8 bytes, as a session key.
    ///
    /// - Parameter data: 8 bytes.
    package borrowing func sessionKey(from data: [UInt8]) -> SingleLengthKey {
        SecretStack.run {
            var raw = LockedBuffer(count: 8)
            raw.withMutableSpan { encrypt(DESBlock(data), into: &$0, at: 0) }
            return raw.withSpan { SingleLengthKey(expanding: $0) }
        }
    }

    /// ISO/IEC 9797-1 MAC algorithm 3, DES, padding method 2, left 4 bytes of the result.
    ///
    /// - Parameter initial: 8 bytes that the first block is added to; zero but for secure messaging.
    package borrowing func mac(of message: [UInt8], initial: [UInt8] = Self.zeros) -> MAC {
        SecretStack.run {
            var chain = left.chain(over: message.span, from: DESBlock(initial))
            right.decrypt(&chain)
            left.encrypt(&chain)
            return MAC(leftOf: chain)
        }
    }

    /// The left 3 bytes of 3DES(K, eight zero bytes).
    package borrowing func checkValue() -> [UInt8] {
        SecretStack.run {
            var block = DESBlock()
            encrypt(&block)
            return Array(block.bytes.prefix(3))
        }
    }

    /// 3DES(K, block), for GET CHALLENGE based authentication.
    package borrowing func encrypted(_ block: [UInt8]) -> [UInt8] {
        SecretStack.run {
            var block = DESBlock(block)
            encrypt(&block)
            return block.bytes
        }
    }

    /// 3DES(K, secret) of an 8-byte secret.
    package borrowing func encrypted(_ secret: borrowing LockedBuffer) -> [UInt8] {
        precondition(secret.count == DESBlock.length)
        return SecretStack.run {
            var block = DESBlock()
            secret.withSpan { span in
                for index in span.indices {
                    block[index] = span[index]
                }
            }
            encrypt(&block)
            return block.bytes
        }
    }

    /// The secret of which `block`, 8 bytes, is the encryption.
    package borrowing func decrypted(_ block: [UInt8]) -> LockedBuffer {
        SecretStack.run {
            var block = DESBlock(block)
            left.decrypt(&block)
            right.encrypt(&block)
            left.decrypt(&block)
            var secret = LockedBuffer(count: DESBlock.length)
            secret.withMutableSpan { span in
                for index in span.indices {
                    span[index] = block[index]
                }
            }
            return secret
        }
    }

    private borrowing func rawChild(of factor: [UInt8]) -> LockedBuffer {
        var raw = LockedBuffer(count: Self.length)
        raw.withMutableSpan { span in
            encrypt(DESBlock(factor), into: &span, at: 0)
            encrypt(~DESBlock(factor), into: &span, at: 8)
        }
        return raw
    }

    private borrowing func encrypt(_ block: inout DESBlock) {
        left.encrypt(&block)
        right.decrypt(&block)
        left.encrypt(&block)
    }

    /// To be called on the ``SecretStack``, as every function here that is not `package`.
    borrowing func encrypt(_ input: DESBlock, into output: inout MutableSpan<UInt8>, at offset: Int) {
        var block = input
        encrypt(&block)
        for index in 0..<DESBlock.length {
            output[offset + index] = block[index]
        }
    }
}

/// A single DES key of 8 bytes: a session key or a TAC key, expanded in locked memory.
package struct SingleLengthKey: ~Copyable, Sendable {
    private let schedule: DESKeySchedule

    fileprivate init(expanding raw: Span<UInt8>) {
        schedule = DESKeySchedule(key: raw)
    }

    /// Expands the key; the raw bytes are wiped.
    package init(_ raw: consuming LockedBuffer) {
        self = SecretStack.run { raw.withSpan { Self(expanding: $0) } }
    }

    /// DES-CBC, zero IV, padded with `80 00*` in every case, left 4 bytes of the last block
    /// (spec/grey-lock.md, section 2; ISO/IEC 9797-1 MAC algorithm 1, padding method 2).
    package borrowing func mac(of message: [UInt8]) -> MAC { mac(of: message.span) }

    /// The same over bytes that are read where they lie.
    package borrowing func mac(of message: Span<UInt8>) -> MAC {
        SecretStack.run { MAC(leftOf: schedule.chain(over: message, from: DESBlock())) }
    }
}

extension DESKeySchedule {
    /// The last block of DES-CBC over the message padded with `80 00*`.
    fileprivate borrowing func chain(over message: Span<UInt8>, from initial: DESBlock) -> DESBlock {
        var chain = initial
        var offset = 0
        for index in message.indices {
            chain[offset] ^= message[index]
            offset += 1
            if offset == DESBlock.length {
                encrypt(&chain)
                offset = 0
            }
        }
        chain[offset] ^= 0x80
        encrypt(&chain)
        return chain
    }
}
