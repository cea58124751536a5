import FuelPassbook
import Testing
import Words

@Suite("Text that leaves the board")
struct MaskedTextTests {
    /// By `python3 -c 'base64.b64encode(...)'` where base64 stands.
    @Test(
        "secrets do not stand in it, in any form",
        arguments: [
            "0001000012345678904711", "0001 0000 1234 5678 9047", "0001-0000-1234-5678-9047",
            "card=00010000123456789047", "PIN4711", "pin4711", "newPIN47110",
            "ASN00010000123456789047x", "00:01:00:00:12:34:56:78:90:47", "PIN 4711", "PIN: 73194628",
            "pin=731946281234",
            "\"4711\"", "(4711)", "4711", "0123456789ABCDEFFEDCBA9876543210", "0123 4567 89ab cdef fedc ba98 7654 3210",
            "key 01 23 45 67 89 AB CD EF", "01:23:45:67:89:ab:cd:ef", "[1, 35, 69, 103, 137, 171, 205, 239]",
            "1 35 69 103 137 171 205 239", "ASNFZ4mrze/+3LqYdlQyEA==", "k=ASNFZ4mrze/+3LqYdlQyEA==", "NzMxOTQ2Mjg=",
            "00 20 00 00 02 46 28", "00:20:00:00:02:46:28", "00200000024628", "0020000003734628", "x00200000024628",
            "00 20 00 00 03 73 46 28", "0020 0000 0246 28", "APDU: 00 20 00 00 02 46 28",
            "0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF", "0X01 0X23 0X45 0X67 0X89 0XAB 0XCD 0XEF",
            "\\x01\\x23\\x45\\x67\\x89\\xab\\xcd\\xef", "01_23_45_67_89_AB_CD_EF", "01;23;45;67;89;AB;CD;EF",
            "01\t23\t45\t67\t89\tAB\tCD\tEF", "000/100/001/234/567/890/47", "000_100_001_234_567_890_47",
            "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "x0123456789ABCDEFFEDCBA9876543210", "0123456789ABCDEF0123456789ABCDEz",
        ]
    )
    func hidden(secret: String) {
        let masked = MaskedText(masking: "before \(secret) after").text
        #expect(masked.hasPrefix("before ") && masked.hasSuffix(" after"))
        var (run, longest) = (0, 0)
        for character in masked {
            run = character.isHexDigit && character.isASCII ? run + 1 : 0
            longest = max(longest, run)
        }
        #expect(longest <= 4, "\(masked)")
        for part in ["x23", "X23", "_23", ";23", "\t23", "/234", "_234"] {
            #expect(!masked.contains(part), "\(masked)")
        }
        #expect(
            !masked.contains("4628") && !masked.lowercased().contains("pin 4711") && !masked.contains("ASNF"),
            "\(masked)"
        )
        #expect(!masked.lowercased().contains("pin4711"), "\(masked)")
    }

    @Test(
        "what is no secret stays",
        arguments: [
            "2026-11-27 10:46:04", "2026-11-27T10:46:04.123 ready", "12.34 L, 1234.56 yuan",
            "position=12 state=idle [pin-wrong]",
            "/var/lib/greylock/journal.sqlite", "pinctrl-bcm2711", "ACS ACR38U-CCID 00 00", "/dev/gpiochip0, line 17",
            "Gemalto PC Twin Reader (B1C3) 00 00", "ExecMainStartTimestampMonotonic", "the card was removed",
            "GREYLOCK_POSITION",
            "systemd 257.8-1~deb13u2", "", "äöü 中文 123",
        ]
    )
    func kept(text: String) { #expect(MaskedText(masking: text).text == text) }

    @Test("numbers and cards have forms of their own")
    func interpolated() {
        let card = Demonstration.applicationFile.asn
        let anybodys = "12345"
        let text: MaskedText = "record \(123_456) of \(card): \(anybodys), \(MaskedText(digest: [0x01, 0xAB]))"
        #expect(text.text == "record 123456 of ****0042: #####, 01ab")
    }

    @Test("any card number and key is masked wherever it stands", arguments: 0..<200)
    func random(_: Int) {
        let around = ["", " ", "=", ":", ",", "/", "\"", "x", "\n", "é", "(", "."]
        let key = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let hexadecimal = key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let card = "0001" + (0..<16).map { _ in "\(Int.random(in: 0...9))" }.joined()
        let pairs = stride(from: 0, to: 20, by: 4).map { String(card.dropFirst($0).prefix(4)) }
        let forms = [
            hexadecimal.joined(), hexadecimal.joined().uppercased(), hexadecimal.joined(separator: " "),
            hexadecimal.joined(separator: ":"), key.map { "\($0)" }.joined(separator: ", "), card,
            pairs.joined(separator: " "),
        ]
        for form in forms {
            guard let before = around.randomElement(), let after = around.randomElement() else { return }
            let masked = MaskedText(masking: "a" + before + form + after + "z").text
            #expect(!masked.contains(form), "\(form) in \(masked)")
            #expect(!masked.contains(form.prefix(form.count / 2)) && !masked.contains(form.suffix(form.count / 2)))
        }
    }
}
