import CardCryptography
import Foundation
import FuelPassbook
import ISO7816
import Issuer
import KeyCustody
import Quantities
import Testing

/// Files that another program made: `Vectors/key_stores.py` says how.
@Suite struct KeyStoreFormatTests {
    private static let passphrase = "correct horse battery"
    private static let now: Int64 = 1_795_680_000

    private let terminal = TerminalID(0x3100_0000_0017)
    private let vectors: [String: [[String]]]

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/key-stores.txt")
        var vectors: [String: [[String]]] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            vectors[words[0], default: []].append(Array(words.dropFirst()))
        }
        self.vectors = vectors
    }

    // MARK: - The issuer's

    @Test func anIssuersFileOpens() throws {
        let store = try issuers("issuer")
        #expect(store.index == KeyIndex(5) && store.versions.map(\.reference.version) == [1, 2].map { KeyVersion($0) })
        #expect(store.number == StoreNumber(raw: UInt64(Self.now) << 32 | 2))
        #expect(store.newest.reference.version == KeyVersion(2))
        #expect(store.newest.made.description == "2026-11-26 08:00:00")
        #expect(store[KeyVersion(1)] != nil && store[KeyVersion(3)] == nil)
        try expect(store, "issuer")
    }

    /// Bit by bit, salt and nonce being those of the other program.
    @Test func anIssuersFileIsWrittenAlike() throws {
        let file = try bytes("issuer")
        let random = Fixed(Array(file[8..<24] + file[32..<44]))
        #expect(try issuers("issuer").sealed(under: locked(Self.passphrase), random: random) == file)
    }

    /// What the program wrote when a store had one version: the same keys, the same record key, and the books go on.
    @Test func aFormerFileIsConverted() throws {
        let former = try issuers("former")
        #expect(try FormerKeyStore.isOne(bytes("former")) && former.number.change == 1)
        try expect(former, "former")
        var store = former
        try store.add(KeyVersion(10), at: Self.now)
        let file = store.sealed(under: locked(Self.passphrase), random: SystemRandom())
        let converted = try KeyStore(opening: file, passphrase: locked(Self.passphrase), at: 0)
        #expect(try !FormerKeyStore.isOne(file) && converted.number.change == 2 && converted.versions.count == 2)
        #expect(converted.bookReference == KeyReference(index: KeyIndex(7), version: KeyVersion(9)))
        let first = try #require(converted[KeyVersion(9)])
        #expect(first.made == .unknown)
        try expect(converted, "former")
    }

    /// Every bit and every cut.
    @Test(arguments: ["issuer", "former"])
    func anAlteredFileDoesNotOpen(name: String) throws {
        let file = try bytes(name)
        let sealing = SealingKey(passphrase: locked(Self.passphrase), salt: try KeyStore.salt(of: file))
        func expectRefused(_ bytes: [UInt8], _ words: String) {
            do throws(KeyStoreFault) {
                _ = try KeyStore(opening: bytes, sealing, at: Self.now)
                Issue.record("taken: \(words)")
            } catch {}
        }
        for place in file.indices {
            for bit in 0..<8 {
                var altered = file
                altered[place] ^= 1 << UInt8(bit)
                expectRefused(altered, "byte \(place), bit \(bit)")
            }
            expectRefused(Array(file[..<place]), "\(place) bytes")
        }
        expectRefused(file + [0], "one byte more")
    }

    /// Sealed with the right key: it opens to what another issuer may have, or is refused.
    @Test func anyContentIsTakenOrRefused() throws {
        let file = try bytes("issuer")
        let sealing = SealingKey(passphrase: locked(Self.passphrase), salt: try KeyStore.salt(of: file))
        let header = Array(file[..<32])
        let opened = sealing.open(Array(file[32...]), context: header)
        let content = try #require(opened)
        var random = SystemRandomNumberGenerator()
        var taken = 0
        for _ in 0..<5_000 {
            var other = content
            for _ in 0...Int.random(in: 0...2, using: &random) {
                // Also the count of keys.
                let places = Int.random(in: 0...3, using: &random) == 0 ? 0..<1 : other.indices
                other[Int.random(in: places, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { other.removeLast(Int.random(in: 0..<other.count, using: &random)) }
            let sealed = header + sealing.seal(other, context: header, random: SystemRandom())
            do throws(KeyStoreFault) {
                let store = try KeyStore(opening: sealed, sealing, at: Self.now)
                #expect(store.versions.count == 2)
                taken += 1
            } catch {
                switch error {
                case .otherFormat, .foreignKey: break
                default: Issue.record("\(error)")
                }
            }
        }
        // Keys and dates may be any.
        #expect((1..<5_000).contains(taken))
    }

    /// No tool erases a version: a file that has an erased key is another format's.
    @Test func anIssuersFileHasNoErasedKey() throws {
        let file = try bytes("issuer")
        let sealing = SealingKey(passphrase: locked(Self.passphrase), salt: try KeyStore.salt(of: file))
        let header = Array(file[..<32])
        let opened = sealing.open(Array(file[32...]), context: header)
        var content = try #require(opened)
        let count = 1 + Int(content[0]) * 69
        content[count + 1] = 1
        content.insert(contentsOf: [3, 5, 7] + content[6..<13] + [UInt8](repeating: 1, count: 8), at: count + 2)
        let sealed = header + sealing.seal(content, context: header, random: SystemRandom())
        #expect(throws: KeyStoreFault.otherFormat) { _ = try KeyStore(opening: sealed, sealing, at: Self.now) }
    }

    @Test func aStoreHolds23Versions() throws {
        var store = KeyStore(generating: KeyReference(index: KeyIndex(1), version: KeyVersion(1)), at: Self.now)
        let record = store.newest.recordKey(of: terminal)
        #expect(throws: VersionFault.isThere(KeyVersion(1))) { try store.add(KeyVersion(1), at: Self.now) }
        for version in 2...23 { try store.add(KeyVersion(UInt8(version)), at: Self.now + Int64(version)) }
        #expect(throws: VersionFault.full) { try store.add(KeyVersion(24), at: Self.now) }
        let sealing = SealingKey(raw: SystemRandom().secret(32))
        let file = store.sealed(under: locked(Self.passphrase), random: SystemRandom())
        let opened = try KeyStore(opening: file, passphrase: locked(Self.passphrase), at: Self.now)
        #expect(opened.number.change == 23 && opened.newest.reference.version == KeyVersion(23))
        #expect(Set(opened.versions.map { $0.checkValue(of: .load) }).count == 23)
        let first = try #require(opened[KeyVersion(1)])
        let isSame = first.recordKey(of: terminal).isEqual(to: record)
        let isNewestsToo = opened.newest.recordKey(of: terminal).isEqual(to: record)
        #expect(isSame && !isNewestsToo)
        #expect(throws: KeyStoreFault.passphraseWrongOrAltered) {
            _ = try KeyStore(opening: file, sealing, at: Self.now)
        }
    }

    // MARK: - A terminal's

    @Test func aTerminalsFileOpensAndIsWrittenAlike() throws {
        let file = try bytes("terminal")
        let key = try storageKey()
        let keys = try TerminalKeys(opening: file, under: key, of: terminal)
        #expect(keys.number == StoreNumber(raw: UInt64(Self.now) << 32 | 9))
        #expect(keys.keys.map(\.name.words) == ["TRANSPORT 0 1", "RECORD 5 1", "MPK 5 1", "MPK 5 2"])
        #expect(keys.keys.map { Hex.string($0.checkValue()) } == vectors["terminal.checks"]?.first)
        #expect(keys.keys.map { $0.dates.state(at: Self.now) } == [.active, .active, .loaded, .retired])
        #expect(keys.keys.map { $0.secret == nil } == [false, false, false, true])
        #expect(keys.erased.map(\.name.words) == ["MPK 5 0"] && keys.erased.first?.erased == Self.now + 1)
        #expect(keys.audit == AuditHead(entries: 7, hash: try bytes("terminal.log")))
        #expect(keys.sealed(under: key, random: Fixed(Array(file[19..<31]))) == file)
    }

    // MARK: - The other's

    @Test func theOthersFileIsRefusedByName() throws {
        let passphrase = locked(Self.passphrase)
        let terminals = try bytes("terminal")
        #expect(throws: KeyStoreFault.isTerminals) {
            _ = try KeyStore(opening: terminals, passphrase: passphrase, at: Self.now)
        }
        let key = try storageKey()
        for name in ["issuer", "former"] {
            let issuers = try bytes(name)
            #expect(throws: KeyStoreFault.isIssuers) {
                _ = try TerminalKeys(opening: issuers, under: key, of: terminal)
            }
        }
    }

    /// Sealed with the terminal's own storage key.
    @Test func aTerminalTakesNoMasterOfTheIssuers() throws {
        let key = try storageKey()
        let file = try bytes("foreign")
        #expect(throws: KeyStoreFault.foreignKey("MULK 5 1")) {
            _ = try TerminalKeys(opening: file, under: key, of: terminal)
        }
        for master in MasterKey.allCases where master != .purchase {
            #expect(KeyUsage(rawValue: IssuerUsage.master(master).rawValue) == nil, "\(master)")
        }
        #expect(IssuerUsage.master(.purchase).rawValue == KeyUsage.purchaseMaster.rawValue)
        #expect(KeyUsage(rawValue: IssuerUsage.books.rawValue) == nil && IssuerUsage.books.rawValue == 14)
    }

    // MARK: -

    /// That the store has these versions first, and this key for books.
    private func expect(_ store: KeyStore, _ name: String) throws {
        let checks = try #require(vectors[name + ".checks"])
        let keys = zip(try #require(vectors[name + ".mpk"]), try #require(vectors[name + ".record"]))
        #expect(store.versions.count >= checks.count)
        for (set, (checks, (mpk, record))) in zip(store.versions, zip(checks, keys)) {
            #expect(MasterKey.allCases.map { Hex.string(set.checkValue(of: $0)) } == checks)
            let isMPK = set.purchaseMaster().isEqual(to: LockedBuffer(hexadecimal: mpk[0]))
            let isRecordKey = set.recordKey(of: terminal).isEqual(to: LockedBuffer(hexadecimal: record[0]))
            #expect(isMPK && isRecordKey)
            let scheme = set.schemeKeys()
            #expect(MasterKey.allCases.map { Hex.string(scheme[$0].checkValue()) } == checks)
        }
        #expect(store.bookKey().code(of: Array("greylock".utf8)).bytes == (try bytes(name + ".book")))
    }

    private func issuers(_ name: String) throws -> KeyStore {
        try KeyStore(opening: bytes(name), passphrase: locked(Self.passphrase), at: Self.now)
    }

    private func storageKey() throws -> SealingKey {
        SealingKey(raw: LockedBuffer(hexadecimal: try #require(vectors["terminal.key"]?.first?.first)))
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        try Hex.bytes(try #require(vectors[name]?.first?.first))
    }

    private func locked(_ text: String) -> LockedBuffer {
        var bytes = Array(text.utf8)
        return LockedBuffer(wiping: &bytes)
    }

    /// Hands out these bytes, once.
    private final class Fixed: RandomSource {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func bytes(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }
}
