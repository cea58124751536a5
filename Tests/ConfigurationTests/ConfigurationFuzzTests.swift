import Configuration
import Simulation
import Testing

/// Texts that somebody wrote with slips, some thousand of them and always the same.
struct ConfigurationFuzzTests {
    private static let words = [
        "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "#", "\n", "\r\n", "\\", "\\u0000",
        "\\U0010FFFF", "\u{FEFF}", "\u{2028}", "\u{0}", "[[side.3.pump]]", "side.3.pump.gpio = {", "1e999",
        "-0x",
        "1979-05-27", "07:32:00", "nan", "9223372036854775808", "true",
    ]
    private static let pieces = words.map { Array($0.utf8) } + [[0xC0], [0xED, 0xA0, 0x80], [0xFF]]

    @Test(arguments: [SampleConfiguration.service, .demonstration])
    func aMutatedConfigurationParsesOrNamesALine(sample: SampleConfiguration) {
        var sample = sample
        sample.set("card", "blacklist", "[\n  '0001 0000 0000 0000 0042', # \u{E9}\n  \"00010000000000000043\",\n]")
        let original = Array(sample.lines.joined(separator: "\n").utf8)
        var numbers = SplitMix64(state: 0x70_6D_6C)
        var refusals: Set<String> = []
        for _ in 0..<4_000 {
            var text = original
            for _ in 0...Int.random(in: 0..<4, using: &numbers) { mutate(&text, &numbers) }
            let verdict = verdictOn(text)
            guard verdict != "accepted" else { continue }
            let line = verdict.split(separator: ":").first.flatMap { Int($0) }
            let lines = text.count { $0 == UInt8(ascii: "\n") } + 1
            #expect(line.map { (1...lines).contains($0) } == true, "\(verdict)")
            #expect(!verdict.contains("\n"), "\(verdict)")
            refusals.insert(verdict)
        }
        #expect(refusals.count > 1_000)
    }

    private func mutate(_ text: inout [UInt8], _ numbers: inout SplitMix64) {
        let start = Int.random(in: 0..<text.count, using: &numbers)
        let end = min(text.count, start + Int.random(in: 0..<20, using: &numbers))
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: text[start] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
        case 1: text.removeSubrange(start..<min(end, start + text.count - 1))
        case 2: text.insert(contentsOf: text[start..<end], at: Int.random(in: 0...text.count, using: &numbers))
        case _: text.insert(contentsOf: Self.pieces.randomElement(using: &numbers) ?? [], at: start)
        }
    }
}
