import CardCryptography
import FuelPassbook
import ISO7816
import KeyCustody
import Quantities
import Testing

@Suite struct TerminalKeysTests {
    private let terminal = TerminalID(0x1122_3344_5566)
    private let now: Int64 = 1_790_000_000

    // MARK: - What is held

    @Test func aMasterSellsFromItsDayUntilItIsRetired() throws {
        var keys = TerminalKeys(of: terminal)
        let name = mpk(1, 1)
        try keys.load(delivery(name), .block, at: now)
        #expect(keys[name]?.dates.state(at: now) == .loaded)
        try keys.activate(name, from: now + 10, at: now)
        #expect(keys[name]?.dates.state(at: now + 9) == .loaded)
        #expect(keys[name]?.dates.state(at: now + 10) == .active)
        #expect(keys[name]?.dates.state(at: nil) == .loaded)
        try keys.retire(name, at: now + 20)
        #expect(keys[name]?.dates.state(at: now + 20) == .retired)
        #expect(keys[name]?.dates.state(at: nil) == .retired)
        #expect(throws: CustodyFault.retired(name)) { try keys.activate(name, from: now + 30, at: now) }
        try keys.erase(name, at: now + 30)
        #expect(keys[name]?.dates.state(at: now) == nil)
        #expect(throws: CustodyFault.missing(name)) { try keys.erase(name, at: now) }
    }

