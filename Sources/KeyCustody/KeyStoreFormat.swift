package import CardCryptography
package import FuelPassbook
import ISO7816
import Quantities

// A key store's file, whoever holds it. Numbers are big-endian.
//
// In clear: magic "GLKS" 4, holder and format 1, then, of
//
//     3, a terminal: terminal id 6, number 8;
//     4, an issuer: scrypt's log2 N, r and p 1 each, salt 16, number 8.
//
// (1 was an issuer's with one version: FormerKeyStore.) Behind it: nonce 12, the content under AES-256-GCM, tag 16, which covers what
// stands in clear too. A terminal's storage key opens it, or what an issuer's passphrase gives.
//
// Content: count of keys 1, each of them 69 bytes; count of erased keys 2, each of them 18 bytes; entries of the audit log 8 and its
// hash 32, zeros where there is no log.
//
// A key: usage 1, index 1, version 1, cipher 1, origin 1, made 7, loaded 8, active from 8 and retired 8 (0 for never), length 1,
// key 32 with zeros behind it; of a key in a token the length is 0 and zeros under the key, 8, stand for it. An erased one:
// usage 1, index 1, version 1, made 7, erased 8.
//
// Usages: 1 TRANSPORT and 2 RECORD, a terminal's; 3 MPK, of both; 4 to 13 the other masters, and 14 the key of the counters' books,
// the issuer's alone. Ciphers: 1 triple DES, 2 AES. Origins: 1 components, 2 a key block, 3 generated.

/// Why a file's keys cannot be had.
package enum KeyStoreFault: Error, Equatable, Sendable {
    case noKeyStore
    /// Made by another version of this program, or the bytes that say so were altered.
    case otherFormat
    case truncated
    /// Where an issuer's is expected.
    case isTerminals
    /// Where a terminal's is expected.
    case isIssuers
    case otherTerminal(TerminalID, expected: TerminalID)
    /// Altered, or sealed under another storage key: the two cannot be told apart.
    case storageKeyWrongOrAltered
    /// As little.
    case passphraseWrongOrAltered
    /// A key that its holder must not have, by its name.
    case foreignKey(String)
}

/// What a store's file says in clear.
package struct KeyStoreHeader: Equatable, Sendable {
    package enum Holder: Equatable, Sendable {
        case terminal(TerminalID)
        /// - Parameter salt: 16 bytes, to draw the sealing key with.
        case issuer(salt: [UInt8])
    }

    /// The byte behind the magic.
    package enum Format: UInt8, Sendable {
        case formerIssuers = 1
        case terminals = 3
        case issuers = 4
    }

    package static let magic = Array("GLKS".utf8)
    /// log2 N, r and p.
    package static let scryptCost = [
        PassphraseKey.costExponent, PassphraseKey.blockSize, PassphraseKey.parallelism,
    ]
    private static let numberLength = 8

    package let holder: Holder
    package let number: StoreNumber

    package init(_ holder: Holder, _ number: StoreNumber) {
        self.holder = holder
        self.number = number
    }

    /// - Parameter bytes: a file, or its begin.
    package init(of bytes: [UInt8]) throws(KeyStoreFault) {
        var rest = bytes.dropFirst(Self.magic.count + 1)
        func take(_ count: Int) throws(KeyStoreFault) -> [UInt8] {
            guard rest.count >= count else { throw .truncated }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        switch try Self.format(of: bytes) {
        case .formerIssuers: throw .isIssuers
        case .terminals:
            let id = try take(TerminalID.length)
            do throws(ParseError) { holder = .terminal(try TerminalID(bytes: id[...])) } catch { throw .otherFormat }
        case .issuers:
            guard try take(Self.scryptCost.count) == Self.scryptCost else { throw .otherFormat }
            holder = .issuer(salt: try take(PassphraseKey.saltLength))
        }
        number = StoreNumber(raw: try take(Self.numberLength).reduce(0) { $0 << 8 | UInt64($1) })
        guard !rest.isEmpty else { throw .truncated }
    }

    package static func format(of bytes: [UInt8]) throws(KeyStoreFault) -> Format {
        guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .noKeyStore }
        guard bytes.count > magic.count else { throw .truncated }
        guard let format = Format(rawValue: bytes[magic.count]) else { throw .otherFormat }
        return format
    }

    var bytes: [UInt8] {
        let holder =
            switch holder {
            case .terminal(let terminal): [Format.terminals.rawValue] + terminal.bytes
            case .issuer(let salt): [Format.issuers.rawValue] + Self.scryptCost + salt
            }
        return Self.magic + holder + number.raw.bigEndianBytes
    }
}

