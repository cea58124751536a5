import CardCryptography
import Console
import FuelPassbook
import ISO7816
import Testing

/// Keys as a terminal sends them, and the line that comes of them.
@Suite("The line editor")
struct LineEditorTests {
    private func typed(_ keys: [UInt8], _ field: LineEditor.Field) -> (last: LineEditor.Action, line: String) {
        var editor = LineEditor(field)
        var last = LineEditor.Action.none
        for key in keys {
            last = editor.receive(key)
            switch last {
            case .none, .changed: continue
            case .entered, .refused, .cancelled: break
            }
            break
        }
        let line = editor.take()
        let count = line.count
        return (last, line.bytes.withSpan { bytes in String(decoding: (0..<count).map { bytes[$0] }, as: UTF8.self) })
    }

    private func digits(_ keys: String) -> (last: LineEditor.Action, line: String) {
        typed(Array(keys.utf8), .digits(max: 12))
    }

    @Test(
        "keys that edit or move leave nothing of themselves in a PIN",
        arguments: [
            ("1234\r", "1234"), ("1234\n", "1234"), ("9\u{7F}1234\r", "1234"), ("9\u{8}1234\r", "1234"),
            ("999\u{15}1234\r", "1234"), ("999\u{17}1234\r", "1234"), ("\u{7F}\u{7F}1234\r", "1234"),
            ("12\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D34\r", "1234"), ("12\u{1B}OA\u{1B}OD34\r", "1234"),
            ("12\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~\u{1B}OH\u{1B}OF34\r", "1234"), ("129\u{1B}[3~34\r", "1234"),
            ("12\u{1B}[1;5D\u{1B}[15~34\r", "1234"), ("12\u{1B}[[A\u{1B}[[E34\r", "1234"),
            ("12\u{1B}\u{1B}[D34\r", "1234"),
            ("12\u{0}\u{1}\u{5}\u{B}\u{13}\u{11}\u{16}\u{1A}34\r", "1234"), ("１２34\r", "1234"),
            ("12９\u{7F}34\r", "1234"), ("１２３４５６\r", "123456"), ("12é\u{7F}34\r", "1234"),
            ("12😀\u{7F}34\r", "1234"), ("12a\u{7F}34\r", "1234"), ("\u{1B}[200~1234\u{1B}[201~\r", "1234"),
            ("1234\r5678\r", "1234"), ("1234\u{1B}\r", "1234"), ("1234\u{1B}[\r", "1234"),
        ]
    )
    func digitsOfKeys(keys: String, line: String) {
        let result = digits(keys)
        #expect(result.last == .entered)
        #expect(result.line == line)
    }

    @Test(
        "a line that holds anything but digits is refused and not made to fit",
        arguments: ["12a34\r", "12é34\r", "12 34\r", "1234٣\r", "12😀34\r"]
    )
    func noDigit(keys: String) { #expect(digits(keys).last == .refused(.noDigit)) }

    @Test("bytes that are no UTF-8 are characters that no PIN has, and can be taken away")
    func brokenUTF8() {
        let field = LineEditor.Field.digits(max: 12)
        #expect(typed([0x31, 0x32, 0xEF, 0x33, 0x34, 0x0D], field).last == .refused(.noDigit))
        #expect(typed([0x31, 0x32, 0xFF, 0x7F, 0x33, 0x34, 0x0D], field).line == "1234")
        #expect(typed([0x31, 0x32, 0xEF, 0xBC, 0x0D], field).last == .refused(.noDigit))
    }

    @Test("of a line longer than its field no front part is taken")
    func tooLong() {
        #expect(digits("123456789012\r").line == "123456789012")
        #expect(digits("1234567890123\r").last == .refused(.tooLong))
        #expect(digits("1234567890123456\u{7F}\u{7F}\u{7F}\r").last == .refused(.tooLong))
        let shortened = digits("1234567890123456\u{7F}\u{7F}\u{7F}\u{7F}\r")
        #expect(shortened.last == .entered && shortened.line == "123456789012")
        #expect(digits("1234567890123456\u{15}4321\r").line == "4321")
    }

    @Test("Ctrl-C, Ctrl-D and Ctrl-\\ cancel, inside a sequence too", arguments: ["\u{3}", "\u{4}", "\u{1C}"])
    func cancelled(key: String) {
        #expect(digits("12" + key).last == .cancelled)
        #expect(digits("12\u{1B}" + key).last == .cancelled)
        #expect(digits("12\u{1B}[" + key).last == .cancelled)
        #expect(digits("12\u{1B}O" + key).last == .cancelled)
    }

    @Test("after each key it is known how many characters stand there")
    func characters() {
        var editor = LineEditor(.digits(max: 4))
        let keys = Array("12３\u{7F}\u{1B}[D4567\u{15}".utf8)
        let counts = keys.map { editor.receive($0) }.compactMap { action in
            if case .changed(let characters) = action { characters } else { nil }
        }
        #expect(counts == [1, 2, 3, 2, 3, 4, 5, 6, 0])
    }

    @Test("text keeps whole characters: backspace takes one away, and the field's end splits none")
    func text() {
        let field = LineEditor.Field.text(bytesMax: 5)
        func line(_ keys: String) -> (last: LineEditor.Action, line: String) { typed(Array(keys.utf8), field) }
        #expect(line("aé\u{7F}b\r").line == "ab")
        #expect(line("aé密\u{7F}\u{7F}\u{7F}x\r").line == "x")
        #expect(line("ab\u{1B}[Dc\u{0}\r").line == "abc")
        #expect(line("密é\r").line == "密é")
        #expect(line("abcd密\r").last == .refused(.tooLong))
        let shortened = line("abcd密\u{7F}\r")
        #expect(shortened.last == .entered && shortened.line == "abcd")
        #expect(line("abcde密密\u{7F}\u{7F}\r").line == "abcde")
    }

    private static let keys: [UInt8] = [
        0x30, 0x31, 0x39, 0x7F, 0x15, 0x1B, 0x5B, 0x41, 0xEF, 0xBC, 0x91, 0x00, 0xFF, 0x7E,
    ]

    @Test("any bytes at all: what is entered is digits, and no more than the field holds")
    func anyBytes() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let keys: [UInt8] = (0..<40).map { _ in Self.keys.randomElement(using: &random) ?? 0 }
            let result = typed(keys + [0x0D], .digits(max: 12))
            if result.last == .entered { #expect(result.line.utf8.allSatisfy { (0x30...0x39).contains($0) }) }
            #expect(result.line.utf8.count <= 12)
        }
    }
}
