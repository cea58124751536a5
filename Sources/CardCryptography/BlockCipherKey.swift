private import COpenSSL

/// A key of a block cipher, expanded in locked memory: triple DES of two or three keys (NIST SP 800-67) or AES
/// (FIPS 197). It protects other keys; cards never see one.
package struct BlockCipherKey: ~Copyable, Sendable {
    package enum Cipher: Sendable {
        case tripleDES, aes

        package var blockLength: Int {
            switch self {
            case .tripleDES: 8
            case .aes: 16
            }
        }

        package var keyLengthMax: Int {
            switch self {
            case .tripleDES: 24
            case .aes: 32
            }
        }

        package var keyLengths: [Int] {
            switch self {
            case .tripleDES: [16, 24]
            case .aes: [16, 24, 32]
            }
        }
    }

    package let cipher: Cipher
    package let keyLength: Int
    /// Three of DES, or one of AES for each direction.
    private let schedules: LockedBuffer

    /// - Parameter raw: of one of the cipher's lengths; parity bits are ignored.
    package init(_ cipher: Cipher, _ raw: borrowing LockedBuffer) {
        precondition(cipher.keyLengths.contains(raw.count))
        self.cipher = cipher
        keyLength = raw.count
        schedules = SecretStack.run { Self.expanded(cipher, raw) }
    }

    /// The CMAC of the message (NIST SP 800-38B), a whole block: a code, or key material.
    package borrowing func cmac(of message: borrowing LockedBuffer) -> LockedBuffer {
        SecretStack.run { chained(message) }
    }

    package borrowing func cmac(of message: [UInt8]) -> LockedBuffer {
        var secret = LockedBuffer(count: message.count)
        secret.withMutableSpan { for index in $0.indices { $0[index] = message[index] } }
        return cmac(of: secret)
    }

    /// CBC (NIST SP 800-38A).
    ///
    /// - Parameters:
    ///   - plain: whole blocks.
    ///   - initial: one block.
    package borrowing func encryptedCBC(_ plain: borrowing LockedBuffer, initial: [UInt8]) -> [UInt8] {
        let length = cipher.blockLength
        precondition(plain.count.isMultiple(of: length) && initial.count == length)
        return SecretStack.run {
            var text = [UInt8](repeating: 0, count: plain.count)
            var block = LockedBuffer(count: length)
            plain.withSpan { plain in
                block.withMutableSpan { block in
                    for index in block.indices { block[index] = initial[index] }
                    for start in stride(from: 0, to: plain.count, by: length) {
                        for index in block.indices { block[index] ^= plain[start + index] }
                        apply(&block, encrypting: true)
                        for index in block.indices { text[start + index] = block[index] }
                    }
                }
            }
            return text
        }
    }

    /// - Parameters:
    ///   - text: one whole block or more.
    ///   - initial: one block.
    package borrowing func decryptedCBC(_ text: [UInt8], initial: [UInt8]) -> LockedBuffer {
        let length = cipher.blockLength
        precondition(text.count.isMultiple(of: length) && initial.count == length)
        return SecretStack.run {
            var plain = LockedBuffer(count: text.count)
            var block = LockedBuffer(count: length)
            plain.withMutableSpan { plain in
                block.withMutableSpan { block in
                    for start in stride(from: 0, to: text.count, by: length) {
                        for index in block.indices { block[index] = text[start + index] }
                        apply(&block, encrypting: false)
                        for index in block.indices {
                            let before = start == 0 ? initial[index] : text[start - length + index]
                            plain[start + index] = block[index] ^ before
                        }
                    }
                }
            }
            return plain
        }
    }

    /// What custodians compare: of triple DES the left 3 bytes of an encrypted zero block, of AES the left 5 bytes of
    /// the CMAC of one (ANSI X9.24-1:2017, annex A).
    package borrowing func checkValue() -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: cipher.blockLength)
        switch cipher {
        case .tripleDES: return Array(encryptedCBC(LockedBuffer(count: zeros.count), initial: zeros).prefix(3))
        case .aes: return cmac(of: zeros).withSpan { span in (0..<5).map { span[$0] } }
        }
    }
}

// MARK: - To be called on the secret stack

