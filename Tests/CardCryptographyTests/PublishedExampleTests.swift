import CardCryptography
import FuelPassbook
import ISO7816
import Testing

/// The worked examples of other people's documentation, as collected in spec/passbook.md, last section.
struct PublishedExampleTests {
    struct SessionExample: Sendable, CustomTestStringConvertible {
        let name: String
        let key: String
        let sessionData: String
        let sessionKey: String
        /// Inputs with their MACs.
        let macs: [(input: String, mac: String)]

        var testDescription: String { name }
    }

    static let sessions = [
        SessionExample(
            name: "load",
            key: "11223344556677888877665544332211",
            sessionData: "1122334400008000",
            sessionKey: "9B1D924E05595603",
            macs: [
                ("00000000 00001000 01 001122334455", "2988AE5A"),
                ("00001000 01 001122334455 20111221214822", "3A845BF0"),
            ]
        ),
        SessionExample(
            name: "purchase",
            key: "11223344556677888877665544332211",
            sessionData: "1122334400000001",
            sessionKey: "003238ABC57659DD",
            macs: [
                ("00001000 06 001122334455 20120229135100", "F15CAB75"),
                ("00001000", "56988A13"),
            ]
        ),
        SessionExample(
            name: "load under a key of 3F01 eight times",
            key: "3F013F013F013F013F013F013F013F01",
            sessionData: "F9CABA9100008000",
            sessionKey: "03015BEA347EA231",
            macs: [("00000000 00001234 02 000000000001", "6C394D64")]
        ),
    ]

    @Test(arguments: sessions) func sessionKeyAndMACs(example: SessionExample) throws {
        let derived = try doubleLengthKey(Hex.bytes(example.key)).sessionKey(from: Hex.bytes(example.sessionData))
        let published = try singleLengthKey(Hex.bytes(example.sessionKey))
        for (input, mac) in example.macs {
            let input = try Hex.bytes(input)
            #expect(derived.mac(of: input).bytes == (try Hex.bytes(mac)))
            #expect(published.mac(of: input).bytes == (try Hex.bytes(mac)))
        }
    }

    /// The published pair is a DTK and its folded key, so the fold is shown on a child whose halves are known: for the
    /// factor f, 3DES(K, f) XOR 3DES(K, NOT f).
    @Test func tacKeyIsTheXOROfBothHalves() throws {
        let dtk = try Hex.bytes("00112233445566778899AABBCCDDEEFF")
        let folded = zip(dtk.prefix(8), dtk.suffix(8)).map { $0 ^ $1 }
        #expect(Hex.string(folded) == "8888888888888888")

        let factor = try Hex.bytes("0000000000000042")
        let master = doubleLengthKey(dtk)
        let halves = zip(master.encrypted(factor), master.encrypted(factor.map { ~$0 })).map { $0 ^ $1 }
        let expected = singleLengthKey(halves)
        let made = master.foldedChild(of: factor)
        for length in 0..<24 {
            let message = [UInt8](repeating: 0x5A, count: length)
            #expect(made.mac(of: message).isValid(expected.mac(of: message)))
        }
    }

    @Test func externalAuthentication() throws {
        let key = doubleLengthKey([UInt8](repeating: 0x39, count: 16))
        #expect(Hex.string(key.encrypted(try Hex.bytes("9B361B26CB9FA8C8"))) == "97F557D8EDE97F95")
    }
}
