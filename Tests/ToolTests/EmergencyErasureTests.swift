import Foundation
import Glibc
import KeyCustody
import KeyFiles
import TestFolders
import TestPrograms
import Testing

/// `greylock keys erase --all`.
struct EmergencyErasureTests {
    private let bench: CeremonyBench
    private var secrets: [String] { [bench.storageKey, bench.store] }
    private var remaining: [Bool] { secrets.map { FileManager.default.fileExists(atPath: $0) } }

    init() throws { bench = try CeremonyBench(holding: [.record, .purchaseMaster]) }

    private func erase(_ arguments: String...) throws -> (status: Int32, said: String) {
        try bench.run("keys", "erase", arguments, readsOutput: true)
    }

    @Test(
        "what is not said whole destroys nothing",
        arguments: [
            (["--all"], 64), (["--all", "--reason", "  "], 64), (["--all", "MPK", "1", "1", "--reason", "lost"], 64),
            (["--reason", "lost"], 64), (["MPK", "1", "1"], 64),
            (["--all", "--reason", "lost", "--yes-terminal", "310000000018"], 65),
            (["--all", "--reason", "lost", "--yes-terminal", ""], 65),
        ] as [([String], Int32)]
    )
    func refused(arguments: [String], status: Int32) throws {
        let result = try bench.run("keys", "erase", arguments)
        #expect(result.status == status, "\(result.said)")
        #expect(remaining == [true, true])
    }

    @Test("all at once, and again; also where the store does not open any more")
    func all() throws {
        try Data("nonsense".utf8).write(to: URL(filePath: bench.storageKey))
        let first = try erase("--all", "--reason", "the board is sold", "--yes-terminal", "310000000017")
        #expect(first.status == 0)
        #expect(first.said.contains("destroyed: the storage key"))
        #expect(first.said.contains("destroyed: the key store"))
        #expect(first.said.contains("a flash disk may keep copies"))
        #expect(remaining == [false, false])
        let again = try erase("--all", "--reason", "to be sure", "--yes-terminal", "310000000017")
        #expect(again.status == 0 && again.said.contains("not there: the storage key"), "\(again.said)")
    }

    @Test("for another program: what became of each place, and in the log who asked for it")
    func json() throws {
        let words = [
            "--all", "--json", "--reason", "  sold to Łódź ", "--name", "Ana Souza", "--yes-terminal", "310000000017",
        ]
        let result = try bench.run("keys", "erase", words, readsOutput: true)
        #expect(result.status == 0)
        let report = try JSONDecoder().decode(Report.self, from: Data(result.said.utf8))
        #expect(report.terminal == "\(CeremonyBench.terminal)" && report.complete)
        #expect(report.lines.contains { $0.hasPrefix("destroyed: the key store") })
        let log = try #require(try AuditLogFile(of: bench.store, CeremonyBench.terminal).read())
        let facts = [AuditFact("reason", "sold to Łódź"), AuditFact("name", "Ana Souza")]
        #expect(log.entries.last?.facts == facts)
    }

    private struct Report: Decodable {
        let terminal: String
        let complete: Bool
        let lines: [String]
    }

    @Test("whatever is wrong in the configuration but whose keys they are, and where")
    func wrongConfiguration() throws {
        let text = try String(contentsOfFile: bench.config, encoding: .utf8)
        let wrong = text.replacing("F0504554524F4C02", with: "no AID").replacing("[side.1", with: "[place.1")
        _ = try bench.folder.file("greylock.toml", "unknown = 1\n" + wrong)
        #expect(try bench.run("keys", "list", []).status == 78)
        let result = try erase("--all", "--reason", "lost", "--yes-terminal", "310000000017")
        #expect(result.status == 0, "\(result.said)")
        #expect(remaining == [false, false])
        _ = try bench.folder.file("greylock.toml", text.replacing("store = ", with: "stor = "))
        #expect(try erase("--all", "--reason", "lost", "--yes-terminal", "310000000017").status == 78)
    }

    @Test("what cannot be destroyed is named, and the status says it")
    func left() throws {
        #expect(unsafe unlink(bench.storageKey) == 0)
        try FileManager.default.createDirectory(
            atPath: bench.storageKey,
            withIntermediateDirectories: false
        )
        let result = try erase("--all", "--reason", "lost", "--yes-terminal", "310000000017")
        #expect(result.status == 74 && result.said.contains("NOT DESTROYED: the storage key"), "\(result.said)")
        #expect(remaining == [true, false])
    }

    @Test("the terminal's id is typed; another one, or Ctrl-C, destroys nothing")
    func typed() throws {
        for (typed, status, remains) in [
            ("310000000018\r", 65, true), ("\u{3}", 1, true), ("\r310000000017\r", 65, true),
            ("310000000017\r", 0, false),
        ] as [(String, Int32, Bool)] {
            let command = ["keys", "erase", "--config", bench.config, "--all", "--reason", "x"]
            let tool = try ProgramAtTerminal("greylock", command)
            try tool.wait(for: "type the terminal's id: ", on: .screen)
            try tool.type(typed)
            #expect(tool.end() == status)
            #expect(remaining == [remains, remains])
        }
    }

    @Test("a running service ends within its look, and the next one is a board without keys")
    func whileItRuns() throws {
        let service = try ProgramAtTerminal("greylock", ["run", "--config", bench.config])
        try service.wait(for: "selling=none", on: .log)
        #expect(try erase("--all", "--reason", "stolen", "--yes-terminal", "310000000017").status == 0)
        try service.wait(for: "all keys were erased: the service ends", on: .log)
        #expect(service.end() == 74)
        let next = try ProgramAtTerminal("greylock", ["run", "--config", bench.config])
        try next.wait(for: "this terminal has no keys", on: .log)
        next.signal(SIGTERM)
        #expect(next.end() == 0)
    }
}