extension BlockCipherKey {
    private static func expanded(_ cipher: Cipher, _ raw: borrowing LockedBuffer) -> LockedBuffer {
        switch cipher {
        case .tripleDES:
            let schedules = LockedBuffer(count: 3 * MemoryLayout<DES_key_schedule>.stride)
            // SAFETY: each of the three blocks lies within the key's bytes, and each schedule within the buffer.
            unsafe raw.withUnsafeBase { raw in
                unsafe schedules.withUnsafeBase { base in
                    let keys = unsafe raw.assumingMemoryBound(to: const_DES_cblock.self)
                    let schedules = unsafe base.assumingMemoryBound(to: DES_key_schedule.self)
                    unsafe DES_set_key_unchecked(keys, schedules)
                    unsafe DES_set_key_unchecked(keys + 1, schedules + 1)
                    unsafe DES_set_key_unchecked(keys, schedules + 2)
                }
            }
            guard raw.count == 24 else { return schedules }
            // SAFETY: as above, of the third key.
            unsafe raw.withUnsafeBase { raw in
                unsafe schedules.withUnsafeBase { base in
                    unsafe DES_set_key_unchecked(
                        raw.assumingMemoryBound(to: const_DES_cblock.self) + 2,
                        base.assumingMemoryBound(to: DES_key_schedule.self) + 2
                    )
                }
            }
            return schedules
        case .aes:
            let schedules = LockedBuffer(count: 2 * MemoryLayout<AES_KEY>.stride)
            let bits = Int32(8 * raw.count)
            // SAFETY: libcrypto reads the key's bytes and writes one schedule each, within the buffer.
            let isDone = unsafe raw.withUnsafeBase { raw in
                unsafe schedules.withUnsafeBase { base in
                    let key = unsafe raw.assumingMemoryBound(to: UInt8.self)
                    let schedules = unsafe base.assumingMemoryBound(to: AES_KEY.self)
                    return unsafe AES_set_encrypt_key(key, bits, schedules) == 0
                        && AES_set_decrypt_key(key, bits, schedules + 1) == 0
                }
            }
            precondition(isDone, "libcrypto has no AES")
            return schedules
        }
    }

    /// One block in its place.
    private borrowing func apply(_ block: inout MutableSpan<UInt8>, encrypting: Bool) {
        precondition(block.count == cipher.blockLength)
        unsafe block.withUnsafeMutableBufferPointer { block in
            guard let block = block.baseAddress else { preconditionFailure("a block has bytes") }
            // SAFETY: the block has the cipher's length; the schedules are those of `expanded`.
            unsafe schedules.withUnsafeBase { base in
                switch cipher {
                case .tripleDES:
                    let schedules = unsafe base.assumingMemoryBound(to: DES_key_schedule.self)
                    let raw = UnsafeMutableRawPointer(block)
                    unsafe DES_ecb3_encrypt(
                        raw.assumingMemoryBound(to: const_DES_cblock.self),
                        raw.assumingMemoryBound(to: DES_cblock.self),
                        schedules,
                        schedules + 1,
                        schedules + 2,
                        encrypting ? DES_ENCRYPT : DES_DECRYPT
                    )
                case .aes:
                    let schedules = unsafe base.assumingMemoryBound(to: AES_KEY.self)
                    if encrypting {
                        unsafe AES_encrypt(block, block, schedules)
                    } else {
                        unsafe AES_decrypt(block, block, schedules + 1)
                    }
                }
            }
        }
    }

    private borrowing func chained(_ message: borrowing LockedBuffer) -> LockedBuffer {
        let length = cipher.blockLength
        var subkey = LockedBuffer(count: length)
        subkey.withMutableSpan { apply(&$0, encrypting: true) }
        let isWhole = message.count.isMultiple(of: length)
        double(&subkey)
        if !isWhole { double(&subkey) }
        var chain = LockedBuffer(count: length)
        let lastStart = (message.count - 1) / length * length
        message.withSpan { message in
            subkey.withSpan { subkey in
                chain.withMutableSpan { chain in
                    for start in stride(from: 0, to: lastStart, by: length) {
                        for index in chain.indices { chain[index] ^= message[start + index] }
                        apply(&chain, encrypting: true)
                    }
                    for index in lastStart..<message.count { chain[index - lastStart] ^= message[index] }
                    if !isWhole { chain[message.count - lastStart] ^= 0x80 }
                    for index in chain.indices { chain[index] ^= subkey[index] }
                    apply(&chain, encrypting: true)
                }
            }
        }
        return chain
    }

    /// Times x in the field of the block's length (NIST SP 800-38B, 6.1).
    private borrowing func double(_ block: inout LockedBuffer) {
        let reduction: UInt8 =
            switch cipher {
            case .tripleDES: 0x1B
            case .aes: 0x87
            }
        block.withMutableSpan { block in
            var carry: UInt8 = 0
            for index in block.indices.reversed() {
                let out = block[index] >> 7
                block[index] = block[index] << 1 | carry
                carry = out
            }
            block[block.count - 1] ^= reduction & (0 &- carry)
        }
    }
}
