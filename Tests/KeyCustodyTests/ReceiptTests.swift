import CardCryptography
import FuelPassbook
import ISO7816
import KeyCustody
import Quantities
import Testing

/// What a terminal tells its issuer of its keys.
@Suite struct ReceiptTests {
    private static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(2))
    private static let now: Int64 = 1_790_000_000

    private let recordKey = SecretKey(SystemRandom().secret(16))

    private func keys() throws -> TerminalKeys {
        var keys = TerminalKeys(of: TerminalID(0x3100_0000_0017))
        try keys.load(delivery(.record, recordKey.raw.part(0..<16)), .block, at: Self.now)
        try keys.load(delivery(.purchaseMaster, SystemRandom().secret(16)), .components, at: Self.now)
        return keys
    }

    private func delivery(_ usage: KeyUsage, _ raw: consuming LockedBuffer) throws -> KeyDelivery {
        KeyDelivery(
            HeldKeyName(usage, Self.reference),
            .tripleDES,
            made: try TransactionTime(secondsSince1970: Int(Self.now)),
            raw
        )
    }

    private func isAuthentic(_ receipt: KeyReceipt) -> Bool { receipt.isAuthentic(under: recordKey.raw) }

    @Test func isAuthenticUnderItsTerminalsRecordKeyAlone() throws {
        let text = try #require(KeyReceipt(of: keys(), at: Self.now)).text
        for form in [text, text + "\n", text.replacing("\n", with: "\r\n")] {
            let receipt = try KeyReceipt(parsing: form)
            #expect(receipt.terminal == TerminalID(0x3100_0000_0017) && receipt.recordKey == Self.reference)
            let (own, other) = (isAuthentic(receipt), receipt.isAuthentic(under: SystemRandom().secret(16)))
            #expect(own && !other)
        }
    }

    @Test func noAlteredCharacterIsAuthentic() throws {
        let text = Array(try #require(KeyReceipt(of: keys(), at: Self.now)).text)
        for place in text.indices where text[place] != "\n" {
            var changed = text
            changed[place] = changed[place] == "7" ? "8" : "7"
            do throws(ParseError) {
                #expect(!isAuthentic(try KeyReceipt(parsing: String(changed))))
            } catch {}
        }
    }

    @Test func everyBeginningIsRefused() throws {
        let text = try #require(KeyReceipt(of: keys(), at: Self.now)).text
        for count in 0..<text.count {
            do throws(ParseError) {
                #expect(!isAuthentic(try KeyReceipt(parsing: String(text.prefix(count)))))
            } catch {}
        }
    }

    @Test func namesEachKeyAndNoValue() throws {
        var keys = try keys()
        let master = HeldKeyName(.purchaseMaster, Self.reference)
        try keys.activate(master, from: Self.now, at: Self.now)
        try keys.retire(master, at: Self.now - TerminalKeys.retiringSeconds)
        let receipt = try #require(KeyReceipt(of: keys, at: Self.now))
        let line = try #require(receipt.lines.first { $0.hasPrefix("key MPK 1 2 TDES ") })
        #expect(line.contains(" retired from components "))
        try keys.erase(master, at: Self.now)
        let after = try #require(KeyReceipt(of: keys, at: Self.now))
        #expect(after.lines.contains { $0.hasPrefix("erased MPK 1 2 made ") })
        #expect(KeyReceipt(of: TerminalKeys(of: TerminalID(1)), at: Self.now) == nil)
    }
}
