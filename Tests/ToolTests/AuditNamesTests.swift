import KeyCustody
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

    @Test("custodians type their names, nobody says them for them")
    func ofCustodians() throws {
        #expect(try bench.run("keys", "load", ["--name", "Li Na"]).status == 64)
    }
}
