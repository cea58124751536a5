import CardCryptography
package import FuelPassbook
package import KeyCustody
import Quantities

// 230 bytes: magic "GLKS" 4, format 1, scrypt's log2 N, r and p 1 each, salt 16, key index 1, key version 1, nonce 12, the 11 keys in
// the order of MasterKey enciphered 176, tag 16. The tag covers what stands before the nonce too.

/// The issuer's store as it was when it had one version: read once, and never written.
package enum FormerKeyStore {
    private static let indexOffset = KeyStoreHeader.magic.count + 1 + KeyStoreHeader.scryptCost.count + saltLength
    private static let saltLength = PassphraseKey.saltLength
    private static let headerLength = indexOffset + 2
    private static let fileLength = headerLength + SealingKey.nonceLength + MasterKey.allBytes + SealingKey.tagLength

    /// - Throws: ``KeyStoreFault`` of what is no key store at all.
    package static func isOne(_ bytes: [UInt8]) throws(KeyStoreFault) -> Bool {
        try KeyStoreHeader.format(of: bytes) == .formerIssuers
    }

    static func salt(of bytes: [UInt8]) throws(KeyStoreFault) -> [UInt8] {
        guard bytes.count >= fileLength else { throw .truncated }
        let cost = bytes[(KeyStoreHeader.magic.count + 1)...].prefix(KeyStoreHeader.scryptCost.count)
        guard cost.elementsEqual(KeyStoreHeader.scryptCost) else { throw .otherFormat }
        return Array(bytes[(indexOffset - saltLength)..<indexOffset])
    }

    /// The same keys. The key of the books is what was drawn from them for the books that there are.
    static func converted(
        _ bytes: [UInt8],
        _ sealing: borrowing SealingKey,
        at now: Int64
    ) throws(KeyStoreFault) -> KeyStore {
        _ = try salt(of: bytes)
        let header = Array(bytes[..<headerLength])
        guard let raw = sealing.openSecret(Array(bytes[headerLength...]), context: header),
            raw.count == MasterKey.allBytes
        else { throw .passphraseWrongOrAltered }
        let reference = KeyReference(
            index: KeyIndex(header[indexOffset]),
            version: KeyVersion(header[indexOffset + 1])
        )
        return KeyStore(converting: SchemeKeys(raw), reference, at: now)
    }
}

extension KeyStore {
    /// Keys that had no dates and no key for books.
    package init(converting scheme: borrowing SchemeKeys, _ reference: KeyReference, at now: Int64) {
        self.init(
            MasterSet(reference, scheme, made: .unknown, at: now),
            books: scheme.raw.extract(salt: Array("GL-BOOKS".utf8)),
            at: now
        )
    }
}
