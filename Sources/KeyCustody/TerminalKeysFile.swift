package import CardCryptography
package import FuelPassbook
import ISO7816
import Quantities

// The file of a terminal's keys: magic "GLKS" 4, format version 3, terminal id 6, number 8, nonce 12, then enciphered: count of
// held keys 1, each of them 69 bytes; count of erased keys 2, each of them 18 bytes; entries of the audit log 8 and its hash 32; tag 16. The tag covers what stands before
// the nonce too. Numbers are big-endian.
//
// A held key: usage 1, index 1, version 1, cipher 1, origin 1, made 7, loaded 8, active from 8 and retired 8 (0 for never),
// length 1, key 32 with zeros behind it; of a key in a token the length is 0 and zeros under the key, 8, stand for it. An erased one: usage 1, index 1, version 1, made 7, erased 8.

/// Why a file's keys cannot be had.
package enum TerminalKeysFault: Error, Equatable, Sendable {
    case noKeyStore
    /// Made by another version of this program, or the bytes that say so were altered.
    case otherFormat
    case truncated
    case otherTerminal(TerminalID)
    /// Altered, or sealed under another storage key: the two cannot be told apart.
    case doesNotOpen
}

extension TerminalKeys {
    private static let magic = Array("GLKS".utf8)
    private static let format: UInt8 = 3
    private static let headerLength = magic.count + 1 + TerminalID.length + 8
    private static let heldLength = 69
    private static let erasedLength = 18
    private static let keyRoom = 32
    package static let fileBytesMax = 65_536

    private var header: [UInt8] { Self.magic + [Self.format] + terminal.bytes + Self.bytes(number.raw) }

    /// The file's bytes, with a new nonce each time.
    package func sealed(under storageKey: borrowing SealingKey, random: any RandomSource) -> [UInt8] {
        header + storageKey.seal(content(), context: header, random: random)
    }

