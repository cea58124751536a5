import Console
import Testing

@Suite("A line that is shown as it is typed")
struct OpenLineTests {
    /// What the terminal is sent for each key, and the line at last.
    private func typed(_ bytes: [UInt8], question: String = "name", width: Int = 80) -> (shown: String, line: String?) {
        var line = OpenLine(question: question, width: width)
        var shown = ""
        for byte in bytes {
            switch line.receive(byte) {
            case .shows(let text): shown += text
            case .entered(let text): return (shown, text)
            case .cancelled: return (shown, nil)
            }
        }
        return (shown, nil)
    }

    private func typed(_ text: String, question: String = "name", width: Int = 80) -> (shown: String, line: String?) {
        typed(Array(text.utf8), question: question, width: width)
    }

    @Test(
        "a key that takes away steps back over as many columns as the character has",
        arguments: [
            ("ab\u{7F}c\r", "ab\u{8} \u{8}c", "ac"), ("ab\u{8}c\r", "ab\u{8} \u{8}c", "ac"),
            ("北京\u{7F}\r", "北京\u{8} \u{8}\u{8} \u{8}", "北"), ("ab\u{15}c\r", "ab\u{8} \u{8}\u{8} \u{8}c", "c"),
            ("\u{7F}\u{15}a\r", "a", "a"), ("ab\u{1B}[3~\r", "ab\u{8} \u{8}", "a"),
        ]
    )
    func removed(keys: String, shown: String, line: String) {
        let typed = typed(keys)
        #expect(typed.shown == shown)
        #expect(typed.line == line)
    }

    @Test("a line that reaches the next row is written anew with its question")
    func wrapped() {
        // "name: " and four columns.
        #expect(typed("abc\u{7F}\r", width: 10).shown == "abc\u{8} \u{8}")
        #expect(typed("abcd\u{7F}\r", width: 10).shown == "abcd\nname: abc")
        #expect(typed("abcd\u{7F}\r", question: "the whole\n  name", width: 12).shown == "abcd\nthe whole\n  name: abc")
    }

    @Test("arrows and function keys type nothing", arguments: ["\u{1B}[D", "\u{1B}OP", "\u{1B}[15~"])
    func arrows(keys: String) {
        let typed = typed("a\(keys)b\r")
        #expect(typed.shown == "ab")
        #expect(typed.line == "ab")
    }

    @Test("what is no text, or too long, is no line; half a character is taken away whole")
    func refused() {
        #expect(typed([0x61, 0xFF, 0x0D]).line == nil)
        #expect(typed(String(repeating: "a", count: 512) + "\r").line?.count == 512)
        #expect(typed(String(repeating: "a", count: 513) + "\r").line == nil)
        #expect(typed([0x61, 0xE5, 0x8C, 0x7F, 0x62, 0x0D]).line == "ab")
    }

    @Test("a key that moves the cursor is shown in words")
    func control() {
        let typed = typed("a\u{9}\u{7F}b\r")
        #expect(!typed.shown.contains("\u{9}"))
        #expect(typed.line == "ab")
    }

    @Test("keys that break off", arguments: ["\u{3}", "\u{4}", "\u{1C}"])
    func cancelled(key: String) throws {
        var line = OpenLine(question: "name", width: 80)
        #expect(line.receive(UInt8(ascii: "a")) == .shows("a"))
        #expect(line.receive(try #require(key.utf8.first)) == .cancelled)
    }
}