/// What is sealed in a store's file.
package struct KeyStoreContent<Usage: StoreUsage>: Sendable {
    /// As many as their count has room for.
    package static var keysMax: Int { Int(UInt8.max) }

    package let keys: [StoredKey<Usage>]
    package let erased: [ErasedKey<Usage>]
    package let audit: AuditHead

    package init(_ keys: [StoredKey<Usage>], erased: [ErasedKey<Usage>], audit: AuditHead = .none) {
        self.keys = keys
        self.erased = erased
        self.audit = audit
    }

    /// The file's bytes, with a new nonce each time.
    package func sealed(
        _ header: KeyStoreHeader,
        under key: borrowing SealingKey,
        random: any RandomSource
    ) -> [UInt8] {
        header.bytes + key.seal(encoded(), context: header.bytes, random: random)
    }

    /// - Parameters:
    ///   - bytes: a whole file.
    ///   - header: that it begins with.
    /// - Returns: nil for what was altered, or sealed under another key.
    package init?(
        opening bytes: [UInt8],
        _ header: KeyStoreHeader,
        under key: borrowing SealingKey
    ) throws(KeyStoreFault) {
        let context = header.bytes
        guard let content = key.openSecret(Array(bytes.dropFirst(context.count)), context: context) else { return nil }
        var reader = ContentReader(count: content.count)
        keys = try Self.keys(in: content, &reader)
        erased = try Self.erased(in: content, &reader)
        let entries = UInt64(bitPattern: try reader.time(of: content))
        audit = AuditHead(entries: entries, hash: try reader.bytes(SHA256.length, of: content))
        try reader.end()
        guard Set(keys.map(\.name)).count == keys.count else { throw .otherFormat }
    }
}

// MARK: - The bytes

private let heldLength = 69
private let erasedLength = 18
private let keyRoom = 32

extension KeyStoreContent {
    private func encoded() -> LockedBuffer {
        precondition(keys.count <= Self.keysMax)
        let lists = 3 + keys.count * heldLength + erased.count * erasedLength
        var content = LockedBuffer(count: lists + 8 + SHA256.length)
        content.withMutableSpan { content in
            var place = 0
            func write(_ bytes: [UInt8], _ content: inout MutableSpan<UInt8>) {
                for byte in bytes {
                    content[place] = byte
                    place += 1
                }
            }
            write([UInt8(keys.count)], &content)
            for key in keys {
                write(key.name.bytes + [key.cipher.code, key.origin.rawValue] + key.made.bytes, &content)
                for time: Int64 in [key.dates.loaded, key.dates.activeFrom ?? 0, key.dates.retired ?? 0] {
                    write(UInt64(bitPattern: time).bigEndianBytes, &content)
                }
                write([UInt8(key.secret?.raw.count ?? 0)], &content)
                key.place.write(into: &content, at: place)
                place += keyRoom
            }
            write([UInt8(erased.count >> 8), UInt8(erased.count & 0xFF)], &content)
            for key in erased {
                write(key.name.bytes + key.made.bytes + UInt64(bitPattern: key.erased).bigEndianBytes, &content)
            }
            write(audit.entries.bigEndianBytes + audit.hash, &content)
        }
        return content
    }

    private static func keys(
        in content: borrowing LockedBuffer,
        _ reader: inout ContentReader
    ) throws(KeyStoreFault) -> [StoredKey<Usage>] {
        var keys: [StoredKey<Usage>] = []
        for _ in 0..<(try reader.byte(of: content)) {
            let name: StoredKeyName<Usage> = try reader.name(of: content)
            guard
                let cipher = BlockCipherKey.Cipher(code: try reader.byte(of: content)),
                let origin = StoredKey<Usage>.Origin(rawValue: try reader.byte(of: content))
            else { throw .otherFormat }
            let made = try reader.made(of: content)
            let times = [try reader.time(of: content), try reader.time(of: content), try reader.time(of: content)]
            let length = Int(try reader.byte(of: content))
            let room = try reader.take(keyRoom)
            let place: StoredKey<Usage>.Place
            if length == 0 {
                let mark = content.withSpan { content in room.prefix(TokenMark.length).map { content[$0] } }
                place = .token(TokenMark(bytes: mark))
            } else {
                guard cipher.keyLengths.contains(length), length <= keyRoom else { throw .otherFormat }
                place = .store(SecretKey(content.part(room.prefix(length))))
            }
            keys.append(
                StoredKey(
                    name: name,
                    cipher: cipher,
                    origin: origin,
                    made: made,
                    dates: StoredKey.Dates(
                        loaded: times[0],
                        activeFrom: times[1] == 0 ? nil : times[1],
                        retired: times[2] == 0 ? nil : times[2]
                    ),
                    place: place
                )
            )
        }
        return keys
    }

