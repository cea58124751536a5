import CardCryptography
import FuelPassbook
import Testing

/// Expected values: Python's hmac and hashlib, over a key from `openssl enc -des-ede3 -nopad` of "GL-JRNL" with 00 to 03
/// behind it.
struct CodeKeyTests {
    private static let key = CodeKey(
        from: DoubleLengthKey(LockedBuffer(hexadecimal: "11223344556677888877665544332211")),
        label: "GL-JRNL"
    )
    private let message = Array("what do ya want for nothing?".utf8)

    private func bytes(_ text: String) -> [UInt8] {
        LockedBuffer(hexadecimal: text).withSpan { span in span.indices.map { span[$0] } }
    }

    @Test func aCodeIsHMACSHA256() {
        let code = Self.key.code(of: message)
        #expect(code.bytes == bytes("3EDC09589FDD6C4339A9399C73279467"))
        #expect(code.hidden == 0x8A27_F498_E9FE_EFBA)
    }

    @Test func aKeyOfAPurposeIsAnother() {
        let code = Self.key.child(of: Array("rows".utf8)).code(of: message)
        #expect(code.bytes == bytes("82E3FC9157796136717069DC99599866"))
    }

    @Test func aStoredCodeIsValidWhole() {
        let code = Self.key.code(of: message)
        #expect(code.isValid(code.bytes))
        for length in 0..<code.bytes.count { #expect(!code.isValid(Array(code.bytes.prefix(length)))) }
        for bit in 0..<8 * code.bytes.count {
            var other = code.bytes
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!code.isValid(other))
        }
        #expect(!code.isValid(code.bytes + [0]))
        #expect(!Self.key.code(of: message + [0]).isValid(code.bytes))
    }
}
