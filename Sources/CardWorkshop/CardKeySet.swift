package import FuelPassbook
package import Issuer
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

    /// Keys of a key store; its passphrase is asked for.
    ///
    /// - Parameter version: nil for the newest.
    package static func store(_ path: String, _ version: KeyVersion?) throws(ServiceFailure) -> CardKeySet {
        CardKeySet(
            try KeyStoreFile.open(path).masters(version, in: path, whenMissing: ServiceFailure.configuration)
        )
    }

    /// The keys of a key store that a card says it was made with, or else the newest.
    package static func store(_ path: String, ofCard reference: KeyReference) throws(ServiceFailure) -> CardKeySet {
        let store = try KeyStoreFile.open(path)
        return CardKeySet(store[reference] ?? store.newest)
    }

    private init(_ masters: MasterSet) {
        self.init(
            index: masters.reference.index,
            version: masters.reference.version,
            scheme: masters.schemeKeys()
        )
    }

    private init(index: KeyIndex, version: KeyVersion, scheme: consuming SchemeKeys) {
        self.index = index
        self.version = version
        self.scheme = scheme
    }
}

extension KeyStore {
    /// The masters of a version; without one, the newest.
    ///
    /// - Parameters:
    ///   - path: of the store.
    ///   - exitStatus: of the tool, when the store has not this version.
    package func masters(
        _ version: KeyVersion?,
        in path: String,
        whenMissing exitStatus: Int32
    ) throws(ServiceFailure) -> MasterSet {
        guard let version else { return newest }
        guard let found = self[version] else {
            let there = versions.map { "\($0.reference.version.number)" }.joined(separator: ", ")
            throw ServiceFailure(
                exitStatus: exitStatus,
                reason: "\(path) has no version \(version.number): it has \(there)"
            )
        }
        return found
    }
}