    /// - Parameter bytes: a whole file.
    package init(
        opening bytes: [UInt8],
        under storageKey: borrowing SealingKey,
        of terminal: TerminalID
    ) throws(TerminalKeysFault) {
        guard bytes.starts(with: Self.magic.prefix(bytes.count)), !bytes.isEmpty else { throw .noKeyStore }
        guard bytes.count > Self.headerLength else { throw .truncated }
        guard bytes[Self.magic.count] == Self.format else { throw .otherFormat }
        try Self.require(terminal, in: bytes[(Self.magic.count + 1)...].prefix(TerminalID.length))
        let header = Array(bytes.prefix(Self.headerLength))
        guard let content = storageKey.openSecret(Array(bytes.dropFirst(Self.headerLength)), context: header) else {
            throw .doesNotOpen
        }
        self.init(of: terminal)
        number = StoreNumber(raw: header.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
        // What the storage key sealed was written by this program: another content is another format's.
        do throws(ParseError) { try read(content) } catch { throw .otherFormat }
    }

    private static func require(_ terminal: TerminalID, in bytes: ArraySlice<UInt8>) throws(TerminalKeysFault) {
        let named: TerminalID
        do throws(ParseError) { named = try TerminalID(bytes: bytes) } catch { throw .otherFormat }
        guard named == terminal else { throw .otherTerminal(named) }
    }

    private func content() -> LockedBuffer {
        let lists = 3 + keys.count * Self.heldLength + erased.count * Self.erasedLength
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
                write(Self.bytes(key.name), &content)
                write([key.cipher.code, key.origin.rawValue], &content)
                write(key.made.bytes, &content)
                for time in [key.dates.loaded, key.dates.activeFrom ?? 0, key.dates.retired ?? 0] {
                    write(Self.bytes(UInt64(bitPattern: time)), &content)
                }
                write([UInt8(key.secret?.raw.count ?? 0)], &content)
                Self.write(key.place, &content, at: place)
                place += Self.keyRoom
            }
            write([UInt8(erased.count >> 8), UInt8(erased.count & 0xFF)], &content)
            for key in erased {
                write(Self.bytes(key.name) + key.made.bytes + Self.bytes(UInt64(bitPattern: key.erased)), &content)
            }
            write(Self.bytes(audit.entries) + audit.hash, &content)
        }
        return content
    }

    private mutating func read(_ content: borrowing LockedBuffer) throws(ParseError) {
        var reader = ContentReader(count: content.count)
        let held = Int(try reader.byte(of: content))
        for _ in 0..<held {
            let name = try reader.name(of: content)
            guard
                let cipher = BlockCipherKey.Cipher(code: try reader.byte(of: content)),
                let origin = HeldKey.Origin(rawValue: try reader.byte(of: content))
            else { throw .invalid("key") }
            let made = try TransactionTime(digits: reader.bytes(TransactionTime.length, of: content))
            let times = [try reader.time(of: content), try reader.time(of: content), try reader.time(of: content)]
            let length = Int(try reader.byte(of: content))
            let secret = try reader.take(Self.keyRoom)
            keys.append(
                HeldKey(
                    name: name,
                    cipher: cipher,
                    origin: origin,
                    made: made,
                    dates: HeldKey.Dates(
                        loaded: times[0],
                        activeFrom: times[1] == 0 ? nil : times[1],
                        retired: times[2] == 0 ? nil : times[2]
                    ),
                    place: try Self.place(of: name, cipher, length, in: content, at: secret.lowerBound)
                )
            )
        }
        let gone = Int(try reader.byte(of: content)) << 8 | Int(try reader.byte(of: content))
        for _ in 0..<gone {
            let name = try reader.name(of: content)
            let made = try TransactionTime(digits: reader.bytes(TransactionTime.length, of: content))
            erased.append(ErasedKey(name: name, made: made, erased: try reader.time(of: content)))
        }
        let entries = UInt64(bitPattern: try reader.time(of: content))
        audit = AuditHead(entries: entries, hash: try reader.bytes(SHA256.length, of: content))
        try reader.end()
        try requireRules()
    }

    private static func write(_ place: HeldKey.Place, _ content: inout MutableSpan<UInt8>, at offset: Int) {
        switch place {
        case .store(let secret):
            secret.raw.withSpan { raw in for index in raw.indices { content[offset + index] = raw[index] } }
        case .token(let mark):
            for (index, byte) in mark.bytes.enumerated() { content[offset + index] = byte }
        }
    }

    private static func place(
        of name: HeldKeyName,
        _ cipher: BlockCipherKey.Cipher,
        _ length: Int,
        in content: borrowing LockedBuffer,
        at offset: Int
    ) throws(ParseError) -> HeldKey.Place {
        if length == 0 {
            guard name.usage == .purchaseMaster else { throw .invalid("key") }
            let mark = content.withSpan { content in (offset..<offset + TokenMark.length).map { content[$0] } }
            return .token(TokenMark(bytes: mark))
        }
        guard cipher.keyLengths.contains(length), length <= Self.keyRoom else { throw .invalid("key") }
        return .store(SecretKey(content.part(offset..<offset + length)))
    }

    /// What ``load(_:_:at:)`` holds to.
    private func requireRules() throws(ParseError) {
        func count(_ usage: KeyUsage) -> Int { keys.count { $0.name.usage == usage } }
        guard count(.purchaseMaster) <= Self.mastersMax, count(.transport) <= 1, count(.record) <= 1,
            Set(keys.map(\.name)).count == keys.count, keys.count + erased.count <= Self.namesMax
        else { throw .invalid("key store") }
    }

    private static func bytes(_ name: HeldKeyName) -> [UInt8] {
        [name.usage.rawValue, name.reference.index.number, name.reference.version.number]
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
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

private struct ContentReader {
    private let count: Int
    private var place = 0

    init(count: Int) { self.count = count }

    mutating func take(_ length: Int) throws(ParseError) -> Range<Int> {
        guard count - place >= length else { throw .wrongLength("key store") }
        defer { place += length }
        return place..<place + length
    }

    mutating func bytes(_ length: Int, of content: borrowing LockedBuffer) throws(ParseError) -> [UInt8] {
        let range = try take(length)
        return content.withSpan { content in range.map { content[$0] } }
    }

    mutating func byte(of content: borrowing LockedBuffer) throws(ParseError) -> UInt8 {
        try bytes(1, of: content)[0]
    }

    mutating func time(of content: borrowing LockedBuffer) throws(ParseError) -> Int64 {
        Int64(bitPattern: try bytes(8, of: content).reduce(0) { $0 << 8 | UInt64($1) })
    }

    mutating func name(of content: borrowing LockedBuffer) throws(ParseError) -> HeldKeyName {
        guard let usage = KeyUsage(rawValue: try byte(of: content)) else { throw .invalid("usage") }
        let (index, version) = (KeyIndex(try byte(of: content)), KeyVersion(try byte(of: content)))
        return HeldKeyName(usage, KeyReference(index: index, version: version))
    }

    func end() throws(ParseError) {
        guard place == count else { throw .wrongLength("key store") }
    }
}
