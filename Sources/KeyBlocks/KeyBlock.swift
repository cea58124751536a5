package import CardCryptography
private import ISO7816

// A key block of ANSI X9.143 (before: TR-31) binds a key to its header: what may be done with it, and for whom, holds as
// long as the code over both. Versions A and C encipher first and code the result, with two variants of the transport
// key; B and D code first and use the code as initial value, with two keys derived from it.

extension KeyBlockHeader.Version {
    package var cipher: BlockCipherKey.Cipher {
        switch self {
        case .a, .b, .c: .tripleDES
        case .d: .aes
        }
    }

    var blockLength: Int { cipher.blockLength }

    fileprivate var codeLength: Int {
        switch self {
        case .a, .c: 4
        case .b: 8
        case .d: 16
        }
    }
}

/// The key that wraps and unwraps others: both sides of a transport have it (KBPK in the standard).
package struct TransportKey: ~Copyable, Sendable {
    /// What goes into the 9,999 characters of a block, whatever else is in it.
    package static let keyLengthMax = 4_096

    private enum Keys: Sendable {
        /// The variants are of versions A and C.
        case tripleDES(derived: BlockKeys, variants: BlockKeys)
        case aes(BlockKeys)
    }

    package let cipher: BlockCipherKey.Cipher
    private let keys: Keys
    private let value: [UInt8]

    /// - Parameter raw: of one of the cipher's lengths.
    package init(_ cipher: BlockCipherKey.Cipher, _ raw: borrowing LockedBuffer) {
        let master = BlockCipherKey(cipher, raw)
        self.cipher = cipher
        let derived = BlockKeys(derivedFrom: master)
        keys =
            switch cipher {
            case .tripleDES: .tripleDES(derived: derived, variants: BlockKeys(variantsOf: raw))
            case .aes: .aes(derived)
            }
        value = master.checkValue()
    }

    package borrowing func checkValue() -> [UInt8] { value }

    /// A block's text: upper-case ASCII.
    ///
    /// - Parameter key: at most ``keyLengthMax`` bytes.
    /// - Throws: `.cipher`, `.tooLong`.
    package borrowing func wrap(
        _ key: borrowing LockedBuffer,
        _ header: KeyBlockHeader,
        random: any RandomSource
    ) throws(KeyBlockError) -> String {
        let keys = try keys(header.version)
        guard key.count <= Self.keyLengthMax else { throw .tooLong }
        let clear = Self.framed(key, header.version, random)
        let text = try header.text(followedBy: 2 * (clear.count + header.version.codeLength))
        return String(decoding: text, as: UTF8.self) + Hex.string(keys.sealed(text, clear, header.version))
    }

    /// The key and what its header says of it. Nothing of the header is believed before the code is right.
    package borrowing func unwrap(_ block: String) throws(KeyBlockError) -> UnwrappedKey {
        let text = Array(block.utf8)
        let (header, length) = try KeyBlockHeader.parsing(text)
        let version = header.version
        let body = try Self.bytes(block.dropFirst(length))
        let count = body.count - version.codeLength
        guard count >= version.blockLength, count.isMultiple(of: version.blockLength) else { throw .malformed(.length) }
        guard let clear = try keys(version).opened(Array(text.prefix(length)), body, version) else {
            throw .codeIsWrong
        }
        return UnwrappedKey(header, try Self.key(in: clear))
    }

    private borrowing func keys(_ version: KeyBlockHeader.Version) throws(KeyBlockError) -> BlockKeys {
        switch (version, keys) {
        case (.a, .tripleDES(_, let variants)), (.c, .tripleDES(_, let variants)): return variants
        case (.b, .tripleDES(let derived, _)), (.d, .aes(let derived)): return derived
        case (.a, .aes), (.b, .aes), (.c, .aes), (.d, .tripleDES): throw .cipher(version)
        }
    }

    /// Of upper-case digits alone.
    private static func bytes(_ text: Substring) throws(KeyBlockError) -> [UInt8] {
        guard text.utf8.allSatisfy(KeyBlockHeader.isAlphanumeric) else { throw .malformed(.character) }
        do throws(ParseError) { return try Hex.bytes(text) } catch { throw .malformed(.character) }
    }
}

/// What a block held, its code right.
package struct UnwrappedKey: ~Copyable, Sendable {
    package let header: KeyBlockHeader
    package let key: LockedBuffer

    fileprivate init(_ header: KeyBlockHeader, _ key: consuming LockedBuffer) {
        self.header = header
        self.key = key
    }

    package consuming func take() -> LockedBuffer { key }
}

// MARK: - The enciphered part

