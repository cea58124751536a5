import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule
import Testing

/// What journals of the demonstration hold. The values are of a script with OpenSSL's ciphers, by the formulas: four encryptions
/// of a label for a key, HMAC-SHA-256 of purpose and identity for a journal's keys, AES-256-GCM with the nonce 00 to 0B.
struct RecordKeyTests {
    private static let identity = [UInt8](0..<16)

    private func gmac(_ sealed: String) throws -> SealedGMAC {
        SealedGMAC(
            card: Demonstration.applicationFile.asn,
            terminal: Demonstration.terminal,
            ttc: TTC(3),
            ctc: CTC(4),
            amount: Amount(fen: 5),
            key: KeyReference(index: KeyIndex(1), version: KeyVersion(1)),
            sealed: try Hex.bytes(sealed)
        )
    }

    @Test func aRowsCodeIsWhatItWas() throws {
        let code = RecordKey.demonstration.journalKey(identity: Self.identity).code(of: Array("a row".utf8))
        #expect(Hex.string(code.bytes) == "AB87A7A1F231D443A1921F26FA5F45A4")
    }

    @Test func aJournalsStateOpens() throws {
        let sealed = try Hex.bytes("000102030405060708090A0BDD34D58040DF178FC27F16DEAE9ECCDCC64FEA55D33ADB")
        let key = RecordKey.demonstration.journalKey(identity: Self.identity)
        #expect(key.open(sealed, context: Array("context".utf8)) == Array("a state".utf8))
        #expect(key.open(sealed, context: Array("another".utf8)) == nil)
    }

    @Test(
        "a seal opens",
        arguments: [
            // Of this terminal, and of the versions before terminals had one each.
            "000102030405060708090A0B8F4506CD507FB17AE64C5976EB98D17D36CCD8BD",
            "000102030405060708090A0BF4492E85E1DEE540D7E706A23D9B25CFDBDB3FB3",
        ]
    )
    func seal(sealed: String) throws {
        for terminal in [Demonstration.terminal, TerminalID(7)] {
            #expect(try SecurityModule.demonstration(at: terminal).open(gmac(sealed)).bytes == [0xA, 0xB, 0xC, 0xD])
        }
    }

    @Test func anotherRecordKeyOpensNothingAndCodesOtherwise() throws {
        let other = RecordKey(MasterKey.tac.demonstration, as: RecordKey.demonstration.reference)
        let module = SecurityModule(
            terminal: Demonstration.terminal,
            keys: .demonstration,
            recordKey: other,
            random: SystemRandom()
        )
        #expect(throws: SecurityModuleError.sealBroken) {
            _ = try module.open(gmac("000102030405060708090A0B8F4506CD507FB17AE64C5976EB98D17D36CCD8BD"))
        }
        let code = other.journalKey(identity: Self.identity).code(of: Array("a row".utf8))
        #expect(!code.isValid(try Hex.bytes("AB87A7A1F231D443A1921F26FA5F45A4")))
    }

    /// Records stay what they are when the version of MPK is gone under which their cards were locked.
    @Test func aSealOpensWithoutAnyMasterKey() throws {
        let module = SecurityModule(
            terminal: Demonstration.terminal,
            keys: .lockedMemory(MasterKeys()),
            recordKey: .demonstration,
            random: SystemRandom()
        )
        _ = try module.open(gmac("000102030405060708090A0B8F4506CD507FB17AE64C5976EB98D17D36CCD8BD"))
    }
}
