package import FuelPassbook
private import Issuer
package import Threads

/// The master keys that a virtual card is made with, and what the card calls them.
package struct CardKeySet: ~Copyable {
    package let index: KeyIndex
    package let version: KeyVersion
    package let scheme: SchemeKeys

    package static var demonstration: CardKeySet {
        CardKeySet(
            index: Demonstration.keyIndex,
            version: Demonstration.keyVersion,
            scheme: Demonstration.schemeKeys
        )
    }

    /// The keys of a key store; its passphrase is asked for.
    package static func store(_ path: String) throws(ServiceFailure) -> CardKeySet {
        let store = try KeyStoreFile.open(path)
        return CardKeySet(index: store.index, version: store.version, scheme: store.schemeKeys())
    }

    private init(index: KeyIndex, version: KeyVersion, scheme: consuming SchemeKeys) {
        self.index = index
        self.version = version
        self.scheme = scheme
    }
}
