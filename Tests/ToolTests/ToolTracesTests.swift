import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Issuer
import KeyCustody
import KeyFiles
import TestFolders
import TestPrograms
import Testing

/// What a tool of the keys has of a secret at each prompt and afterwards: in locked memory that goes to no core and no swap, and
/// nowhere else. A shell's history has what stands in the arguments.
///
/// The configuration's path is planted: it stands in ordinary memory, in the arguments, in a variable and in a file, and is found in each.
@Suite(
    "Traces of the tools",
    .enabled(if: CardDaemon.isRequired || ProcessMemory.isReadable, Comment(rawValue: ProcessMemory.reasonToSkip)),
    .timeLimit(.minutes(10))
)
struct ToolTracesTests {
    private static let passphrase = "correct horse battery"

    private let bench: CeremonyBench
    private let sheets = [PaperSheet(generating: .aes256), PaperSheet(generating: .aes256)]
    private let temporary: String
    private var folder: TestFolder { bench.folder }

    init() throws {
        bench = try CeremonyBench()
        temporary = bench.folder.path("temporary")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
    }

    // MARK: - The secrets

    private var components: [SecretPatterns] {
        zip(["component 1", "component 2"], sheets).map { name, sheet in
            SecretPatterns(name, aes256Component: sheet.raw, sheet: sheet.digits)
        }
    }

    private var transport: SecretPatterns {
        SecretPatterns("transport key", aes256: zip(sheets[0].raw, sheets[1].raw).map { $0 ^ $1 })
    }

    private var storageKey: SecretPatterns {
        get throws { SecretPatterns("storage key", aes256: try folder.bytes("storage-key")) }
    }

    private var planted: SecretPatterns { SecretPatterns("planted", text: folder.url.lastPathComponent) }

    private func halves(_ name: String, _ raw: borrowing LockedBuffer) -> [SecretPatterns] {
        let bytes = raw.withSpan { span in span.indices.map { span[$0] } }
        return [bytes.prefix(8), bytes.suffix(8)].map { SecretPatterns(name, des: Array($0)) }
    }

    // MARK: - What is expected

    private func tool(_ arguments: [String], _ environment: [String] = []) throws -> ProgramAtTerminal {
        let variables = ["TMPDIR=\(temporary)", "PLANTED=\(folder.url.lastPathComponent)"]
        return try ProgramAtTerminal("greylock", arguments, environment: variables + environment)
    }

