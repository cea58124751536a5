package import CardCryptography
package import FuelPassbook
import ISO7816

/// The issuer's master keys of one index and version. They rest in a file, sealed under a passphrase.
///
/// The file, 230 bytes: magic "GLKS" 4, format version 1, scrypt's log2 N, r and p 1 each, salt 16, key index 1, key
/// version 1, nonce 12, the 11 keys in the order of ``MasterKey`` enciphered 176, tag 16. The tag covers what stands
/// before the nonce too.
package struct KeyStore: ~Copyable, Sendable {
    package static let fileLength = headerLength + SealingKey.nonceLength + MasterKey.allBytes + SealingKey.tagLength
    package static let passphraseCharactersMin = 12
    package static let passphraseBytesMax = 128

    private static let magic = Array("GLKS".utf8)
    private static let format: [UInt8] = [
        1, PassphraseKey.costExponent, PassphraseKey.blockSize, PassphraseKey.parallelism,
    ]
    private static let saltOffset = magic.count + format.count
    private static let indexOffset = saltOffset + PassphraseKey.saltLength
    private static let headerLength = indexOffset + 2

    package let index: KeyIndex
    package let version: KeyVersion
    package let keys: SchemeKeys

    /// New keys from the system's generator.
    package init(generating index: KeyIndex, version: KeyVersion) {
        self.init(index: index, version: version, SchemeKeys(SystemRandom().secret(MasterKey.allBytes)))
    }

    package init(index: KeyIndex, version: KeyVersion, _ keys: consuming SchemeKeys) {
        self.index = index
        self.version = version
        self.keys = keys
    }

    /// - Parameter bytes: a whole file.
    package init(opening bytes: [UInt8], passphrase: borrowing LockedBuffer) throws(KeyStoreError) {
        try Self.check(bytes)
        let salt = Array(bytes[Self.saltOffset..<Self.indexOffset])
        try self.init(opening: bytes, sealing: SealingKey(passphrase: passphrase, salt: salt))
    }

    /// - Parameter sealing: drawn from the passphrase and the file's salt.
    package init(opening bytes: [UInt8], sealing: borrowing SealingKey) throws(KeyStoreError) {
        try Self.check(bytes)
        let header = Array(bytes[..<Self.headerLength])
        guard
            let keys = sealing.openSecret(Array(bytes[Self.headerLength...]), context: header),
            keys.count == MasterKey.allBytes
        else { throw .passphraseWrongOrAltered }
        index = KeyIndex(header[Self.indexOffset])
        version = KeyVersion(header[Self.indexOffset + 1])
        self.keys = SchemeKeys(keys)
    }

    /// Refuses what no passphrase opens, before one is asked for.
    package static func check(_ bytes: [UInt8]) throws(KeyStoreError) {
        guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .notAKeyStore }
        guard bytes.count >= fileLength else { throw .truncated }
        guard bytes[magic.count..<saltOffset].elementsEqual(format) else { throw .otherFormat }
    }

    /// The file's bytes, with a new salt and nonce each time.
    package borrowing func sealed(under passphrase: borrowing LockedBuffer, random: any RandomSource) -> [UInt8] {
        let salt = random.bytes(PassphraseKey.saltLength)
        let header = Self.magic + Self.format + salt + [index.number, version.number]
        return header + SealingKey(passphrase: passphrase, salt: salt).seal(keys.raw, context: header, random: random)
    }

    /// 3 bytes by which the key's owners recognise it.
    package borrowing func checkValue(of master: MasterKey) -> [UInt8] { keys[master].checkValue() }

    /// A terminal's MPK, 16 bytes with odd parity.
    package borrowing func purchaseMaster() -> LockedBuffer {
        let start = MasterKey.purchase.rawValue * DoubleLengthKey.length
        var master = keys.raw.part(start..<start + DoubleLengthKey.length)
        master.setOddParity()
        return master
    }

    /// The record key of a terminal, 16 bytes with odd parity: the same whenever it is asked for, so that the issuer keeps it by
    /// keeping this store.
    package borrowing func recordKey(of terminal: TerminalID) -> LockedBuffer {
        var key = keys.raw.extract(salt: Array("GL-RECORD".utf8) + terminal.bytes).part(0..<DoubleLengthKey.length)
        key.setOddParity()
        return key
    }

    /// By which the issuer's own books are coded.
    package borrowing func bookKey() -> CodeKey { CodeKey(raw: keys.raw.extract(salt: Array("GL-BOOKS".utf8))) }

    package consuming func schemeKeys() -> SchemeKeys { keys }
}

/// Why a file's keys cannot be had.
package enum KeyStoreError: Error, Equatable, Sendable {
    case notAKeyStore
    /// Made by another version of this program, or the bytes that say so were altered.
    case otherFormat
    case truncated
    /// The two cannot be told apart.
    case passphraseWrongOrAltered
}

extension KeyStoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notAKeyStore: "is no key store"
        case .otherFormat: "is a key store of another format"
        case .truncated: "is cut short: use a copy of the key store"
        case .passphraseWrongOrAltered:
            "does not open: the passphrase is wrong, or the file was altered; try again, then use a copy of it"
        }
    }
}
