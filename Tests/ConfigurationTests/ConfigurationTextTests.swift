import Configuration
import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// Files that cannot be read, texts that are not TOML, and the lines of keys in texts that are.
struct ConfigurationTextTests {
    /// A key that is nowhere known, and the line that the error must name.
    @Test(arguments: [
        // comments
        ("# unknown = 1\n\n  # [journal]\nunknown = 1 # unknown\n", 4, "unknown"),
        ("a = '#' # '\nunknown = 1\n", 1, "a"),
        // line ends
        ("\r\n# comment\r\nunknown = 1\r\n", 3, "unknown"),
        ("\u{FEFF}unknown = 1\n", 1, "unknown"),
        ("\u{FEFF}\r\nunknown = 1", 2, "unknown"),
        // dotted keys and tables
        ("\njournal.\n", 2, "syntax"),
        ("\njournal . unknown = 1\n", 2, "journal.unknown"),
        ("[side.3.pump.gpio]\n\nunknown = 1\n[side.3.pump]\nkind = 'gpio'\n", 3, "side.3.pump.gpio.unknown"),
        ("[ side . 3 . pump . 'unknown' ]\n", 1, "side.3.pump.unknown"),
        ("[side.3.pump]\ngpio.unknown = 1\nkind = 'gpio'\n", 2, "side.3.pump.gpio.unknown"),
        // inline tables and arrays over several lines
        ("\nside.3.pump = { kind = 'gpio', gpio = { unknown = 1 } }\n", 2, "side.3.pump.gpio.unknown"),
        ("[card]\nblacklist = [ # ]\n  '00010000000000000042', # one\n\n]\nunknown = 1\n", 6, "card.unknown"),
        ("[side.3.pump]\nx = [[1, [2]],\n[3]]\n", 2, "side.3.pump.x"),
        // strings that look like something else
        (
            "[side.3.card]\nreader = \"\"\"\nunknown = 1 \\\n[side.3.pump] \\\n\"\"\"\nunknown = 1\n", 6,
            "side.3.card.unknown"
        ),
        ("[side.3.card]\nreader = '''\nunknown = 1'''\nunknown = 1\n", 4, "side.3.card.unknown"),
        ("[side.3.card]\nreader = \"\"\"a\"\" \\\n \\\"\"\"\"\"\"\nunknown = 1\n", 4, "side.3.card.unknown"),
        ("[side.3.card]\nreader = \"\\\"\\\\\"\nunknown = 1\n", 3, "side.3.card.unknown"),
        ("[side.3.card]\nreader = '\\'\nunknown = ']'\n", 3, "side.3.card.unknown"),
        // quoted keys
        ("\"un\\u006Bnown\" = 1\n", 1, "unknown"),
        ("\n\"a b\" = 1\n", 2, "\"a b\""),
        ("\n'' = 1\n", 2, "\"\""),
        ("'\u{E9}' = 1\n'e\u{301}' = 1\n", 1, "\"\u{E9}\""),
        ("\n\"a\\nb\" = 1\n", 2, "\"a\\u{A}b\""),
        ("\n[side.3.card]\n\"kind\" = 5\n", 3, "side.3.card.kind"),
    ])
    func theErrorNamesTheLine(text: String, line: Int, key: String) {
        let verdict = verdictOn(text)
        #expect(verdict.hasPrefix("\(line): \(key): "), "\(verdict)")
        #expect(!verdict.contains("\n"))
    }