    /// While the tool waits. Then it is ended so that a core is left wherever one may be.
    ///
    /// - Parameter held: those that stand in locked memory now.
    private func expectOnlyInOwner(
        _ secrets: [SecretPatterns],
        held: Set<String>,
        _ tool: ProgramAtTerminal,
        _ what: String
    ) throws {
        try ProcessReport.awaitSleep(of: tool.id)
        tool.readScreen()
        let memory = try ProcessMemory(of: tool.id)
        let hits = try memory.search(for: secrets)
        let outside = hits.filter { !$0.isInArena }
        #expect(outside.isEmpty, "\(what): \(outside)")
        #expect(Set(hits.map(\.secret)) == held, "\(what)")
        let open = hits.map(\.mapping).filter { !$0.isLocked || !$0.isLeftOutOfDumps || $0.swapped != 0 }
        #expect(open.isEmpty, "\(what): \(open)")
        let found = try memory.search(for: [planted])
        #expect(!found.isEmpty && !found.contains(where: \.isInArena))

        try expectNoTraces(secrets, tool, what)
        let traces = ProcessTraces(of: tool.id, writingIn: folder.url)
        #expect(try traces.filesElsewhere() == [], "\(what)")
        #expect(try traces.coreLimits() == ["0", "0"], "\(what)")
        tool.allowCore()
        tool.signal(SIGABRT)
        #expect(tool.end() == -SIGABRT, "\(what)")
        // The runtime's reporter shows memory.
        #expect(!tool.log.contains("Backtrac"), "\(what)")
        if ProcessTraces.coresAreLeft { #expect(!tool.leftCore, "\(what)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [], "\(what)")
    }

    private func expectNoTraces(_ secrets: [SecretPatterns], _ tool: ProgramAtTerminal, _ what: String) throws {
        let traces = ProcessTraces(of: tool.id, writingIn: folder.url)
        let said = [tool.screen, tool.log]
        #expect(try traces.search(for: secrets, saying: said, own: ["storage-key"]) == [], "\(what)")
        let found = try traces.search(for: [planted])
        for place in ["cmdline", "environ", "greylock.toml"] { #expect(found.contains { $0.hasSuffix(place) }) }
    }

    // MARK: - The custodians' prompts

    @Test("keys load", arguments: Ceremony.Prompt.allCases)
    func load(prompt: Ceremony.Prompt) throws {
        let ceremony = Ceremony(tool: try tool(["keys", "load", "--config", bench.config]))
        try ceremony.go(to: prompt, sheets[0], sheets[1])
        let secrets = try components + [transport, storageKey]
        try expectOnlyInOwner(
            secrets,
            held: Self.held(at: prompt).union(["storage key"]),
            ceremony.tool,
            "keys load at \(prompt)"
        )
    }

    private static func held(at prompt: Ceremony.Prompt) -> Set<String> {
        switch prompt {
        case .name, .envelope, .seal: []
        // As far as it is typed.
        case .component, .checkValue, .secondName, .secondComponent: ["component 1"]
        case .confirmation: ["component 1", "component 2", "transport key"]
        }
    }

    @Test("keys load, when the keys are stored and the tool ends")
    func afterLoad() throws {
        let ceremony = Ceremony(tool: try tool(["keys", "load", "--config", bench.config]))
        try ceremony.type(sheets[0], sheets[1])
        try ceremony.answer("Wang: is it the one on your sheet, yes or no: ", "yes\r")
        try ceremony.tool.wait(for: "Li: is it the one on your sheet, yes or no: ", on: .screen)
        let secrets = try components + [transport, storageKey]
        let (hits, status) = try ceremony.tool.lookAtExit(
            finish: { try ceremony.tool.type("yes\r") },
            { memory in
                try expectNoTraces(secrets, ceremony.tool, "keys load, after")
                #expect(try !memory.search(for: [planted]).isEmpty)
                return try memory.search(for: secrets)
            }
        )
        #expect(status == 0)
        #expect(hits.isEmpty, "\(hits)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [])
        #expect(try bench.keyStore.read()?.keys.only(.transport) != nil)
    }

    @Test("keys activate, which asks nothing, while it stands in a call to the disk")
    func activate() throws {
        var change = try bench.keyStore.beginChange()
        let master = SystemRandom().secret(16)
        let secrets = halves("MPK", master)
        try change.keys.load(try CeremonyBench.delivery(.purchaseMaster, master), .block, at: 1_790_000_000)
        try change.store()
        let disk = try HangingDisk(in: folder)
        let tool = try tool(
            ["keys", "activate", "--config", bench.config, "1", "1"],
            disk.variables.map { "\($0)=\($1)" }
        )
        disk.fail()
        try disk.awaitHang()
        try expectOnlyInOwner(
            try secrets + [storageKey],
            held: ["MPK", "storage key"],
            tool,
            "keys activate"
        )
    }

    // MARK: - The sheets

    @Test("keys generate, when a page is out and the next waits for its reader")
    func generate() throws {
        let (read, full) = (try Pipe(folder.path("read")), try Pipe(folder.path("full")))
        full.fill()
        let tool = try tool([
            "keys", "generate", "--terminal", "310000000017", "--to", read.path, "--to", full.path,
        ])
        let printed = try PrintedPage(read.page())
        try expectOnlyInOwner([printed.patterns], held: ["component 1"], tool, "keys generate")
    }

    @Test("keys generate, when both pages are out")
    func afterGenerate() throws {
        let (first, second) = (try Pipe(folder.path("first")), try Pipe(folder.path("second")))
        second.fill()
        let tool = try tool([
            "keys", "generate", "--terminal", "310000000017", "--to", first.path, "--to", second.path,
        ])
        let printed = try PrintedPage(first.page())
        let (hits, status) = try tool.lookAtExit(finish: second.drain, { try $0.search(for: [printed.patterns]) })
        #expect(status == 0)
        #expect(hits.isEmpty, "\(hits)")
    }

    // MARK: - The issuer's passphrase

    private func issuer() throws -> String {
        let path = folder.path("issuer")
        let store = KeyStore(generating: CeremonyBench.reference, at: 1_790_000_000)
        var text = Array(Self.passphrase.utf8)
        try folder.write("issuer", store.sealed(under: LockedBuffer(wiping: &text), random: SystemRandom()))
        return path
    }

    private func typePassphrase(_ tool: ProgramAtTerminal) throws {
        try tool.wait(for: "passphrase", on: .screen)
        try tool.wait(for: ": ", on: .screen)
        try tool.type(Self.passphrase)
    }

    @Test(
        "a passphrase that is typed",
        arguments: ["keys new", "keys show", "keys wrap", "keys receipt", "card new", "counter new"]
    )
    func passphrase(command: String) throws {
        let arguments = try self.arguments(command, issuer())
        let tool = try tool(command.split(separator: " ").map(String.init) + arguments)
        try typePassphrase(tool)
        let secret = SecretPatterns("passphrase", text: Self.passphrase)
        // What is typed is not shown: when it has been read, it stands there.
        let patience = Patience()
        while try ProcessMemory(of: tool.id).search(for: [secret], inArena: true).isEmpty {
            guard patience.milliseconds > 0 else { throw OutOfPatience("the passphrase in memory") }
            sched_yield()
        }
        try expectOnlyInOwner([secret], held: ["passphrase"], tool, command)
    }

    private func arguments(_ command: String, _ issuer: String) throws -> [String] {
        switch command {
        case "keys new": return ["--store", folder.path("another")]
        case "keys show": return ["--store", issuer]
        case "keys wrap":
            return ["--store", issuer, "--terminal", "310000000017", "--into", folder.path("blocks")]
        case "keys receipt":
            let receipt = try Program("greylock", ["keys", "receipt", "--config", bench.config], readsOutput: true)
            #expect(receipt.end() == 0)
            let file = try folder.file("receipt", receipt.lines.joined(separator: "\n") + "\n")
            return ["--check", file, "--store", issuer]
        case "card new":
            let profile = try folder.file("card.toml", cardProfile(keys: issuer))
            return ["--profile", profile, "--state", folder.path("card")]
        case _: return ["--book", folder.path("book"), "--store", issuer, "--counter", "310000000099"]
        }
    }

    @Test("keys wrap, with the issuer's keys open, at the custodians' prompts", arguments: Ceremony.Prompt.allCases)
    func wrap(prompt: Ceremony.Prompt) throws {
        let ceremony = Ceremony(tool: try tool(["keys", "wrap"] + arguments("keys wrap", issuer())))
        try typePassphrase(ceremony.tool)
        try ceremony.tool.type("\r")
        try ceremony.go(to: prompt, sheets[0], sheets[1])
        var text = Array(Self.passphrase.utf8)
        let store = try KeyStore(
            opening: folder.bytes("issuer"),
            passphrase: LockedBuffer(wiping: &text),
            at: 1_790_000_000
        )
        let masters = store.newest
        let start = MasterKey.purchase.rawValue * DoubleLengthKey.length
        let asStored = masters.schemeKeys().raw.part(start..<start + DoubleLengthKey.length)
        let secrets =
            components + [transport, SecretPatterns("passphrase", text: Self.passphrase)]
            + halves("MPK", masters.purchaseMaster()) + halves("MPK", asStored)
        try expectOnlyInOwner(
            secrets,
            held: Self.held(at: prompt).union(["MPK"]),
            ceremony.tool,
            "keys wrap at \(prompt)"
        )
    }
}

/// The page of a component, as a custodian reads it.
private struct PrintedPage {
    let patterns: SecretPatterns

    init(_ text: String) throws {
        let groups = text.split(separator: "\n").filter { $0.hasPrefix("groups ") }
            .flatMap { $0.split(separator: ":")[1].split(separator: " ") }
        try #require(groups.count == 16)
        patterns = SecretPatterns(
            "component 1",
            aes256Component: try Hex.bytes(groups.map { $0.prefix(4) }.joined()),
            sheet: groups.joined(separator: " ")
        )
    }
}