    @Test func whatWasHeldDoesNotComeBack() throws {
        var keys = TerminalKeys(of: terminal)
        let name = mpk(1, 1)
        try keys.load(delivery(name, day: 2), .block, at: now)
        #expect(throws: CustodyFault.held(name)) { try keys.load(delivery(name, day: 3), .block, at: now) }
        try keys.erase(name, at: now)
        let made = try time(day: 2)
        for day in [1, 2] {
            #expect(throws: CustodyFault.older(name, made: made)) {
                try keys.load(delivery(name, day: day), .block, at: now)
            }
        }
        try keys.load(delivery(name, day: 3), .block, at: now)
    }

    /// One of the year 2099 would make every later block of that name an older one.
    @Test func aBlockOfTheFutureIsRefused() throws {
        var keys = TerminalKeys(of: terminal)
        let day: Int64 = 86_400
        for seconds in [day + 1, 30 * day, 2_000_000_000] {
            let made = TransactionTime(utc: now + seconds)
            #expect(throws: CustodyFault.future(mpk(1, 1), made: made)) {
                try keys.load(delivery(mpk(1, 1), made: made), .block, at: now)
            }
        }
        #expect(keys.number == .none && keys.keys.isEmpty)
        try keys.load(delivery(mpk(1, 1), made: TransactionTime(utc: now + day)), .block, at: now)
    }

    @Test func oneKeyHasOneName() throws {
        var keys = TerminalKeys(of: terminal)
        let raw = "1F2E3D4C5B6A79880123456789ABCDEF"
        try keys.load(delivery(mpk(1, 1), raw), .block, at: now)
        for name in [mpk(1, 2), HeldKeyName(.record, reference(0, 1))] {
            #expect(throws: CustodyFault.equal(mpk(1, 1))) { try keys.load(delivery(name, raw), .block, at: now) }
        }
    }

    @Test func aTransportKeyTakesTheOthersPlaceAndARecordKeyDoesNot() throws {
        var keys = TerminalKeys(of: terminal)
        let (first, second) = (HeldKeyName(.transport, reference(0, 1)), HeldKeyName(.transport, reference(0, 2)))
        try keys.load(delivery(first), .components, at: now)
        try keys.load(delivery(second), .block, at: now + 1)
        #expect(keys.only(.transport)?.name == second)
        #expect(keys.erased.map(\.name) == [first])
        let made = try time(day: 1)
        #expect(throws: CustodyFault.older(first, made: made)) { try keys.load(delivery(first), .block, at: now) }
        let record = HeldKeyName(.record, reference(0, 1))
        try keys.load(delivery(record), .block, at: now)
        #expect(throws: CustodyFault.recordKeyHeld(record)) {
            try keys.load(delivery(HeldKeyName(.record, reference(0, 2))), .block, at: now)
        }
        #expect(throws: CustodyFault.sellsNothing(.record)) { try keys.activate(record, from: now, at: now) }
    }

    @Test func thereIsAnEndToWhatIsHeld() throws {
        var keys = TerminalKeys(of: terminal)
        for version in 0..<TerminalKeys.mastersMax { try keys.load(delivery(mpk(1, version)), .block, at: now) }
        #expect(throws: CustodyFault.full) { try keys.load(delivery(mpk(2, 0)), .block, at: now) }
        for key in keys.keys { try keys.erase(key.name, at: now) }
        for count in keys.erased.count..<TerminalKeys.namesMax {
            let name = mpk(2 + count / 250, count % 250)
            try keys.load(delivery(name), .block, at: now)
            try keys.erase(name, at: now)
        }
        #expect(throws: CustodyFault.wornOut) { try keys.load(delivery(mpk(200, 0)), .block, at: now) }
    }

    /// A refusal leaves everything as it was, the number too.
    @Test func eachChangeRaisesTheNumber() throws {
        var keys = TerminalKeys(of: terminal)
        let name = mpk(1, 1)
        var numbers = [keys.number]
        try keys.load(delivery(name), .block, at: now)
        numbers.append(keys.number)
        #expect(throws: CustodyFault.held(name)) { try keys.load(delivery(name), .block, at: now) }
        #expect(keys.number == numbers.last)
        try keys.activate(name, from: now, at: now)
        numbers.append(keys.number)
        try keys.retire(name, at: now)
        numbers.append(keys.number)
        #expect(throws: CustodyFault.retiredJustNow(name)) { try keys.erase(name, at: now + 2) }
        try keys.erase(name, at: now + 3)
        numbers.append(keys.number)
        #expect(numbers.map(\.change) == Array(0...4))
    }

    // MARK: - The file

    @Test func aFileGivesBackWhatWasStored() throws {
        let keys = try sample()
        let storageKey = sealingKey()
        let file = keys.sealed(under: storageKey, random: SystemRandom())
        let opened = try TerminalKeys(opening: file, under: storageKey, of: terminal)
        #expect(opened.number == keys.number)
        #expect(opened.erased == keys.erased)
        #expect(opened.keys.map(\.name) == keys.keys.map(\.name))
        for (read, written) in zip(opened.keys, keys.keys) {
            let (one, other) = (try #require(read.secret), try #require(written.secret))
            let isSame = one.raw.isEqual(to: other.raw)
            #expect(isSame)
            #expect(read.cipher == written.cipher && read.origin == written.origin && read.made == written.made)
            #expect(read.dates == written.dates)
        }
        let other = keys.sealed(under: storageKey, random: SystemRandom())
        #expect(other != file)
    }

    @Test func aMasterInATokenLeavesItsMarkInTheFile() throws {
        var keys = try sample()
        let masters = keys.keys.filter { $0.name.usage == .purchaseMaster }
        let secrets = try masters.map { try #require($0.secret) }
        var moved: [HeldKeyName] = []
        keys.moveMasters(at: now) { name, _, _ in moved.append(name) }
        #expect(!masters.isEmpty && moved == masters.map(\.name))
        #expect(keys.events.suffix(moved.count).map(\.event) == moved.map(AuditEvent.moved))
        let storageKey = sealingKey()
        let opened = try TerminalKeys(
            opening: keys.sealed(under: storageKey, random: SystemRandom()),
            under: storageKey,
            of: terminal
        )
        for (master, secret) in zip(masters, secrets) {
            let read = try #require(opened[master.name])
            guard case .token(let mark) = read.place else {
                Issue.record("\(master.name.words) is not in the token")
                continue
            }
            #expect(mark == TokenMark(of: secret.raw) && read.checkValue() == master.checkValue())
            #expect(read.dates == master.dates)
            var again = opened
            let made = try time(day: 9)
            #expect(throws: CustodyFault.equal(master.name)) {
                let delivery = KeyDelivery(mpk(9, 9), .tripleDES, made: made, secret.raw.part(0..<16))
                try again.load(delivery, .block, at: now)
            }
        }
        #expect(opened.keys.filter { $0.name.usage != .purchaseMaster }.allSatisfy { $0.secret != nil })
        // There is nothing left to move, and what fails is not moved.
        keys.moveMasters(at: now) { name, _, _ in Issue.record("\(name) is moved twice") }
        var kept = try sample()
        #expect(throws: CancellationError.self) {
            try kept.moveMasters(at: now) { _, _, _ in throw CancellationError() }
        }
        #expect(kept.keys.allSatisfy { $0.secret != nil })
    }

    /// Every bit and every cut; what a thief reads of it is the terminal and the number.
    @Test func anAlteredFileDoesNotOpen() throws {
        let keys = try sample()
        let storageKey = sealingKey()
        let file = keys.sealed(under: storageKey, random: SystemRandom())
        for place in file.indices {
            for bit in 0..<8 {
                var altered = file
                altered[place] ^= 1 << UInt8(bit)
                expectRefused(altered, storageKey)
            }
            expectRefused(Array(file[..<place]), storageKey)
        }
        expectRefused(file + [0], storageKey)
        expectRefused(file, sealingKey())
        for key in keys.keys {
            let raw = try #require(key.secret).raw.withSpan { span in span.indices.map { span[$0] } }
            #expect(!file.contains(raw))
        }
    }

    /// Sealed with the right key, and with more in it than the rules allow: 129 masters, or one name twice.
    @Test(arguments: [([1, 2], true), ([Int](0...127), true), ([Int](0...128), false), ([1, 1], false)])
    func aFileHoldsToTheRules(versions: [Int], isTaken: Bool) throws {
        let storageKey = sealingKey()
        var content: [UInt8] = [UInt8(versions.count)]
        for version in versions {
            content += [3, 1, UInt8(version), 1, 2] + (try time(day: 1).bytes)
            content += [UInt8](repeating: 0, count: 7) + [1] + [UInt8](repeating: 0, count: 16) + [16]
            content += SystemRandom().bytes(16) + [UInt8](repeating: 0, count: 16)
        }
        content += [0, 0] + [UInt8](repeating: 0, count: 8 + 32)
        let header = Array("GLKS".utf8) + [3] + terminal.bytes + [UInt8](repeating: 0, count: 8)
        let file = header + storageKey.seal(content, context: header, random: SystemRandom())
        do throws(KeyStoreFault) {
            let keys = try TerminalKeys(opening: file, under: storageKey, of: terminal)
            #expect(isTaken && keys.keys.count == versions.count)
        } catch {
            #expect(!isTaken && error == .otherFormat)
        }
    }

    @Test func whatIsRefusedIsNamed() throws {
        let storageKey = sealingKey()
        let file = try sample().sealed(under: storageKey, random: SystemRandom())
        func fault(_ bytes: [UInt8], of terminal: TerminalID) -> KeyStoreFault? {
            do throws(KeyStoreFault) {
                _ = try TerminalKeys(opening: bytes, under: storageKey, of: terminal)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault([], of: terminal) == .truncated)
        #expect(fault(Array("[keys]".utf8), of: terminal) == .noKeyStore)
        #expect(fault(Array(file.prefix(12)), of: terminal) == .truncated)
        #expect(fault(file, of: TerminalID(7)) == .otherTerminal(terminal, expected: TerminalID(7)))
        var issuers = file
        issuers[4] = 1
        #expect(fault(issuers, of: terminal) == .isIssuers)
        var others = file
        others[4] = 2
        #expect(fault(others, of: terminal) == .otherFormat)
        #expect(fault(Array(file.dropLast()), of: terminal) == .storageKeyWrongOrAltered)
    }

    // MARK: -

    private func sample() throws -> TerminalKeys {
        var keys = TerminalKeys(of: terminal)
        try keys.load(delivery(HeldKeyName(.transport, reference(0, 1)), cipher: .aes), .components, at: now)
        try keys.load(delivery(HeldKeyName(.record, reference(0, 1))), .block, at: now)
        for version in 1...3 { try keys.load(delivery(mpk(1, version), day: version), .block, at: now) }
        try keys.activate(mpk(1, 2), from: now + 5, at: now)
        try keys.retire(mpk(1, 2), at: now + 6)
        try keys.erase(mpk(1, 1), at: now + 7)
        return keys
    }

    private func expectRefused(_ bytes: [UInt8], _ storageKey: borrowing SealingKey) {
        do throws(KeyStoreFault) {
            _ = try TerminalKeys(opening: bytes, under: storageKey, of: terminal)
            Issue.record("taken: \(bytes.count) bytes")
        } catch {}
    }

    private func sealingKey() -> SealingKey { SealingKey(raw: SystemRandom().secret(32)) }

    private func reference(_ index: Int, _ version: Int) -> KeyReference {
        KeyReference(index: KeyIndex(UInt8(index)), version: KeyVersion(UInt8(version)))
    }

    private func mpk(_ index: Int, _ version: Int) -> HeldKeyName {
        HeldKeyName(.purchaseMaster, reference(index, version))
    }

    private func time(day: Int) throws -> TransactionTime {
        try TransactionTime(date: CalendarDate(year: 2026, month: 8, day: day), hour: 8, minute: 0, second: 0)
    }

    private func delivery(
        _ name: HeldKeyName,
        _ raw: String? = nil,
        day: Int = 1,
        made: TransactionTime? = nil,
        cipher: BlockCipherKey.Cipher = .tripleDES
    ) throws -> KeyDelivery {
        let key = raw.map { LockedBuffer(hexadecimal: $0) } ?? SystemRandom().secret(cipher == .aes ? 32 : 16)
        return KeyDelivery(name, cipher, made: try made ?? time(day: day), key)
    }
}
