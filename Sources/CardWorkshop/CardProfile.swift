private import CardApplication
private import CardCryptography
package import FuelPassbook
private import ISO7816
package import Quantities
private import Simulation
package import Terminal

/// What a new card is made of: `board/card.toml` explains each key.
///
/// Neither a key nor a PIN stands in it: it says where they come from.
package struct CardProfile: Sendable {
    package let file: PublicApplicationFile
    package let holder: HolderFile
    package let keys: KeySource
    /// nil for what the keys' source says.
    package let keyIndex: KeyIndex?
    package let keyVersion: KeyVersion?
    /// With the overdraft limit.
    package let balance: Amount
    package let overdraftLimit: OverdraftLimit
    package let pin: PINSource
    package let pinTries: UInt8
    package let gmacTries: UInt8

    package enum PINSource: String, CaseIterable, Sendable {
        /// Typed at the terminal.
        case ask
        case demonstration
    }

    package enum KeySource: Equatable, Sendable {
        case demonstration
        /// The path of a key store.
        case store(String)
    }

    /// Blocks while the file is read.
    ///
    /// - Throws: the first thing that is wrong, as one line.
    package static func load(path: String) throws(ConfigurationError) -> CardProfile {
        try CardProfile(toml: ConfigurationDocument.contents(of: path), file: path)
    }

    /// - Parameter file: the name that stands in an error.
    package init(toml bytes: [UInt8], file: String) throws(ConfigurationError) {
        let document = try ConfigurationDocument(file: file, bytes: bytes)
        let profile = CardProfile(reading: document.root, document)
        try document.finish()
        guard let profile else { preconditionFailure("what is missing has been noted") }
        self = profile
    }

    /// The image of the new card.
    ///
    /// - Throws: when the profile wants keys of another index or version.
    package func image(pin: borrowing PIN, keys: borrowing CardKeySet) throws(ServiceFailure) -> [UInt8] {
        guard keyIndex == nil || keyIndex == keys.index, keyVersion == nil || keyVersion == keys.version else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.configuration,
                reason: """
                    the keys are index \(keys.index.number), version \(keys.version.number): \
                    the profile's key_index and key_version must say the same, or be left out
                    """
            )
        }
        return CardImage(
            personalising: file,
            keyIndex: keys.index,
            keyVersion: keys.version,
            balance: balance,
            overdraftLimit: overdraftLimit,
            holder: holder,
            pin: pin,
            pinTries: pinTries,
            gmacTries: gmacTries,
            keys: CardKeys(card: file.asn, scheme: keys.scheme),
            random: SystemRandom()
        ).bytes
    }
}

// MARK: - Reading

extension CardProfile {
    private static let tries = 1...15
    private static let byte = 0...255

    private init?(reading root: ConfigurationTable, _ document: ConfigurationDocument) {
        let pin = Self.secretive(
            "pin",
            "\"ask\" or \"demonstration\", and never the PIN itself",
            document,
            PINSource.init
        )
        let keys = Self.secretive(
            "keys",
            "\"demonstration\", or the path of a key store with a \"/\" in it, and never a key itself",
            document,
            KeySource.init
        )
        let file = Self.publicFile(reading: root)
        let money = Self.money(reading: root)
        let holder = HolderFile(profile: root.table("holder"))
        let keyIndex = root.optional("key_index", .integer(Self.byte))
        let keyVersion = root.optional("key_version", .integer(Self.byte))
        let pinTries = root.value("pin_tries", .integer(Self.tries), default: Int(Demonstration.pinTries))
        let gmacTries = root.value("gmac_tries", .integer(Self.tries), default: Int(Demonstration.gmacTries))
        guard let pin, let keys, let file, let money, let holder else { return nil }
        self.init(
            file: file,
            holder: holder,
            keys: keys,
            keyIndex: keyIndex.map { KeyIndex(UInt8($0)) },
            keyVersion: keyVersion.map { KeyVersion(UInt8($0)) },
            balance: money.balance,
            overdraftLimit: money.limit,
            pin: pin,
            pinTries: UInt8(pinTries),
            gmacTries: UInt8(gmacTries)
        )
    }

    private init(
        file: PublicApplicationFile,
        holder: HolderFile,
        keys: KeySource,
        keyIndex: KeyIndex?,
        keyVersion: KeyVersion?,
        balance: Amount,
        overdraftLimit: OverdraftLimit,
        pin: PINSource,
        pinTries: UInt8,
        gmacTries: UInt8
    ) {
        self.file = file
        self.holder = holder
        self.keys = keys
        self.keyIndex = keyIndex
        self.keyVersion = keyVersion
        self.balance = balance
        self.overdraftLimit = overdraftLimit
        self.pin = pin
        self.pinTries = pinTries
        self.gmacTries = gmacTries
    }

