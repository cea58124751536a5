import ISO7816
import Testing

struct CommandAPDUTests {
    /// The four cases of ISO/IEC 7816-4, 5.1, short lengths.
    @Test(
        arguments: [
            ("00A40400", 0, nil), ("0084000008", 0, 8), ("0084000000", 0, 256), ("00200000 02 1234", 2, nil),
            ("E0500301 07 01001122334455 10", 7, 16), ("00A40400 01 3F 00", 1, 256),
        ] as [(String, Int, Int?)]
    )
    func theFourCases(text: String, dataLength: Int, expectedLength: Int?) throws {
        let bytes = try Hex.bytes(text)
        let command = try CommandAPDU(parsing: bytes.span)
        #expect(command.data.count == dataLength && command.expectedLength == expectedLength)
        #expect(command.header == CommandHeader(bytes[0], bytes[1], bytes[2], bytes[3]))
        #expect(command.bytes == bytes)
    }

    @Test func everyDataLengthIsReadBack() throws {
        for count in 0...CommandAPDU.dataLengthMax {
            for expected in [nil, 1, 255, 256] as [Int?] {
                let data = (0..<count).map { UInt8($0) }
                let command = CommandAPDU(CommandHeader(0x80, 1, 2, 3), data: data, expectedLength: expected)
                #expect(try CommandAPDU(parsing: command.bytes.span) == command)
            }
        }
    }

    @Test func aCommandOfFewerThanFourBytesIsCutShort() {
        for count in 0..<4 {
            #expect(throws: ParseError.truncated("command header")) {
                try CommandLayout(parsing: [UInt8](repeating: 0, count: count).span)
            }
        }
    }

    @Test func everyLcThatDisagreesWithTheBytesIsRefused() throws {
        for lc in UInt8.min...UInt8.max {
            let bytes: [UInt8] = [0x00, 0x20, 0x00, 0x00, lc] + [UInt8](repeating: 0x55, count: 9)
            if lc == 9 {
                #expect(try CommandLayout(parsing: bytes.span).body == 5..<14)
            } else if lc == 8 {
                #expect(try CommandLayout(parsing: bytes.span).expectedLength == 0x55)
            } else {
                #expect(throws: ParseError.wrongLength("command body")) { try CommandLayout(parsing: bytes.span) }
            }
        }
    }

    /// Lc `00` announces an extended length, which no card of this scheme takes.
    @Test(arguments: ["00840000 00 08", "00A40400 00 0002 3F00", "00B09500 00 0100"])
    func extendedLengthsAreRefused(text: String) throws {
        let bytes = try Hex.bytes(text)
        #expect(throws: ParseError.wrongLength("command body")) { try CommandLayout(parsing: bytes.span) }
    }
}
