import CardCryptography
import Foundation
import ISO7816
import KeyCustody
import KeyFiles
import TestPrograms
import Testing

/// Who did what, where no custodian types a component.
struct AuditNamesTests {
    private let bench: CeremonyBench

    init() throws { bench = try CeremonyBench(holding: [.record, .purchaseMaster]) }

    @Test("whoever says who he is stands in the audit log")
    func names() throws {
        let verbs = [
            ("activate", ["1", "1"]), ("retire", ["1", "1"]), ("erase", ["RECORD", "1", "1", "--reason", "worn"]),
        ]
        for (verb, arguments) in verbs {
            let result = try bench.run("keys", verb, arguments + ["--name", " Li Na \(verb) "])
            #expect(result.status == 0, "\(result.said)")
        }
        let list = try Program("greylock", ["audit", "list", "\(bench.store)-audit"], readsOutput: true)
        #expect(list.end() == 0)
        for (verb, _) in verbs {
            #expect(
                list.lines.contains { $0.contains("  \(verb)  ") && $0.contains("name Li Na \(verb)") },
                "\(list.lines)"
            )
        }
    }

    @Test(
        "what is no name is refused before anything",
        arguments: ["", " ", "a\u{1B}[2J", String(repeating: "x", count: 41)]
    )
    func noName(name: String) throws {
        let before = try bench.storeBytes
        #expect(try bench.run("keys", "activate", ["1", "1", "--name", name]).status == 64)
        #expect(try bench.storeBytes == before)
    }

    @Test("a seal that was broken is in the log, whose keys are as they were", arguments: [true, false])
    func brokenSeal(isNew: Bool) throws {
        let bench = isNew ? try CeremonyBench(holding: []) : bench
        let before = isNew ? nil : try bench.storeBytes
        let ceremony = try bench.ceremony()
        try ceremony.introduce(seal: "no")
        #expect(ceremony.tool.end() == 65)
        #expect(try (isNew ? nil : bench.storeBytes) == before)
        let log = try #require(try AuditLogFile(of: bench.store, CeremonyBench.terminal).read())
        let facts = [AuditFact("custodian", "Wang"), AuditFact("envelope", "17-A"), AuditFact("seal", "broken")]
        #expect(log.entries.last?.facts == facts && log.entries.last?.action == "refuse")
        #expect(log.faults.isEmpty && log.unstored.isEmpty, "\(log.faults) \(log.unstored)")
        // The next ceremony goes on behind it.
        let again = try bench.ceremony()
        let sheets = [PaperSheet(generating: .aes256), PaperSheet(generating: .aes256)]
        try again.type(sheets[0], sheets[1])
        for name in ["Wang", "Li"] { try again.answer("\(name): is it the one on your sheet, yes or no: ", "yes\r") }
        #expect(again.tool.end() == 0, "\(again.tool.log)")
        let verified = try bench.run("audit", "verify", [])
        #expect(verified.status == 0, "\(verified.said)")
    }

    @Test("of what follows the last right code it is said that nothing shows who wrote it")
    func behindTheLastCode() throws {
        let path = "\(bench.store)-audit"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        let before = try bench.run("audit", "verify", [], readsOutput: true)
        #expect(before.status == 0 && !before.said.contains("the last right code"), "\(before.said)")

        let last = try #require(lines.last).split(separator: " ").map(String.init)
        let (number, change) = try (
            #require(Int(last[0])), #require(last[2].firstMatch(of: /([0-9]+)\.([0-9]+)/))
        )
        let text = try "\(number + 1) \(last[1]) \(change.1).\(#require(Int(change.2)) + 1) erase-all"
        let hash = try Hex.bytes(String(#require(last.first { $0.hasPrefix("hash=") }).dropFirst(5)))
        let forged = SHA256.digest(of: hash + CeremonyBench.terminal.bytes + Array(text.utf8))
        let line = "\(text) hash=\(Hex.string(forged)) code=-"
        try (lines + [line, ""]).joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
        let after = try bench.run("audit", "verify", [], readsOutput: true)
        #expect(
            after.said.contains(
                "entry \(number + 1) follows the last right code: nothing shows that the terminal wrote"
            ),
            "\(after.said)"
        )
    }

    @Test("custodians type their names, nobody says them for them")
    func ofCustodians() throws {
        #expect(try bench.run("keys", "load", ["--name", "Li Na"]).status == 64)
    }

    @Test(
        "what is said of sheets goes with no key blocks",
        arguments: [["--triple-des"], ["--master-index", "1"], ["--version", "2"]]
    )
    func sheetsAndBlocks(options: [String]) throws {
        #expect(try bench.run("keys", "load", options + ["blocks"]).status == 64)
    }
}