    @Test func linesBetweenElementsAreFound() {
        var sample = SampleConfiguration.service
        sample.set("card", "blacklist", "[\n  '00010000000000000042', # 1\n  '0001 0000 0000 0000 004A',\n]")
        #expect(
            sample.verdict
                == "8: card.blacklist[2]: 20 digits in quotation marks (found \"0001 0000 0000 0000 004A\")"
        )
    }

    @Test(arguments: ["\n", "\r\n"])
    func theSampleLoadsWithEitherLineEnd(separator: String) {
        let text = SampleConfiguration.service.lines.joined(separator: separator)
        #expect(verdictOn(text) == "accepted")
        #expect(verdictOn("\u{FEFF}" + text) == "accepted")
    }

    /// Another way to write the same.
    @Test func dottedKeysAndInlineTablesLoad() {
        let lines = [
            "demonstration = true", "terminal = { id = '001122334455' }", "journal.path = '/tmp/j'",
            "side.1.card.kind = 'virtual'", "side.1.pin.\"kind\" = 'fixed'",
            "side.1.pump = { kind = 'simulated', nozzle = 1, grade = '92', price = 1 }",
        ]
        #expect(verdictOn(lines.joined(separator: "\n")) == "accepted")
    }

    @Test func aKeyThatStandsTwiceIsASyntaxError() {
        var sample = SampleConfiguration.service
        sample.lines.insert("id = '310000000018'", at: 2)
        #expect(sample.verdict.hasPrefix("3: syntax: TOML (found "), "\(sample.verdict)")
        sample = .service
        sample.lines += ["[card]", "key_index = 2"]
        #expect(sample.verdict.hasPrefix("\(sample.lines.count - 1): syntax: TOML (found "), "\(sample.verdict)")
    }

    @Test(arguments: ["position", "position = ", "position = 1 2", "[terminal", "= 1", "a = \"", "a = [1", "a = 01"])
    func whatIsNoTOMLIsASyntaxErrorOnItsLine(statement: String) {
        let verdict = verdictOn("\n\n\(statement)\n")
        #expect(
            verdict.hasPrefix("3: syntax: TOML (found ") || verdict.hasPrefix("4: syntax: TOML (found "),
            "\(verdict)"
        )
    }

    /// Every prefix of the text is refused with one line or accepted, and never traps.
    @Test func everyPrefixHasAVerdict() {
        var sample = SampleConfiguration.service
        sample.set("side.3.card", "reader", "\"\"\"a\\u00e9\"\"\"")
        let bytes = Array(sample.lines.joined(separator: "\n").utf8)
        for count in 0...bytes.count {
            #expect(!verdictOn(Array(bytes.prefix(count))).contains("\n"))
        }
        #expect(verdictOn(bytes) == "accepted")
    }

    @Test func nulIsRefusedHoweverItIsWritten() {
        #expect(verdictOn("a = 1\nb = '\u{0}'\n") == "2: syntax: a text without NUL (found NUL)")
        #expect(verdictOn("a = 1\nb = \"x\\u0000y\"\n") == "2: syntax: TOML (found an escaped NUL)")
        #expect(verdictOn("a = 1\n\"position\\U00000000\" = 1\n") == "2: syntax: TOML (found an escaped NUL)")
        #expect(verdictOn("# \\u0000\nunknown = '\\u0000'").hasPrefix("2: unknown: "))
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(
            verdictOn(Array("a = 1\nb = '".utf8) + [0xFF, 0x27]) == "2: syntax: a text in UTF-8 (found other bytes)"
        )
    }

    @Test func aTextThatIsTooLargeIsRefused() {
        let sample = Array(SampleConfiguration.service.lines.joined(separator: "\n").utf8)
        let comment = Array("\n#".utf8) + Array(repeating: UInt8(ascii: "x"), count: 65_536 - sample.count - 2)
        #expect(verdictOn(sample + comment) == "accepted")
        #expect(verdictOn(sample + comment + [0x78]) == "1: file: at most 65536 bytes (found more)")
    }

    /// At these, and at those of the next test, toml++ ends the process where its assertions are on.
    @Test(arguments: ["[,a]", "[[ =", "[ .a]", "[#", "[\n", "[[\n]]", "[é]"])
    func aHeaderWithoutAKeyIsASyntaxError(header: String) {
        let verdict = verdictOn("a = 1\n\(header)\n")
        #expect(verdict.hasPrefix("2: syntax: TOML (found "), "\(verdict)")
        #expect(verdict.contains("expected bare key starting character or string delimiter"), "\(verdict)")
    }

    @Test(arguments: [("a = [}", 6), ("a = [1, }]", 9), ("a = { b = [[} ]", 13), ("a = [\u{2028}]", 6)])
    func anElementThatIsNoValueIsASyntaxError(statement: String, column: Int) {
        #expect(
            verdictOn("\n\(statement)\n")
                == "2: syntax: TOML (found Error while parsing value: could not determine value type, column \(column))"
        )
    }

    @Test func nestingHasALimit() {
        let limit = "syntax: TOML (found more than 8 levels)"
        let keys = Array(repeating: "a", count: 9).joined(separator: ".")
        #expect(verdictOn("\n\(keys) = 1\n") == "2: \(limit)")
        #expect(verdictOn("\n[\(keys)]\n") == "2: \(limit)")
        #expect(verdictOn("x = [[[[[[[1]]]]]]]").hasPrefix("1: x: a known key, "))
        #expect(verdictOn("x = [[[[[[[[1]]]]]]]]") == "1: \(limit)")
    }

    /// Deeper than the stack of what reads them, if they were read.
    @Test func whatIsNestedDeeplyIsRefusedOnItsLine() {
        let dotted = Array(repeating: "a", count: 30_000).joined(separator: ".")
        for text in ["\(dotted) = 1", "[\(dotted)]", "\(dotted) = 1\nb = "] {
            #expect(verdictOn("\n\(text)\n") == "2: syntax: TOML (found more than 1024 dots)")
        }
        for (open, count) in [("[", 60_000), ("{x=", 20_000), ("[{x=", 15_000)] {
            let verdict = verdictOn("\nx = " + String(repeating: open, count: count))
            #expect(verdict.hasPrefix("2: syntax: TOML (found "), "\(verdict)")
            #expect(verdict.contains("exceeded maximum nested value depth of 16"), "\(verdict)")
        }
        let widest = Array(repeating: "a", count: 1_024).joined(separator: ".")
        #expect(verdictOn("[\(widest)]\nx = [").hasPrefix("2: syntax: TOML (found Error while parsing array: "))
        #expect(verdictOn("[\(widest)]") == "1: syntax: TOML (found more than 8 levels)")
    }

    @Test func whatIsFoundStaysOnOneLineAndShort() {
        var sample = SampleConfiguration.service
        let line = sample.set("journal", "path", "\"a\\nb\\u001B\\u2028\"")
        #expect(
            sample.verdict
                == "\(line): journal.path: a path that begins with / (found \"a\\u{A}b\\u{1B}\\u{2028}\")"
        )
        sample.set("journal", "path", "'\(String(repeating: "x", count: 61))'")
        let clipped = String(repeating: "x", count: 60)
        #expect(sample.verdict == "\(line): journal.path: a path that begins with / (found \"\(clipped)...\")")
    }

    @Test func aFileThatCannotBeReadIsAnErrorOfOneLine() throws {
        let missing = NSTemporaryDirectory() + "/greylock-\(UUID().uuidString)"
        #expect(load(missing) == "\(missing):1: file: a readable file (found No such file or directory)")
        let regular = "a regular file: write it to a disk first"
        #expect(load("/tmp") == "/tmp:1: file: \(regular) (found a folder)")
        #expect(load("/dev/zero") == "/dev/zero:1: file: \(regular) (found a device)")
    }

    @Test func aPipeIsNotWaitedFor() throws {
        let folder = try TestFolder()
        let pipe = folder.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        for more in [[], ["--close-valves"]] {
            let run = try Run("greylockd", ["--config", pipe] + more)
            #expect(run.status == 78)
            let words = "\(pipe):1: file: a regular file: write it to a disk first (found a pipe)"
            #expect(run.error.contains(words), "\(run.error)")
        }
    }

    /// Content, mode, owner and kind of file are final; a file system that is not mounted yet is not (decision record 0024).
    @Test(arguments: ["absent/greylock.toml", "loop"], [[], ["--close-valves"]])
    func aFileThatCannotBeOpenedIsTriedAgain(name: String, more: [String]) throws {
        let folder = try TestFolder()
        let loop = folder.path("loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let run = try Run("greylockd", ["--config", folder.path(name)] + more)
        #expect(run.status == 74, "\(run.error)")
        #expect(run.error.contains("\(folder.path(name)):1: file: a readable file (found "), "\(run.error)")
    }

    private func load(_ path: String) -> String {
        do throws(ConfigurationError) {
            _ = try Configuration.load(path: path)
            return "accepted"
        } catch {
            return error.description
        }
    }
}
