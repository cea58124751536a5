import ISO7816
import Testing

struct ResponseTests {
    @Test func dataAndStatusWordAreReadBack() throws {
        for count in [0, 1, 16, 255, 256] {
            let response = ResponseAPDU(
                data: [UInt8](repeating: 0xAA, count: count),
                status: StatusWord(rawValue: 0x6C10)
            )
            #expect(try ResponseAPDU(parsing: response.bytes) == response)
        }
    }

    @Test func tooFewAndTooManyBytesAreRefused() {
        for count in 0..<2 {
            #expect(throws: ParseError.truncated("status word")) {
                try ResponseAPDU(parsing: [UInt8](repeating: 0x90, count: count))
            }
        }
        #expect(throws: ParseError.wrongLength("response")) {
            try ResponseAPDU(parsing: [UInt8](repeating: 0, count: 259))
        }
    }

    @Test func statusWordsCarryTheirPayload() {
        #expect(StatusWord.verificationFailed(triesLeft: 0).rawValue == 0x63C0)
        #expect(StatusWord.verificationFailed(triesLeft: 15).rawValue == 0x63CF)
        #expect(StatusWord.wrongExpectedLength(256).rawValue == 0x6C00)
        #expect(StatusWord.wrongExpectedLength(17).rawValue == 0x6C11)
        #expect(StatusWord.bytesAvailable(8).rawValue == 0x6108)
        #expect("\(StatusWord.incorrectData)" == "6A80")
    }

    @Test func aPayloadIsFoundInItsOwnRangeAlone() {
        for raw in UInt16.min...UInt16.max {
            let word = StatusWord(rawValue: raw)
            let low = Int(raw & 0xFF)
            #expect(word.triesLeft.map(Int.init) == (raw & 0xFFF0 == 0x63C0 ? low & 0x0F : nil))
            #expect(word.correctExpectedLength == (raw >> 8 == 0x6C ? (low == 0 ? 256 : low) : nil))
            #expect(word.availableLength == (raw >> 8 == 0x61 ? (low == 0 ? 256 : low) : nil))
        }
    }
}