    private static func erased(
        in content: borrowing LockedBuffer,
        _ reader: inout ContentReader
    ) throws(KeyStoreFault) -> [ErasedKey<Usage>] {
        let count = Int(try reader.byte(of: content)) << 8 | Int(try reader.byte(of: content))
        var erased: [ErasedKey<Usage>] = []
        for _ in 0..<count {
            let name: StoredKeyName<Usage> = try reader.name(of: content)
            let made = try reader.made(of: content)
            erased.append(ErasedKey(name: name, made: made, erased: try reader.time(of: content)))
        }
        return erased
    }
}

extension StoredKey.Place {
    fileprivate func write(into content: inout MutableSpan<UInt8>, at offset: Int) {
        switch self {
        case .store(let secret):
            secret.raw.withSpan { raw in for index in raw.indices { content[offset + index] = raw[index] } }
        case .token(let mark):
            for (index, byte) in mark.bytes.enumerated() { content[offset + index] = byte }
        }
    }
}

extension StoredKeyName {
    fileprivate var bytes: [UInt8] { [usage.rawValue, reference.index.number, reference.version.number] }
}

extension UInt64 {
    fileprivate var bigEndianBytes: [UInt8] { (0..<8).reversed().map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}

extension BlockCipherKey.Cipher {
    fileprivate var code: UInt8 {
        switch self {
        case .tripleDES: 1
        case .aes: 2
        }
    }

    fileprivate init?(code: UInt8) {
        switch code {
        case 1: self = .tripleDES
        case 2: self = .aes
        case _: return nil
        }
    }
}

/// What was sealed was written by this program: another content is another format's.
private struct ContentReader {
    private let count: Int
    private var place = 0

    init(count: Int) { self.count = count }

    mutating func take(_ length: Int) throws(KeyStoreFault) -> Range<Int> {
        guard count - place >= length else { throw .otherFormat }
        defer { place += length }
        return place..<place + length
    }

    mutating func bytes(_ length: Int, of content: borrowing LockedBuffer) throws(KeyStoreFault) -> [UInt8] {
        let range = try take(length)
        return content.withSpan { content in range.map { content[$0] } }
    }

    mutating func byte(of content: borrowing LockedBuffer) throws(KeyStoreFault) -> UInt8 {
        try bytes(1, of: content)[0]
    }

    mutating func time(of content: borrowing LockedBuffer) throws(KeyStoreFault) -> Int64 {
        Int64(bitPattern: try bytes(8, of: content).reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func made(of content: borrowing LockedBuffer) throws(KeyStoreFault) -> TransactionTime {
        let digits = try bytes(TransactionTime.length, of: content)
        do throws(ParseError) { return try TransactionTime(digits: digits) } catch { throw .otherFormat }
    }

    /// A usage that others have is refused by its name.
    mutating func name<Usage: StoreUsage>(
        of content: borrowing LockedBuffer
    ) throws(KeyStoreFault) -> StoredKeyName<Usage> {
        let number = try byte(of: content)
        let (index, version) = (KeyIndex(try byte(of: content)), KeyVersion(try byte(of: content)))
        let reference = KeyReference(index: index, version: version)
        if let usage = Usage(rawValue: number) { return StoredKeyName(usage, reference) }
        if let usage = KeyUsage(rawValue: number) { throw .foreignKey(StoredKeyName(usage, reference).words) }
        if let usage = IssuerUsage(rawValue: number) { throw .foreignKey(StoredKeyName(usage, reference).words) }
        throw .otherFormat
    }

    func end() throws(KeyStoreFault) {
        guard place == count else { throw .otherFormat }
    }
}

extension KeyStoreFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noKeyStore: "is no key store: name another file"
        case .otherFormat: "is a key store of another format: this program writes another version"
        case .truncated: "is cut short: use a copy of the key store; a terminal without one loads its keys again"
        case .isTerminals: "is a terminal's key store: name the issuer's"
        case .isIssuers: "is an issuer's key store: name the terminal's, which is a file of its own"
        case .otherTerminal(let other, let expected): "holds the keys of terminal \(other), and this is \(expected)"
        case .storageKeyWrongOrAltered:
            "does not open: the storage key is another than the one that sealed it, or the file was altered"
        case .passphraseWrongOrAltered:
            "does not open: the passphrase is wrong, or the file was altered; try again, then use a copy of it"
        case .foreignKey(let name): "holds \(name), which is not its holder's to have: use a copy of the key store"
        }
    }
}
