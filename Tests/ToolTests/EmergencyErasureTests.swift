import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms
import Testing

/// `greylock keys erase --all`.
struct EmergencyErasureTests {
    private static let terminal = TerminalID(0x3100_0000_0017)

    private let folder: TestFolder
    private let config: String
    private var secrets: [String] { ["storage-key", "keys"].map(folder.path) }
    private var remaining: [Bool] { secrets.map { FileManager.default.fileExists(atPath: $0) } }

    init() throws {
        folder = try TestFolder()
        let storageKey = try folder.file("storage-key", String(repeating: "k", count: 32))
        #expect(unsafe chmod(storageKey, 0o600) == 0)
        config = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal"), ", capacity = 64"),
                board: #"aid = "F0504554524F4C02""#,
                card: ServiceConfiguration.reader,
                pin: "terminal",
                pump: ServiceConfiguration.simulated(centilitres: 500, speed: 10)
            )
            .replacing("demonstration = true", with: "demonstration = false")
            .replacing("001122334455", with: "\(Self.terminal)")
                + "\n[keys]\nstore = \"\(folder.path("keys"))\"\nstorage_key = \"\(storageKey)\""
        )
        var change = try TerminalKeyStore(folder.path("keys"), of: Self.terminal, storageKey: .file(storageKey))
            .beginChange()
        for usage in [KeyUsage.record, .purchaseMaster] {
            let delivery = KeyDelivery(
                HeldKeyName(usage, KeyReference(index: KeyIndex(1), version: KeyVersion(1))),
                .tripleDES,
                made: try TransactionTime(secondsSince1970: 1_790_000_000),
                SystemRandom().secret(16)
            )
            try change.keys.load(delivery, .block, at: 1_790_000_000)
        }
        try change.store()
    }

    private func erase(_ arguments: String...) throws -> (status: Int32, said: String) {
        let output = try Program("greylock", ["keys", "erase", "--config", config] + arguments, readsOutput: true)
        let status = output.end()
        return (status, output.lines.joined(separator: "\n"))
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
        let program = try Program("greylock", ["keys", "erase", "--config", config] + arguments)
        #expect(program.end() == status, "\(program.lines)")
        #expect(remaining == [true, true])
    }

    @Test("all at once, and again; also where the store does not open any more")
    func all() throws {
        try Data("nonsense".utf8).write(to: URL(filePath: folder.path("storage-key")))
        let first = try erase("--all", "--reason", "the board is sold", "--yes-terminal", "310000000017")
        #expect(first.status == 0)
        #expect(first.said.contains("destroyed: the storage key"))
        #expect(first.said.contains("destroyed: the key store"))
        #expect(first.said.contains("a flash disk may keep copies"))
        #expect(remaining == [false, false])
        let again = try erase("--all", "--reason", "to be sure", "--yes-terminal", "310000000017")
        #expect(again.status == 0 && again.said.contains("not there: the storage key"), "\(again.said)")
    }

    @Test("what cannot be destroyed is named, and the status says it")
    func left() throws {
        #expect(unsafe unlink(folder.path("storage-key")) == 0)
        try FileManager.default.createDirectory(
            atPath: folder.path("storage-key"),
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
            let command = ["keys", "erase", "--config", config, "--all", "--reason", "x"]
            let tool = try ProgramAtTerminal("greylock", command)
            try tool.wait(for: "type the terminal's id: ", on: .screen)
            try tool.type(typed)
            #expect(tool.end() == status)
            #expect(remaining == [remains, remains])
        }
    }

    @Test("a running service ends within its look, and the next one is a board without keys")
    func whileItRuns() throws {
        let service = try ProgramAtTerminal("greylock", ["run", "--config", config])
        try service.wait(for: "selling=none", on: .log)
        #expect(try erase("--all", "--reason", "stolen", "--yes-terminal", "310000000017").status == 0)
        try service.wait(for: "all keys were erased: the service ends", on: .log)
        #expect(service.end() == 74)
        let next = try ProgramAtTerminal("greylock", ["run", "--config", config])
        try next.wait(for: "this terminal has no keys", on: .log)
        next.signal(SIGTERM)
        #expect(next.end() == 0)
    }
}
