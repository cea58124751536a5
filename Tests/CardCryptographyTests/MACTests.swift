import CardCryptography
import ISO7816
import Testing

struct MACTests {
    /// Messages 00 01 02 ... of a length around each block boundary. The MACs were computed with the `openssl` program
    /// (`enc -des-ede-cbc -nopad` over the padded message), not with this project.
    struct Row: Sendable, CustomTestStringConvertible {
        let length: Int
        /// Under 0123456789ABCDEF.
        let single: String
        /// Under 0123456789ABCDEF FEDCBA9876543210, ISO/IEC 9797-1 algorithm 3.
        let double: String

        var testDescription: String { "\(length) bytes" }
    }

    static let padding = [
        Row(length: 0, single: "CAEE534C", double: "F1FBCF2A"),
        Row(length: 1, single: "933A2CCF", double: "AEF2E65A"),
        Row(length: 7, single: "1CC118FE", double: "73B4F461"),
        Row(length: 8, single: "51EBEEC0", double: "9506A762"),
        Row(length: 9, single: "F03EFF21", double: "687B9076"),
        Row(length: 15, single: "0F7A688E", double: "EDC12DAC"),
        Row(length: 16, single: "5E499C59", double: "99F6CC9F"),
        Row(length: 17, single: "962E4E6F", double: "709D7C06"),
    ]

    @Test(arguments: padding) func paddingIsAddedInEveryCase(row: Row) throws {
        let key = try Hex.bytes("0123456789ABCDEFFEDCBA9876543210")
        let message = (0..<row.length).map { UInt8($0) }
        #expect(Hex.string(singleLengthKey(Array(key.prefix(8))).mac(of: message).bytes) == row.single)
        #expect(Hex.string(doubleLengthKey(key).mac(of: message).bytes) == row.double)
    }

    @Test func equalHalvesMakeASingleKey() {
        let half = Array(UInt8(0x10)..<0x18)
        let single = singleLengthKey(half)
        let double = doubleLengthKey(half + half)
        for length in 0..<25 {
            let message = [UInt8](repeating: 0xC3, count: length)
            #expect(double.mac(of: message).isValid(single.mac(of: message)))
        }
    }

    @Test func isValidRefusesEverySingleBitFlip() {
        let bytes: [UInt8] = [0x00, 0xFF, 0x80, 0x01]
        let mac = MAC(bytes: bytes)
        #expect(mac.isValid(MAC(bytes: bytes)))
        for bit in 0..<32 {
            var altered = bytes
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(!mac.isValid(MAC(bytes: altered)), "bit \(bit)")
        }
    }

    /// Check values computed with the `openssl` program (`enc -des-ede-ecb -nopad` over eight zero bytes).
    @Test(arguments: [
        ("11223344556677888877665544332211", "491510"),
        ("00112233445566778899AABBCCDDEEFF", "FB0975"),
        ("0123456789ABCDEFFEDCBA9876543210", "08D7B4"),
    ])
    func keyCheckValue(key: String, value: String) throws {
        #expect(Hex.string(try doubleLengthKey(Hex.bytes(key)).checkValue()) == value)
    }

    @Test func parityBitsAreIgnoredAndEveryOtherKeyBitCounts() {
        let key = Array(UInt8(0)..<16)
        let mac = doubleLengthKey(key).mac(of: [0x01])
        for bit in 0..<128 {
            var altered = key
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(mac.isValid(doubleLengthKey(altered).mac(of: [0x01])) == (bit % 8 == 0), "bit \(bit)")
        }
    }
}
