import CardCryptography
import FuelPassbook
import KeyBlocks
import KeyCustody
import Quantities
import Testing

/// Keys on their way from the issuer to one terminal.
@Suite struct DeliveryTests {
    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let mpk = HeldKeyName(
        .purchaseMaster,
        KeyReference(index: KeyIndex(1), version: KeyVersion(0x2A))
    )

    @Test(arguments: [BlockCipherKey.Cipher.aes, .tripleDES])
    func comesAsItWasMade(_ cipher: BlockCipherKey.Cipher) throws {
        let transport = TransportKey(cipher, SystemRandom().secret(cipher == .aes ? 32 : 16))
        let made = try delivery(of: Self.mpk)
        let block = try transport.block(of: made, for: Self.terminal, random: SystemRandom())
        #expect(block.hasPrefix(cipher == .aes ? "D" : "B"))
        #expect(block.contains("E6TX2AN") && block.contains("MPK 01 2A 310000000017"))
        let taken = try transport.delivery(in: block, for: Self.terminal)
        let isSame = taken.key.isEqual(to: made.key)
        #expect(isSame && taken.name == Self.mpk && taken.made == made.made)
    }

    @Test func anotherTerminalsBlockIsNamedSo() throws {
        let ours = TransportKey(.aes, SystemRandom().secret(32))
        let theirs = TransportKey(.aes, SystemRandom().secret(32))
        let made = try delivery(of: Self.mpk)
        let other = TerminalID(0x3100_0000_0018)
        for transport in [0, 1] {
            let block =
                transport == 0
                ? try ours.block(of: made, for: other, random: SystemRandom())
                : try theirs.block(of: made, for: other, random: SystemRandom())
            let fault: DeliveryFault =
                transport == 0 ? .otherTerminal("310000000018") : .seemsOtherTerminals("310000000018")
            #expect(throws: fault) {
                _ = try ours.delivery(in: block, for: Self.terminal)
            }
        }
        let odd = header([OptionalBlock("LB", "MULKK 01 2A \(Self.terminal)")])
        let foreign = try theirs.wrap(key(16), odd, random: SystemRandom())
        #expect(throws: DeliveryFault.block(.codeIsWrong)) { _ = try ours.delivery(in: foreign, for: Self.terminal) }
        let block = try theirs.block(of: made, for: Self.terminal, random: SystemRandom())
        #expect(throws: DeliveryFault.block(.codeIsWrong)) { _ = try ours.delivery(in: block, for: Self.terminal) }
    }

    @Test(arguments: [
        ("P0", "T", "X", "2A", "N", DeliveryFault.field(.usage)), ("E6", "A", "X", "2A", "N", .field(.algorithm)),
        ("E6", "T", "B", "2A", "N", .field(.mode)), ("E6", "T", "X", "2B", "N", .field(.keyVersion)),
        ("E6", "T", "X", "2A", "E", .field(.exportability)),
    ])
    func whatTheTableDoesNotSayIsRefused(
        _ usage: String,
        _ algorithm: Character,
        _ mode: Character,
        _ version: String,
        _ exportability: Character,
        _ fault: DeliveryFault
    ) throws {
        let blocks = [
            OptionalBlock("LB", "MPK 01 2A 310000000017"), OptionalBlock("TC", "20261126090000Z"),
        ]
        try expect(fault, of: key(16), usage, algorithm, mode, version, exportability, blocks)
    }

    @Test(arguments: [
        ([("TC", "20261126090000Z")], DeliveryFault.label),
        ([("LB", "MPK 01 2A"), ("TC", "20261126090000Z")], .label),
        ([("LB", "XYZ 01 2A 310000000017"), ("TC", "20261126090000Z")], .label),
        ([("LB", "MULKK 01 2A 310000000017"), ("TC", "20261126090000Z")], .issuersOwn(.greyUnlock)),
        ([("LB", "MTK 01 2A 310000000017"), ("TC", "20261126090000Z")], .issuersOwn(.tac)),
        ([("LB", "MPK 01 2A 310000000017")], .field(.optionalBlocks)),
        ([("LB", "MPK 01 2A 310000000017"), ("TC", "20261326090000Z")], .field(.optionalBlocks)),
        ([("LB", "MPK 01 2A 310000000017"), ("TC", "20261126090000Z"), ("ZZ", "1")], .unknown(["ZZ"])),
        ([("LB", "MPK 01 2A 310000000017"), ("TC", "20261126090000Z"), ("KC", "00000000")], .checkValue),
    ])
    func whatIsNotOfOneOfOursIsRefused(_ fields: [(String, String)], _ fault: DeliveryFault) throws {
        try expect(fault, of: key(16), "E6", "T", "X", "2A", "N", fields.map { OptionalBlock($0.0, $0.1) })
    }

    @Test(arguments: [
        ("11223344556677881122334455667788", DeliveryFault.weak), ("FEFEFEFEFEFEFEFE1122334455667788", .weak),
        ("11223344556677888877665544332211", .published), ("112233445566778899", .field(.key)),
    ])
    func keysThatProtectNothingAreRefused(_ text: String, _ fault: DeliveryFault) throws {
        let blocks = [
            OptionalBlock("LB", "MPK 01 2A 310000000017"), OptionalBlock("TC", "20261126090000Z"),
        ]
        try expect(fault, of: LockedBuffer(hexadecimal: text), "E6", "T", "X", "2A", "N", blocks)
    }

    @Test(arguments: [
        "MPK 1 2A 310000000017", "MPK 01 2a 310000000017", "MPK +1 2A 310000000017", "MPK 01 02A 310000000017",
        "mpk 01 2A 310000000017", "MPK 01 2A 31000000001", "MPK 01 2A 31000000001g", " MPK 01 2A 310000000017",
    ])
    func aLabelIsOfUpperCaseAndWholeNumbers(_ label: String) throws {
        let blocks = [OptionalBlock("LB", label), OptionalBlock("TC", "20261126090000Z")]
        try expect(.label, of: key(16), "E6", "T", "X", "2A", "N", blocks)
    }

    @Test("the old methods are told", arguments: [KeyBlockHeader.Version.a, .b, .c])
    func oldMethod(_ version: KeyBlockHeader.Version) throws {
        let transport = TransportKey(.tripleDES, key(16))
        let blocks = [
            OptionalBlock("LB", "MPK 01 2A 310000000017"), OptionalBlock("TC", "20261126090000Z"),
        ]
        let block = try transport.wrap(key(16), header(blocks, version), random: SystemRandom())
        let taken = try transport.delivery(in: block, for: Self.terminal)
        #expect(taken.isByOldMethod == (version != .b))
    }

    @Test func anAESKeyUnderTripleDESIsRefused() throws {
        let transport = TransportKey(.tripleDES, key(16))
        let header = KeyBlockHeader(
            version: .b,
            usage: "K1",
            algorithm: "A",
            mode: "B",
            keyVersion: "02",
            exportability: "N",
            blocks: [OptionalBlock("LB", "TRANSPORT 00 02 310000000017"), OptionalBlock("TC", "20261126090000Z")]
        )
        let block = try transport.wrap(key(32), header, random: SystemRandom())
        #expect(throws: DeliveryFault.strongerThanTransport) {
            _ = try transport.delivery(in: block, for: Self.terminal)
        }
    }

    private func header(_ blocks: [OptionalBlock], _ version: KeyBlockHeader.Version = .d) -> KeyBlockHeader {
        KeyBlockHeader(
            version: version,
            usage: "E6",
            algorithm: "T",
            mode: "X",
            keyVersion: "2A",
            exportability: "N",
            blocks: blocks
        )
    }

    private func key(_ count: Int) -> LockedBuffer { SystemRandom().secret(count) }

    private func delivery(of name: HeldKeyName) throws -> KeyDelivery {
        let date = try CalendarDate(year: 2026, month: 11, day: 26)
        let made = try TransactionTime(date: date, hour: 9, minute: 0, second: 0)
        return KeyDelivery(name, .tripleDES, made: made, key(16))
    }

    private func expect(
        _ fault: DeliveryFault,
        of key: consuming LockedBuffer,
        _ usage: String,
        _ algorithm: Character,
        _ mode: Character,
        _ version: String,
        _ exportability: Character,
        _ blocks: [OptionalBlock]
    ) throws {
        let transport = TransportKey(.aes, SystemRandom().secret(32))
        let header = KeyBlockHeader(
            version: .d,
            usage: usage,
            algorithm: algorithm,
            mode: mode,
            keyVersion: version,
            exportability: exportability,
            blocks: blocks
        )
        let block = try transport.wrap(key, header, random: SystemRandom())
        #expect(throws: fault) { _ = try transport.delivery(in: block, for: Self.terminal) }
    }
}
