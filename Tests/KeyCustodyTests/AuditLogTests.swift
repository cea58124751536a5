import CardCryptography
import FuelPassbook
import KeyCustody
import Quantities
import Testing

@Suite struct AuditLogTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let now: Int64 = 1_790_000_000
    private static let recordKey = "C1D2E3F405162738495A6B7C8D9EAFB0"
    private static let record = HeldKeyName(.record, KeyReference(index: KeyIndex(1), version: KeyVersion(2)))

    /// Hashes and codes by Python's hashlib and hmac, the key of the codes by OpenSSL's tool.
    private static let known = """
        greylock-audit 1 310000000017 0 0000000000000000000000000000000000000000000000000000000000000000
        1 20260921141320 1790000000.1 load key=RECORD%201%202 check=2005A3 from=block name=%E6%9D%8E%20Na envelope=17 hash=AB15E7E66BF94A68BDEDBF58F9D67D803A1CEF65FD868D23AF819C9E33D64C8E code=1.2.0E4DF67D19489AAD2DC9D9D56F47702F
        2 20260921141320 1790000000.1 stored hash=6891A7D82D8791AC1C6379BBBFD17757F75A81488ED04150A5714EDF69DD4D7E code=1.2.870C9725F74F299FE9CCA210FCC1F5DF
        3 20260921141321 1790000000.2 erase key=RECORD%201%202 reason=lost%3D%22x%22%0A hash=54226970D084002105D419135727170D760E45651B30201F387C6E020292D24B code=1.2.479DE09AC051BDE6A003F0FBF3CEBACD
        4 20260921141321 1790000000.2 stored hash=7542275027FF5D4D66DB9D7B7B4F3BF8119C532DFFA2BA7310C209F30592171F code=1.2.4EA6F3DCC35836CAB8D1CD8E8A850D1A
        """

    private static var auditKey: AuditKey {
        AuditKey(LockedBuffer(hexadecimal: recordKey), as: record.reference)
    }

    /// A record key that is loaded, and erased a second later.
    private func story() throws -> (lines: [String], keys: TerminalKeys, log: AuditLog) {
        var keys = TerminalKeys(of: Self.terminal)
        var log = AuditLog(of: Self.terminal)
        var lines = [log.firstLine]
        func enter(after last: StoreNumber) throws {
            let entered = try #require(keys.enter(into: &log, under: Self.auditKey, after: last))
            lines += entered.lines + [entered.confirmation]
        }
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        let delivery = KeyDelivery(Self.record, .tripleDES, made: made, LockedBuffer(hexadecimal: Self.recordKey))
        let custodian = [AuditFact("name", "李 Na"), AuditFact("envelope", "17")]
        try keys.load(delivery, .block, at: Self.now, custodian)
        try enter(after: .none)
        let last = keys.number
        try keys.erase(Self.record, at: Self.now + 1, [.reason("lost=\"x\"\n")])
        try enter(after: last)
        return (lines, keys, log)
    }

    private func log(_ lines: [String]) throws -> AuditLog {
        try AuditLog(parsing: Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    @Test func linesAreTheKnownOnes() throws {
        let (lines, keys, written) = try story()
        #expect(lines == Self.known.split(separator: "\n").map(String.init))
        let read = try log(lines)
        #expect(read.faults.isEmpty)
        #expect(read.entries == written.entries)
        #expect(read.entries.map(Self.auditKey.isAuthentic) == [true, true, true, true])
        #expect(read.stored == keys.number)
        #expect(read.unstored.isEmpty)
        #expect(read.contains(keys.audit))
        #expect(read.entries[2].facts.last == .reason("lost=\"x\"\n"))
    }

    /// Each character of each line, to one other.
    @Test func anAlteredCharacterIsNoticed() throws {
        let (lines, keys, _) = try story()
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let key = Self.auditKey
        for place in bytes.indices {
            var altered = bytes
            altered[place] ^= 1
            let read: AuditLog
            do throws(AuditFault) { read = try AuditLog(parsing: altered) } catch { continue }
            let isSound =
                read.faults.isEmpty && read.terminal == Self.terminal && read.contains(keys.audit)
                && read.stored == keys.number && read.entries.map(key.isAuthentic).allSatisfy { $0 == true }
            #expect(!isSound, "at byte \(place)")
        }
    }

    @Test func aLineThatIsGoneOrElsewhereIsNoticed() throws {
        let (lines, keys, _) = try story()
        for place in 1...3 {
            var without = lines
            without.remove(at: place)
            #expect(try log(without).faults.map(\.line) == [place + 1])
            var moved = lines
            moved.swapAt(place, place + 1)
            #expect(try !log(moved).faults.isEmpty)
        }
        // A cut-off end is right in itself: who knows the head notices.
        let cut = try log(lines.dropLast(2))
        #expect(cut.faults.isEmpty)
        #expect(!cut.contains(keys.audit))
    }

    /// Who has no record key makes hashes, and no codes.
    @Test func anEntryWithoutItsCodeIsNamed() throws {
        let lines = Array(try story().lines.prefix(3))
        var log = try log(lines)
        var keys = TerminalKeys(of: Self.terminal)
        try keys.load(
            KeyDelivery(
                Self.record,
                .tripleDES,
                made: TransactionTime(secondsSince1970: Int(Self.now)),
                SystemRandom().secret(16)
            ),
            .block,
            at: Self.now
        )
        let last = keys.number
        _ = keys.enter(into: &log, under: nil, after: .none)
        log = try self.log(lines)
        try keys.erase(Self.record, at: Self.now)
        let forged = try #require(keys.enter(into: &log, under: nil, after: last))
        #expect(
            try self.log(lines + forged.lines).faults.map(\.reason) == [
                "it has no code, though the terminal had a record key"
            ]
        )
    }

    /// Who has no record key makes a code under a name that nobody can judge.
    @Test func aCodeUnderAKeyThatWasNeverThereIsNamed() throws {
        let foreign = AuditKey(SystemRandom().secret(16), as: KeyReference(index: KeyIndex(9), version: KeyVersion(9)))
        var log = AuditLog(of: Self.terminal)
        var keys = TerminalKeys(of: Self.terminal)
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        let delivery = KeyDelivery(Self.record, .tripleDES, made: made, SystemRandom().secret(16))
        try keys.load(delivery, .block, at: Self.now)
        let last = keys.number
        let right = try #require(keys.enter(into: &log, under: Self.auditKey, after: .none))
        try keys.erase(Self.record, at: Self.now)
        let forged = try #require(keys.enter(into: &log, under: foreign, after: last))
        let lines = [log.firstLine] + right.lines + [right.confirmation] + forged.lines
        #expect(
            try self.log(lines).faults.map(\.reason) == [
                "its code is under another record key than \(Self.record.words), which was not erased"
            ]
        )
    }

    /// A record key whose load was not stored, as on a full disk, is none that the terminal had.
    @Test(arguments: [false, true])
    func afterARecordKeyThatWasNotStoredOthersFollow(withAnother: Bool) throws {
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        var log = AuditLog(of: Self.terminal)
        var lines = [log.firstLine]
        func enter(_ name: HeldKeyName, _ key: AuditKey?, isStored: Bool) throws {
            var keys = TerminalKeys(of: Self.terminal)
            let delivery = KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(16))
            try keys.load(delivery, .block, at: Self.now)
            let entered = try #require(keys.enter(into: &log, under: key, after: .none))
            lines += entered.lines + (isStored ? [entered.confirmation] : [])
            log = try self.log(lines)
        }
        try enter(Self.record, Self.auditKey, isStored: false)
        let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(7))
        let other = withAnother ? AuditKey(SystemRandom().secret(16), as: reference) : nil
        try enter(HeldKeyName(withAnother ? .record : .transport, reference), other, isStored: true)
        #expect(log.faults.map(\.reason) == [])
        #expect(log.unstored.map(\.number) == [1])
    }

    @Test func anotherKeyOrTerminalMakesOtherCodes() throws {
        let read = try log(try story().lines)
        let other = AuditKey(SystemRandom().secret(16), as: Self.record.reference)
        #expect(read.entries.map(other.isAuthentic) == [false, false, false, false])
        let elsewhere = AuditKey(
            LockedBuffer(hexadecimal: Self.recordKey),
            as: KeyReference(index: KeyIndex(1), version: KeyVersion(3))
        )
        #expect(read.entries.map(elsewhere.isAuthentic) == [nil, nil, nil, nil])
    }

    /// Who has an older store makes changes with numbers that were stored already.
    @Test func changesOfAnOlderStoreAreNamed() throws {
        var (lines, _, log) = try story()
        var older = TerminalKeys(of: Self.terminal)
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        let delivery = KeyDelivery(Self.record, .tripleDES, made: made, LockedBuffer(hexadecimal: Self.recordKey))
        try older.load(delivery, .block, at: Self.now)
        lines += try #require(older.enter(into: &log, under: Self.auditKey, after: .none)).lines
        let fault = try #require(try self.log(lines).faults.first)
        #expect(fault.line == 6)
        #expect(fault.reason == "change 1 had been stored: it was made on an older copy of the store")
    }

    @Test func aChangeThatWasNotStoredIsFollowedByAnotherOfItsNumber() throws {
        var keys = TerminalKeys(of: Self.terminal)
        var log = AuditLog(of: Self.terminal)
        var lines = [log.firstLine]
        for version in UInt8(1)...2 {
            var attempt = keys
            let name = HeldKeyName(.record, KeyReference(index: KeyIndex(1), version: KeyVersion(version)))
            let made = try TransactionTime(secondsSince1970: Int(Self.now))
            try attempt.load(KeyDelivery(name, .tripleDES, made: made, SystemRandom().secret(16)), .block, at: Self.now)
            let entered = try #require(attempt.enter(into: &log, under: nil, after: .none))
            lines += entered.lines
            if version == 2 {
                lines.append(entered.confirmation)
                keys = attempt
            } else {
                log = try self.log(lines)
            }
        }
        let read = try self.log(lines)
        #expect(read.faults.isEmpty)
        #expect(read.unstored.map(\.number) == [1])
        #expect(read.contains(keys.audit))
    }

    /// There is no store to have it in; what was begun before is named all the same.
    @Test func anErasureOfAllIsNoChangeThatWasNotStored() throws {
        var (lines, keys, log) = try story()
        let last = keys.number
        let made = try TransactionTime(secondsSince1970: Int(Self.now + 2))
        let delivery = KeyDelivery(Self.record, .tripleDES, made: made, SystemRandom().secret(16))
        try keys.load(delivery, .block, at: Self.now + 2)
        lines += try #require(keys.enter(into: &log, under: nil, after: last)).lines
        log = try self.log(lines)
        lines.append(log.noteErasure([.reason("sold")], left: [], at: Self.now + 3))
        let read = try self.log(lines)
        #expect(read.faults.isEmpty && read.entries.last?.action == "erase-all")
        #expect(read.unstored.map(\.action) == ["load"])
    }

    /// A number beyond all that a terminal's life has.
    @Test(arguments: [UInt64.max, 1 << 32])
    func aBeginBeyondAllNumbersIsRefused(_ entries: UInt64) {
        let text = "greylock-audit 1 310000000017 \(entries) \(String(repeating: "0", count: 64))\n"
        #expect(throws: AuditFault.self) { try AuditLog(parsing: Array(text.utf8)) }
    }

    @Test(arguments: ["", "\n", "greylock-audit 1\n", "GLKS\u{1}\n", "greylock-audit 2 310000000017 0 00\n"])
    func whatIsNoLogIsRefused(_ text: String) {
        #expect(throws: AuditFault.self) { try AuditLog(parsing: Array(text.utf8)) }
    }
}