extension TransportKey {
    /// The length in bits, 2 bytes, the key, and random bytes that hide how long the key is: as many as the longest of
    /// the ciphers' keys has, to whole blocks.
    private static func framed(
        _ key: borrowing LockedBuffer,
        _ version: KeyBlockHeader.Version,
        _ random: any RandomSource
    ) -> LockedBuffer {
        let unit = version.blockLength
        let count = (2 + max(key.count, version.cipher.keyLengthMax) + unit - 1) / unit * unit
        var clear = LockedBuffer(count: count)
        let padding = random.bytes(count - 2 - key.count)
        let bits = UInt16(8 * key.count)
        key.withSpan { key in
            clear.withMutableSpan { clear in
                (clear[0], clear[1]) = (UInt8(bits >> 8), UInt8(bits & 0xFF))
                for index in key.indices { clear[2 + index] = key[index] }
                for index in padding.indices { clear[2 + key.count + index] = padding[index] }
            }
        }
        return clear
    }

    private static func key(in clear: borrowing LockedBuffer) throws(KeyBlockError) -> LockedBuffer {
        let bits = clear.withSpan { Int($0[0]) << 8 | Int($0[1]) }
        guard bits > 0, bits.isMultiple(of: 8), bits / 8 <= clear.count - 2 else { throw .malformed(.key) }
        return clear.part(2..<2 + bits / 8)
    }
}

/// The two keys that a block is made with.
private final class BlockKeys: Sendable {
    private let encryption: BlockCipherKey
    private let code: BlockCipherKey

    init(variantsOf raw: borrowing LockedBuffer) {
        encryption = BlockCipherKey(.tripleDES, Self.variant(raw, of: UInt8(ascii: "E")))
        code = BlockCipherKey(.tripleDES, Self.variant(raw, of: UInt8(ascii: "M")))
    }

    init(derivedFrom master: borrowing BlockCipherKey) {
        encryption = BlockCipherKey(master.cipher, Self.derived(from: master, usage: 0))
        code = BlockCipherKey(master.cipher, Self.derived(from: master, usage: 1))
    }

    private static func variant(_ raw: borrowing LockedBuffer, of letter: UInt8) -> LockedBuffer {
        var variant = raw.part(0..<raw.count)
        variant.withMutableSpan { for index in $0.indices { $0[index] ^= letter } }
        return variant
    }

    /// NIST SP 800-108 in counter mode with CMAC (X9.143, 7.3.3 and 7.4.3): counter, usage 2 bytes, zero, algorithm 2
    /// bytes, length in bits 2 bytes.
    private static func derived(from master: borrowing BlockCipherKey, usage: UInt8) -> LockedBuffer {
        let length = master.keyLength
        let algorithm =
            switch master.cipher {
            case .tripleDES: UInt8(length / 8 - 2)
            case .aes: UInt8(length / 8)
            }
        let bits = UInt16(8 * length)
        var key = LockedBuffer(count: length)
        for (number, start) in stride(from: 0, to: length, by: master.cipher.blockLength).enumerated() {
            let part = master.cmac(
                of: [UInt8(number + 1), 0, usage, 0, 0, algorithm, UInt8(bits >> 8), UInt8(bits & 0xFF)]
            )
            key.withMutableSpan { key in
                part.withSpan { part in
                    for index in part.indices where start + index < length { key[start + index] = part[index] }
                }
            }
        }
        return key
    }

    func sealed(_ header: [UInt8], _ clear: borrowing LockedBuffer, _ version: KeyBlockHeader.Version) -> [UInt8] {
        switch version {
        case .a, .c:
            let text = encryption.encryptedCBC(clear, initial: Array(header.prefix(version.blockLength)))
            return text + codeOfEnciphered(header + text, version)
        case .b, .d:
            let code = codeOfClear(header, clear)
            return encryption.encryptedCBC(clear, initial: code) + code
        }
    }

    /// nil when the code is not right.
    func opened(_ header: [UInt8], _ body: [UInt8], _ version: KeyBlockHeader.Version) -> LockedBuffer? {
        let (text, code) = (Array(body.dropLast(version.codeLength)), Array(body.suffix(version.codeLength)))
        switch version {
        case .a, .c:
            guard ConstantTime.isEqual(codeOfEnciphered(header + text, version), code) else { return nil }
            return encryption.decryptedCBC(text, initial: Array(header.prefix(version.blockLength)))
        case .b, .d:
            let clear = encryption.decryptedCBC(text, initial: code)
            guard ConstantTime.isEqual(codeOfClear(header, clear), code) else { return nil }
            return clear
        }
    }

    /// The left 4 bytes of the last block of CBC.
    private func codeOfEnciphered(_ message: [UInt8], _ version: KeyBlockHeader.Version) -> [UInt8] {
        var message = message
        let unit = version.blockLength
        let last = code.encryptedCBC(LockedBuffer(wiping: &message), initial: [UInt8](repeating: 0, count: unit))
        return Array(last.suffix(unit).prefix(version.codeLength))
    }

    private func codeOfClear(_ header: [UInt8], _ clear: borrowing LockedBuffer) -> [UInt8] {
        var message = LockedBuffer(count: header.count + clear.count)
        clear.withSpan { clear in
            message.withMutableSpan { message in
                for index in header.indices { message[index] = header[index] }
                for index in clear.indices { message[header.count + index] = clear[index] }
            }
        }
        return code.cmac(of: message).withSpan { span in span.indices.map { span[$0] } }
    }
}
