import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Testing

struct DataElementTests {
    @Test func countersEndAtTheirMaximum() {
        #expect(CTC(0xFFFE).next == .maximum)
        #expect(CTC.maximum.next == nil)
        #expect(OnlineNumber(0).next == OnlineNumber(1))
        #expect(OnlineNumber.maximum.next == nil)
    }

    @Test func integersAreBigEndian() throws {
        #expect(Amount(fen: 0x0102_0304).bytes == [1, 2, 3, 4])
        #expect(TerminalID(0x0102_0304_0506).bytes == [1, 2, 3, 4, 5, 6])
        #expect(try CTC(parsing: [0x80, 0x01]) == CTC(0x8001))
        #expect(try TerminalID(parsing: [0xFF, 0, 0, 0, 0, 1]) == TerminalID(0xFF00_0000_0001))
    }

    @Test func theRightEightBytesOfTheSerialNumberDiversify() throws {
        let number = try ApplicationSerialNumber(parsing: Hex.bytes("12345678901234567890"))
        #expect(Hex.string(number.diversificationFactor) == "5678901234567890")
        #expect("\(number)" == "12345678901234567890")
    }

    @Test func aSerialNumberThatIsNotDecimalIsRefused() throws {
        for position in 0..<20 {
            var digits = Array("00000000000000000000")
            digits[position] = "A"
            let bytes = try Hex.bytes(String(digits))
            #expect(throws: ParseError.invalid("application serial number")) {
                try ApplicationSerialNumber(parsing: bytes)
            }
        }
    }

    @Test(arguments: [
        (2024, 2, 29, true), (2023, 2, 29, false), (2100, 2, 29, false), (2000, 2, 29, true), (2024, 4, 31, false),
        (2024, 12, 31, true), (2024, 13, 1, false), (2024, 0, 1, false), (2024, 1, 0, false), (10_000, 1, 1, false),
    ])
    func aDateIsADayThatExists(year: Int, month: Int, day: Int, exists: Bool) throws {
        if exists {
            let date = try CalendarDate(year: year, month: month, day: day)
            #expect((date.year, date.month, date.day) == (year, month, day))
            #expect(try CalendarDate(parsing: date.bytes) == date)
        } else {
            #expect(throws: ParseError.invalid("date")) { try CalendarDate(year: year, month: month, day: day) }
        }
    }

    @Test func timeIsSevenBCDBytes() throws {
        let date = try CalendarDate(year: 2026, month: 11, day: 9)
        let time = try TransactionTime(date: date, hour: 23, minute: 59, second: 8)
        #expect(Hex.string(time.bytes) == "20261109235908")
        #expect("\(time)" == "2026-11-09 23:59:08")
        #expect(try TransactionTime(date: date, hour: 23, minute: 59, second: 9) > time)
        #expect(throws: ParseError.invalid("time")) { try TransactionTime(date: date, hour: 24, minute: 0, second: 0) }
        #expect(throws: ParseError.invalid("time")) { try TransactionTime(date: date, hour: 0, minute: 60, second: 0) }
        #expect(throws: ParseError.invalid("time")) { try TransactionTime(date: date, hour: 0, minute: 0, second: 60) }
    }

    @Test(arguments: [
        ("1234", "0020000002" + "1234"), ("12345", "0020000003" + "12345F"), ("123456789012", "0020000006123456789012"),
    ])
    func aPINIsAVERIFYCommand(digits: String, command: String) throws {
        let pin = try pin(digits)
        #expect(pin.withVerifyCommand { span in Hex.string(span.indices.map { span[$0] }) } == command)
    }

    @Test(arguments: ["", "123", "1234567890123"]) func aPINOfAnotherLengthIsRefused(digits: String) {
        #expect(throws: ParseError.wrongLength("PIN")) { _ = try pin(digits) }
    }

    @Test(arguments: ["12a4", "123/", "123:"]) func aPINOfOtherCharactersIsRefused(digits: String) {
        #expect(throws: ParseError.invalid("PIN")) { _ = try pin(digits) }
    }

    /// Headers and lengths of spec/grey-lock.md, section 3, typed here a second time.
    @Test func commandsHaveTheLayoutOfTheSource() throws {
        let time = try TransactionTime(parsing: Hex.bytes("20260102030405"))
        let mac = MAC(bytes: [0xA0, 0xA1, 0xA2, 0xA3])
        let (index, terminal, ttc) = (KeyIndex(0x09), TerminalID(0x1112_1314_1516), TTC(0x2122_2324))
        let commands: [(CommandAPDU, String)] = [
            (
                InitializeForPetrol(keyIndex: index, terminal: terminal, ttc: ttc).apdu,
                "E0500101 0B 09 111213141516 21222324 10"
            ),
            (LockForPetrol(time: time, mac2: mac).apdu, "E0500201 0B 20260102030405 A0A1A2A3 08"),
            (
                DebitForPetrol(
                    amount: Amount(fen: 0x3132_3334),
                    ctc: CTC(0x4142),
                    terminal: terminal,
                    ttc: ttc,
                    time: time,
                    gmac: mac
                ).apdu,
                "E0540100 1B 31323334 4142 111213141516 21222324 20260102030405 A0A1A2A3 08"
            ),
            (InitializeForUnlock(keyIndex: index, terminal: terminal).apdu, "E0500301 07 09 111213141516 10"),
            (
                DebitForUnlock(amount: Amount(fen: 1), time: time, mac2: mac).apdu,
                "E0540101 0F 00000001 20260102030405 A0A1A2A3 04"
            ),
            (GetGreyStatus().apdu, "E0500401 11"),
            (GetBalance().apdu, "805C0001 04"),
            (GetTransactionProve(type: .localUnlock, number: 0x5152).apdu, "805A0012 02 5152 08"),
            (SelectApplication(aid: Demonstration.aid).apdu, "00A40400 08 F0504554524F4C01 00"),
            (ReadBinary(file: 0x15, count: 30).apdu, "00B09500 1E"),
        ]
        for (command, expected) in commands {
            #expect(command.bytes == (try Hex.bytes(expected)))
        }
    }

    private func pin(_ digits: String) throws -> PIN {
        var bytes = Array(digits.utf8) + [0]
        return try PIN(digits: LockedBuffer(wiping: &bytes), count: digits.utf8.count)
    }
}
