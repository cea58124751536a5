import ISO7816
import Testing

struct ReadingTests {
    @Test func elementsAreReadInOrder() throws {
        var reader = FieldReader([1, 2, 3, 4, 5, 6, 7])
        #expect(try reader.read("one", as: UInt8.self) == 1)
        #expect(try reader.read("two", as: UInt16.self) == 0x0203)
        #expect(try reader.read("four", as: UInt32.self) == 0x0405_0607)
        try reader.finish("all")
    }

    @Test func theFieldThatIsCutShortIsNamed() {
        for count in 0..<4 {
            var reader = FieldReader([UInt8](repeating: 0, count: count))
            #expect(throws: ParseError.truncated("amount")) { try reader.read("amount", as: UInt32.self) }
        }
    }

    @Test func bytesLeftOverAreAnError() throws {
        var reader = FieldReader([1, 2])
        _ = try reader.read("one", as: UInt8.self)
        #expect(throws: ParseError.wrongLength("command")) { try reader.finish("command") }
    }

    @Test func anElementOfAnotherLengthIsRefused() {
        for count in [0, 1, 3] {
            #expect(throws: ParseError.wrongLength("UInt16")) {
                try UInt16(parsing: [UInt8](repeating: 0, count: count))
            }
        }
    }

    @Test func hexadecimalTextOfEveryByteIsReadBack() throws {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(try Hex.bytes(Hex.string(bytes)) == bytes)
        #expect(try Hex.bytes(Hex.string(bytes).lowercased()) == bytes)
        #expect(try Hex.bytes(" 0A  ff ") == [0x0A, 0xFF])
        #expect(try Hex.bytes("") == [])
    }

    @Test(arguments: ["0", "0 0", "000"]) func halfAByteIsRefused(text: String) {
        #expect(throws: ParseError.self) { try Hex.bytes(text) }
    }

    @Test(arguments: ["0g", "/0", ":0", "@0", "`0", "0-", "é0"]) func otherCharactersAreRefused(text: String) {
        #expect(throws: ParseError.invalid("hexadecimal text")) { try Hex.bytes(text) }
    }
}

struct BERTLVTests {
    @Test(arguments: [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF]) func lengthsAreReadBack(count: Int) throws {
        for tag in [0x84, 0x9F0C] as [UInt16] {
            let object = BERTLV(tag: tag, value: [UInt8](repeating: 0x5A, count: count))
            let next = BERTLV(tag: 0xA5, value: [])
            #expect(try BERTLV.parse(object.bytes + next.bytes) == [object, next])
        }
    }

    @Test func theEncodingIsTheShortest() {
        #expect(BERTLV(tag: 0x84, value: [1]).bytes == [0x84, 0x01, 0x01])
        #expect(BERTLV(tag: 0x9F0C, value: []).bytes == [0x9F, 0x0C, 0x00])
        #expect(BERTLV(tag: 0x84, value: [UInt8](repeating: 0, count: 128)).bytes.prefix(3) == [0x84, 0x81, 0x80])
        #expect(BERTLV(tag: 0x84, value: [UInt8](repeating: 0, count: 256)).bytes.prefix(4) == [0x84, 0x82, 1, 0])
    }

    @Test func everyPrefixOfAnObjectIsRefused() throws {
        for count in [3, 200, 300] {
            let whole = BERTLV(tag: 0x9F0C, value: [UInt8](repeating: 0x11, count: count)).bytes
            #expect(try BERTLV.parse(whole.prefix(0)) == [])
            for length in 1..<whole.count {
                #expect(throws: ParseError.self) { try BERTLV.parse(whole.prefix(length)) }
            }
        }
    }

    @Test(arguments: ["8480", "8483000001", "84FF", "9F8101 00", "BF8100"]) func longTagsAndLengthsAreRefused(
        text: String
    ) throws {
        let bytes = try Hex.bytes(text)
        #expect(throws: ParseError.self) { try BERTLV.parse(bytes) }
    }
}
