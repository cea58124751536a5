import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import TestFolders
import TestPrograms
import Testing

/// A store under a new storage key, and what a terminal says that it holds.
@Suite("keys rewrap and keys receipt", .timeLimit(.minutes(10)))
struct KeysRewrapTests {
    private let bench: CeremonyBench

    init() throws { bench = try CeremonyBench() }

    private func run(_ arguments: [String], readsOutput: Bool = false) throws -> (status: Int32, said: String) {
        let program = try Program("greylock", ["keys"] + arguments, readsOutput: readsOutput)
        let status = program.end()
        return (status, program.lines.joined(separator: "\n"))
    }

    private func storageKey(_ name: String, _ byte: String) throws -> String {
        let path = try bench.folder.file(name, String(repeating: byte, count: 32))
        #expect(unsafe chmod(path, 0o600) == 0)
        return path
    }

    private func keys(_ storageKey: String) throws -> TerminalKeys? {
        try TerminalKeyStore(bench.store, of: CeremonyBench.terminal, storageKey: .file(storageKey)).read()?.keys
    }

    @Test("the store opens with the new key alone, and its number rises; again, nothing changes")
    func rewrapped() throws {
        let before = try #require(try keys(bench.storageKey))
        let new = try storageKey("new", "n")
        let done = try run(["rewrap", "--config", bench.config, "--to", new, "--json"], readsOutput: true)
        #expect(done.status == 0 && done.said.contains("\"wasAlready\" : false"), "\(done.said)")
        let after = try #require(try keys(new))
        #expect(after.number == before.number.next(at: 0) && after.keys.map(\.name) == before.keys.map(\.name))
        #expect(throws: (any Error).self) { _ = try keys(bench.storageKey) }
        let bytes = try bench.storeBytes
        for isGone in [false, true] {
            if isGone { #expect(unsafe unlink(bench.storageKey) == 0) }
            let again = try run(["rewrap", "--config", bench.config, "--to", new], readsOutput: true)
            #expect(again.status == 0 && again.said.contains("opens already with file"), "\(again.said)")
        }
        #expect(try bench.storeBytes == bytes)
    }

    @Test("what is refused leaves the store as it was")
    func refused() throws {
        let bytes = try bench.storeBytes
        let short = try bench.folder.file("short", "n")
        #expect(unsafe chmod(short, 0o600) == 0)
        for (to, reason) in [
            (bench.storageKey, "has already: make a new one"), (short, "fewer than 32 bytes"),
            (bench.folder.path("none"), "No such file"),
        ] {
            let refused = try run(["rewrap", "--config", bench.config, "--to", to])
            #expect(refused.status == 74 && refused.said.contains(reason), "\(refused.said)")
        }
        #expect(try run(["rewrap", "--config", bench.config]).status == 64)
        #expect(try run(["rewrap", "--config", bench.config, "--to", "key"]).status == 64)
        #expect(try bench.storeBytes == bytes)
    }

    @Test("a full disk leaves the old key, and says so")
    func fullDisk() throws {
        let bytes = try bench.storeBytes
        let new = try storageKey("new", "n")
        let tool = try ProgramAtTerminal(
            "greylock",
            ["keys", "rewrap", "--config", bench.config, "--to", new],
            environment: try SlippedSystem(in: bench.folder).environment("SLIP_FULL")
        )
        #expect(tool.end() == 74)
        #expect(
            tool.log.contains(
                "No space left on device; \(bench.store) opens with file \(bench.storageKey)"
            )
        )
        #expect(try bench.storeBytes == bytes)
    }

    @Test("a receipt is coded under the terminal's record key")
    func receipt() throws {
        let written = try run(["receipt", "--config", bench.config], readsOutput: true)
        #expect(written.status == 0, "\(written.said)")
        let record = try #require(try keys(bench.storageKey)?.only(.record)?.secret)
        let receipt = try KeyReceipt(parsing: written.said)
        let isAuthentic = receipt.isAuthentic(under: record.raw)
        #expect(isAuthentic && receipt.terminal == CeremonyBench.terminal)
        let file = try bench.folder.file("receipt", String(written.said.dropLast(40)))
        let refused = try run(["receipt", "--check", file, "--store", bench.store])
        #expect(refused.status == 65 && refused.said.contains("is no receipt, or not a whole one"), "\(refused.said)")
        #expect(try run(["receipt", "--check", file]).status == 64)
    }

    @Test("each report is one JSON object")
    func json() throws {
        for arguments in [["list"], ["receipt"], ["erase", "RECORD", "1", "1", "--reason", "worn"]] {
            let said = try run(arguments + ["--config", bench.config, "--json"], readsOutput: true)
            #expect(said.status == 0)
            let object = try JSONSerialization.jsonObject(with: Data(said.said.utf8)) as? [String: Any]
            #expect(object?["terminal"] as? String == "\(CeremonyBench.terminal)", "\(said.said)")
        }
    }
}