    /// A text in whose place somebody may have written a secret: what was found is not shown.
    private static func secretive<Word>(
        _ key: String,
        _ expected: String,
        _ document: ConfigurationDocument,
        _ read: (String) -> Word?
    ) -> Word? {
        let any = Setting<ConfigurationValue>(expected: expected) { $0 }
        guard let value = document.root.required(key, any) else { return nil }
        if case .text(let text) = value, let word = read(text) { return word }
        let path = ConfigurationPath.root.appending(.key(key))
        document.skip(path)
        document.note(path, expected, found: "another value, not shown here")
        return nil
    }

    private static func publicFile(reading root: ConfigurationTable) -> PublicApplicationFile? {
        let issuer = root.required("issuer", .issuer)
        let asn = root.required("asn", Setting<ApplicationSerialNumber>.element("20 digits in quotation marks"))
        let validFrom = root.required("valid_from", .date)
        let validTo = root.required("valid_to", .date)
        if let validFrom, let validTo, validTo < validFrom {
            root.noteConflict("valid_to", "a date that is not before valid_from, \(validFrom)")
        }
        guard let issuer, let asn, let validFrom, let validTo else { return nil }
        return PublicApplicationFile(issuer: issuer, asn: asn, validFrom: validFrom, validTo: validTo)
    }

    private static func money(reading root: ConfigurationTable) -> (balance: Amount, limit: OverdraftLimit)? {
        let own = root.required("balance_fen", .integer(0...Int(UInt32.max)))
        let limit = root.value("overdraft_fen", .integer(0...Int(OverdraftLimit.fenMax)), default: 0)
        guard let own else { return nil }
        guard let balance = UInt32(exactly: own + limit) else {
            root.noteConflict("balance_fen", "with overdraft_fen at most \(UInt32.max)")
            return nil
        }
        return (Amount(fen: balance), OverdraftLimit(fen: UInt32(limit)))
    }
}

extension CardProfile.KeySource {
    /// A key written here by mistake has no "/" in it.
    fileprivate init?(_ text: String) {
        if text == "demonstration" {
            self = .demonstration
        } else if text.contains("/") {
            self = .store(text)
        } else {
            return nil
        }
    }
}

extension HolderFile {
    /// The file's fields are filled up with zeros.
    fileprivate init?(profile table: ConfigurationTable) {
        let kind = table.value("kind", .integer(0...255), default: 0)
        let staff = table.value("staff", .truth, default: false)
        let name = table.value("name", .bytes(0...Self.nameLength), default: [])
        let idNumber = table.value("id_number", .bytes(0...Self.idNumberLengths.upperBound), default: [])
        let idKind = table.value("id_kind", .integer(0...255), default: 0)
        self.init(
            kind: UInt8(kind),
            staff: staff ? 1 : 0,
            name: name.filled(to: Self.nameLength),
            idNumber: idNumber.filled(to: Self.idNumberLengths.lowerBound),
            idKind: UInt8(idKind)
        )
    }
}

extension [UInt8] {
    fileprivate func filled(to length: Int) -> [UInt8] {
        self + [UInt8](repeating: 0, count: Swift.max(0, length - count))
    }
}

extension Setting where Value == [UInt8] {
    /// A text by its length in UTF-8.
    fileprivate static func bytes(_ counts: ClosedRange<Int>) -> Setting {
        Setting(expected: "a text of at most \(counts.upperBound) bytes") { value in
            guard case .text(let text) = value, counts.contains(text.utf8.count) else { return nil }
            return Array(text.utf8)
        }
    }

    /// Eight bytes, as they are or in hexadecimal.
    fileprivate static var issuer: Setting {
        Setting(expected: "8 ASCII characters or 16 hexadecimal digits, in quotation marks") { value in
            if case .text(let text) = value, text.utf8.count == 8, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            {
                return Array(text.utf8)
            }
            return Setting.hexadecimal(bytes: 8...8).read(value)
        }
    }
}

extension Setting where Value == CalendarDate {
    fileprivate static var date: Setting {
        Setting(expected: "a date such as \"2030-12-31\", in quotation marks") { value in
            guard case .text(let text) = value else { return nil }
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.map(\.utf8.count) == [4, 2, 2] else { return nil }
            let numbers = parts.compactMap { $0.utf8.allSatisfy(isDigit) ? Int($0) : nil }
            guard numbers.count == 3 else { return nil }
            do throws(ParseError) {
                return try CalendarDate(year: numbers[0], month: numbers[1], day: numbers[2])
            } catch {
                return nil
            }
        }
    }
}

private func isDigit(_ character: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) }
