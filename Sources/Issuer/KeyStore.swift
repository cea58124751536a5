package import CardCryptography
package import FuelPassbook
package import KeyCustody

/// The issuer's keys: masters of one index and several versions, and the key of its counters' books. They rest in a file, sealed
/// under a passphrase.
package struct KeyStore: Sendable {
    /// The file has room for no more.
    package static let versionsMax = (KeyStoreContent<IssuerUsage>.keysMax - 1) / MasterKey.allCases.count
    package static let passphraseCharactersMin = 12
    package static let passphraseBytesMax = 128

    /// Which change of the file it is.
    package private(set) var number: StoreNumber
    /// In the order in which they were added.
    package private(set) var versions: [MasterSet]
    private let books: StoredKey<IssuerUsage>

    /// New keys from the system's generator.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    package init(generating reference: KeyReference, at now: Int64) {
        self.init(MasterSet(generating: reference, at: now), books: SystemRandom().secret(CodeKey.length), at: now)
    }

    /// - Parameter books: 32 bytes.
    init(_ first: MasterSet, books: consuming LockedBuffer, at now: Int64) {
        number = .none.next(at: now)
        versions = [first]
        self.books = StoredKey(
            name: StoredKeyName(.books, first.reference),
            cipher: .aes,
            origin: .generated,
            made: first.made,
            dates: StoredKey.Dates(loaded: now, activeFrom: now),
            place: .store(SecretKey(books))
        )
    }

    package var index: KeyIndex { books.name.reference.index }

    /// The one that was added last.
    package var newest: MasterSet { versions[versions.count - 1] }

    package subscript(reference: KeyReference) -> MasterSet? { versions.first { $0.reference == reference } }

    package subscript(version: KeyVersion) -> MasterSet? { self[KeyReference(index: index, version: version)] }

    /// New masters of the same index, from the system's generator.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    package mutating func add(_ version: KeyVersion, at now: Int64) throws(VersionFault) {
        guard self[version] == nil else { throw .isThere(version) }
        guard versions.count < Self.versionsMax else { throw .full }
        versions.append(MasterSet(generating: KeyReference(index: index, version: version), at: now))
        number = number.next(at: now)
    }

    /// What the counters' books call their key: the index and version that the store began with.
    package var bookReference: KeyReference { books.name.reference }

    /// By which the issuer's own books are coded.
    package func bookKey() -> CodeKey { CodeKey(raw: books.bytes) }
}

/// Why a version is not added.
package enum VersionFault: Error, Equatable, Sendable {
    case isThere(KeyVersion)
    case full
}

// MARK: - The file

extension KeyStore {
    /// The file's bytes, with a new salt and nonce each time.
    package func sealed(under passphrase: borrowing LockedBuffer, random: any RandomSource) -> [UInt8] {
        let salt = random.bytes(PassphraseKey.saltLength)
        return KeyStoreContent(versions.flatMap(\.keys) + [books], erased: [])
            .sealed(
                KeyStoreHeader(.issuer(salt: salt), number),
                under: SealingKey(passphrase: passphrase, salt: salt),
                random: random
            )
    }

    /// - Parameters:
    ///   - bytes: a whole file, also one of the format before this.
    ///   - now: seconds of UTC since 1970: when keys of the format before this come into this one.
    package init(
        opening bytes: [UInt8],
        passphrase: borrowing LockedBuffer,
        at now: Int64
    ) throws(KeyStoreFault) {
        try self.init(opening: bytes, SealingKey(passphrase: passphrase, salt: try Self.salt(of: bytes)), at: now)
    }

    /// - Parameter sealing: drawn from the passphrase and the file's salt.
    package init(opening bytes: [UInt8], _ sealing: borrowing SealingKey, at now: Int64) throws(KeyStoreFault) {
        if try FormerKeyStore.isOne(bytes) {
            self = try FormerKeyStore.converted(bytes, sealing, at: now)
        } else {
            let header = try KeyStoreHeader(of: bytes)
            guard case .issuer = header.holder else { throw .isTerminals }
            guard let content = try KeyStoreContent<IssuerUsage>(opening: bytes, header, under: sealing) else {
                throw .passphraseWrongOrAltered
            }
            try self.init(content, header.number)
        }
    }

    /// With which the passphrase opens the file. Refuses what no passphrase opens, before one is asked for.
    package static func salt(of bytes: [UInt8]) throws(KeyStoreFault) -> [UInt8] {
        if try FormerKeyStore.isOne(bytes) { return try FormerKeyStore.salt(of: bytes) }
        guard case .issuer(let salt) = try KeyStoreHeader(of: bytes).holder else { throw .isTerminals }
        return salt
    }

    private init(_ content: KeyStoreContent<IssuerUsage>, _ number: StoreNumber) throws(KeyStoreFault) {
        guard let books = content.keys.last, books.name.usage == .books, books.secret?.raw.count == CodeKey.length,
            content.erased.isEmpty, content.audit == .none
        else { throw .otherFormat }
        let masters = content.keys.dropLast()
        let size = MasterKey.allCases.count
        guard !masters.isEmpty, masters.count.isMultiple(of: size) else { throw .otherFormat }
        versions = []
        for start in stride(from: 0, to: masters.count, by: size) {
            guard let set = MasterSet(Array(masters[start..<start + size])) else { throw .otherFormat }
            guard set.reference.index == books.name.reference.index else { throw .otherFormat }
            versions.append(set)
        }
        self.number = number
        self.books = books
    }
}

extension StoredKey<IssuerUsage> {
    /// Of a key that is in the store, as all of the issuer's are.
    fileprivate var bytes: LockedBuffer {
        guard let secret else { preconditionFailure("the issuer has no token") }
        return secret.raw.part(0..<secret.raw.count)
    }
}
