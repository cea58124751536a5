package import CardCryptography
package import FuelPassbook
import ISO7816
import KeyCustody
package import Quantities

/// The issuer's masters of one index and version.
package struct MasterSet: Sendable {
    package let reference: KeyReference
    package let made: TransactionTime
    /// One of each master, in their order.
    let keys: [StoredKey<IssuerUsage>]
    private let secrets: [SecretKey]

    init(generating reference: KeyReference, at now: Int64) {
        self.init(
            reference,
            SchemeKeys(SystemRandom().secret(MasterKey.allBytes)),
            made: TransactionTime(utc: now),
            at: now
        )
    }

    /// - Parameter now: since when they are in the store, seconds of UTC since 1970.
    init(_ reference: KeyReference, _ scheme: borrowing SchemeKeys, made: TransactionTime, at now: Int64) {
        self.reference = reference
        self.made = made
        var secrets: [SecretKey] = []
        for master in MasterKey.allCases {
            let start = master.rawValue * DoubleLengthKey.length
            secrets.append(SecretKey(scheme.raw.part(start..<start + DoubleLengthKey.length)))
        }
        self.secrets = secrets
        keys = zip(MasterKey.allCases, secrets)
            .map { master, secret in
                StoredKey(
                    name: StoredKeyName(.master(master), reference),
                    cipher: .tripleDES,
                    origin: .generated,
                    made: made,
                    dates: StoredKey.Dates(loaded: now, activeFrom: now),
                    place: .store(secret)
                )
            }
    }

    /// nil where it is not one of each master, in their order, of one index and version.
    init?(_ keys: [StoredKey<IssuerUsage>]) {
        guard let first = keys.first, keys.map(\.name.usage) == MasterKey.allCases.map(IssuerUsage.master),
            keys.allSatisfy({ $0.name.reference == first.name.reference })
        else { return nil }
        secrets = keys.compactMap(\.secret).filter { $0.raw.count == DoubleLengthKey.length }
        guard secrets.count == keys.count else { return nil }
        self.keys = keys
        reference = first.name.reference
        made = first.made
    }

    /// 3 bytes by which the key's owners recognise it.
    package func checkValue(of master: MasterKey) -> [UInt8] { keys[master.rawValue].checkValue() }

    /// A terminal's MPK, 16 bytes with odd parity.
    package func purchaseMaster() -> LockedBuffer {
        var master = secrets[MasterKey.purchase.rawValue].raw.part(0..<DoubleLengthKey.length)
        master.setOddParity()
        return master
    }

    /// The record key of a terminal, 16 bytes with odd parity: the same whenever it is asked for, so that the issuer keeps it by
    /// keeping this store.
    package func recordKey(of terminal: TerminalID) -> LockedBuffer {
        let raw = schemeKeys().raw.extract(salt: Array("GL-RECORD".utf8) + terminal.bytes)
        var key = raw.part(0..<DoubleLengthKey.length)
        key.setOddParity()
        return key
    }

    /// All of them, in locked memory of their own.
    package func schemeKeys() -> SchemeKeys {
        var raw = LockedBuffer(count: MasterKey.allBytes)
        raw.withMutableSpan { span in
            for (place, secret) in secrets.enumerated() {
                secret.raw.withSpan { key in
                    for index in key.indices { span[place * DoubleLengthKey.length + index] = key[index] }
                }
            }
        }
        return SchemeKeys(raw)
    }
}
