import Codes
import Console
import Explanations
import Foundation
import TestFolders
import TestPrograms
import Testing

@Suite("Codes and what they mean")
struct CodesTests {
    private static let table = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Codes/Documentation.docc/Codes.md")

    private struct Row: Hashable {
        let code: String
        let kind: String
        let messageID: String
    }

    @Test("a code is taken as it is copied, two of one line too, and what doctor found is sent there")
    func copied() throws {
        let both = try Run("greylock", ["explain", "[parameters-refused, parameters-older]"])
        #expect(both.status == 0, "\(both.error)")
        for code in ["parameters-refused (", "parameters-older ("] { #expect(both.output.contains(code)) }
        let wrong = try Run("greylock", ["explain", "[parameters-refused, parameters-odler]"])
        #expect(wrong.status == 64 && wrong.error.contains("parameters-older"), "\(wrong.error)")
        let found = try Run("greylock", ["explain", "pcscd-stopped"])
        #expect(found.status == 64 && found.error.contains("greylock doctor --list"), "\(found.error)")
    }

    @Test("the codes are those of the list that is kept, with their message ids")
    func kept() throws {
        let kept = try String(contentsOf: Self.table, encoding: .utf8).split(separator: "\n").compactMap {
            line -> Row? in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[0].hasPrefix("`") else { return nil }
            return Row(code: cells[0].filter { $0 != "`" }, kind: cells[1], messageID: cells[2].filter { $0 != "`" })
        }
        let present = EventCode.allCases.map {
            Row(code: $0.rawValue, kind: $0.kind, messageID: "\(MessageID(of: $0))")
        }
        #expect(Set(kept).subtracting(present).isEmpty, "a code is gone or means something else")
        #expect(Set(present).subtracting(kept).isEmpty, "a new code does not stand in the list")
        #expect(kept.count == present.count)
    }

    @Test("no two events have the same code, and each is found by it")
    func unique() {
        #expect(Set(EventCode.allCases.map(\.rawValue)).count == EventCode.allCases.count)
        for code in EventCode.allCases {
            #expect(EventCode(rawValue: code.rawValue) == code)
            #expect(code.rawValue.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(code)")
        }
        #expect(EventCode(rawValue: "") == nil && EventCode(rawValue: "pin-wrong ") == nil)
    }

    /// By `uuid.uuid5` of Python 3.13.
    @Test(
        "message ids are UUIDs of version 5",
        arguments: [
            ("pin-wrong", "a182629f21a55bfca14deef2f2e28f9e"), ("exit-78", "49a1d12fb1b65046b58ef8c54e93aa05"),
            ("insert-card", "16ad6815a1b15e399312cae0343cac85"),
        ]
    )
    func messageIDs(code: String, id: String) throws {
        #expect("\(MessageID(of: try #require(EventCode(rawValue: code))))" == id)
    }

    @Test("each code has words of its own for what it means and what to do", arguments: EventCode.allCases)
    func words(code: EventCode) {
        let explanation = code.explanation
        #expect(
            (4...70).contains(explanation.subject.count) && !explanation.subject.hasSuffix("."),
            "\(explanation.subject)"
        )
        #expect(explanation.meaning.hasSuffix("."), "\(explanation.meaning)")
        for act in explanation.acts { #expect(!act.words.isEmpty && !act.words.hasSuffix(".")) }
        for line in explanation.lines + [explanation.subject] {
            #expect(!line.contains("@") && line.allSatisfy { $0.isASCII && $0 != "\n" }, "\(line)")
        }
    }

    @Test("no two codes have the same subject")
    func subjects() {
        #expect(Set(EventCode.allCases.map(\.explanation.subject)).count == EventCode.allCases.count)
    }

    @Test("every tool that an explanation names is one, with its options")
    func tools() throws {
        let text = EventCode.allCases.flatMap(\.explanation.lines).joined(separator: "\n")
        var named: [String: Set<String>] = [:]
        for match in text.matches(of: /greylock ((?:[a-z]+ )?[a-z]+)((?: [A-Z]+| --[a-z-]+)*)/) {
            let words = match.1.split(separator: " ").map(String.init)
            let isFamily = Self.families.contains(words[0]) || ["import", "export"].contains(words.last)
            let tool = isFamily ? words.prefix(2).joined(separator: " ") : words[0]
            named[tool, default: []].formUnion(
                match.2.split(separator: " ").map(String.init).filter { $0.hasPrefix("--") }
            )
        }
        #expect(named.count > 15, "\(named.keys.sorted())")
        for (tool, options) in named {
            // Without a word it is the list that is meant.
            let words = tool == "records" ? ["records", "list"] : tool.split(separator: " ").map(String.init)
            let help = try Run("greylock", ["help"] + words)
            #expect(help.status == 0 && !help.output.contains("SUBCOMMANDS"), "greylock \(tool)")
            for option in options { #expect(help.output.contains(option), "greylock \(tool) \(option)") }
        }
    }

    private static let families: Set<String> = [
        "audit", "card", "counter", "keys", "parameters", "pulses", "station",
    ]
}
