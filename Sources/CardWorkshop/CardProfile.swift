private import CardApplication
private import CardCryptography
package import Configuration
package import FuelPassbook
private import ISO7816
package import Quantities
package import Threads

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
        self = try ConfigurationDocument(file: file, bytes: bytes).read(CardProfile.init)
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
    private init(reading root: ConfigurationTable) {
        pin = root.secretive("pin", .pin)
        keys = root.secretive("keys", .keys)
        file = PublicApplicationFile(profile: root)
        let limit = root.value("overdraft_fen", .integer(0...Int(OverdraftLimit.fenMax)), default: 0)
        overdraftLimit = OverdraftLimit(fen: UInt32(limit))
        balance = Self.balance(reading: root, limit)
        holder = HolderFile(profile: root.table("holder"))
        keyIndex = root.optional("key_index", Setting.byte().map { KeyIndex($0) })
        keyVersion = root.optional("key_version", Setting.byte().map { KeyVersion($0) })
        pinTries = root.value("pin_tries", .byte(1...15), default: Demonstration.pinTries)
        gmacTries = root.value("gmac_tries", .byte(1...15), default: Demonstration.gmacTries)
    }

    /// - Parameter limit: of the overdraft, in fen.
    private static func balance(reading root: ConfigurationTable, _ limit: Int) -> Amount {
        let own = root.value("balance_fen", .integer(0...Int(UInt32.max)))
        guard let balance = UInt32(exactly: own + limit) else {
            root.noteConflict("balance_fen", "with overdraft_fen at most \(UInt32.max)")
            return Amount(fen: 0)
        }
        return Amount(fen: balance)
    }
}

extension PublicApplicationFile {
    fileprivate init(profile root: ConfigurationTable) {
        self.init(
            issuer: root.value("issuer", .issuer),
            asn: root.value("asn", .serialNumber),
            validFrom: root.value("valid_from", .date),
            validTo: root.value("valid_to", .date)
        )
        if root.isSound, validTo < validFrom {
            root.noteConflict("valid_to", "a date that is not before valid_from, \(validFrom)")
        }
    }
}

extension Setting where Value == CardProfile.PINSource {
    fileprivate static var pin: Setting {
        Setting(expected: "\"ask\" or \"demonstration\", and never the PIN itself", standIn: .ask, word.read)
    }
}

extension Setting where Value == CardProfile.KeySource {
    fileprivate static var keys: Setting {
        Setting(
            expected: "\"demonstration\", or the path of a key store with a \"/\" in it, and never a key itself",
            standIn: .demonstration
        ) { value in
            guard case .text(let text) = value else { return nil }
            return CardProfile.KeySource(text)
        }
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
    fileprivate init(profile table: ConfigurationTable) {
        let name = table.value("name", .bytes(0...Self.nameLength), default: [])
        let idNumber = table.value("id_number", .bytes(0...Self.idNumberLengths.upperBound), default: [])
        self.init(
            kind: table.value("kind", .byte(), default: 0),
            staff: table.value("staff", .truth, default: false) ? 1 : 0,
            name: name.filled(to: Self.nameLength),
            idNumber: idNumber.filled(to: Self.idNumberLengths.lowerBound),
            idKind: table.value("id_kind", .byte(), default: 0)
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
        Setting(expected: "a text of at most \(counts.upperBound) bytes", standIn: []) { value in
            guard case .text(let text) = value, counts.contains(text.utf8.count) else { return nil }
            return Array(text.utf8)
        }
    }

    /// Eight bytes, as they are or in hexadecimal.
    fileprivate static var issuer: Setting {
        Setting(
            expected: "8 ASCII characters or 16 hexadecimal digits, in quotation marks",
            standIn: Demonstration.applicationFile.issuer
        ) { value in
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
        Setting(
            expected: "a date such as \"2030-12-31\", in quotation marks",
            standIn: Demonstration.applicationFile.validFrom
        ) { value in
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
