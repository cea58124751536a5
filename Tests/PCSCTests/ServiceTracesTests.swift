import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Issuer
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// Where a service with keys of its own, and the counter's tool, show or leave a secret while a card is in the reader: in locked
    /// memory that goes to no core and no swap, and nowhere else.
    @Suite(
        .enabled(
            if: CardDaemon.isRequired || ProcessMemory.isReadable,
            Comment(rawValue: ProcessMemory.reasonToSkip)
        ),
        .timeLimit(.minutes(10))
    )
    struct ServiceTracesTests {
        private static let terminal = TerminalID(0x3100_0000_0017)
        private static let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        private static let aid: [UInt8] = [0xF0, 0x50, 0x45, 0x54, 0x52, 0x4F, 0x4C, 0x02]
        private static let passphrase = "correct horse battery"
        private static let files: Set<String> = ["storage-key"]

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let temporary: String

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            temporary = folder.path("temporary")
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
        }

        private func program(_ arguments: [String]) throws -> ProgramAtTerminal {
            let name = folder.url.lastPathComponent
            return try ProgramAtTerminal(
                "greylock",
                arguments,
                environment: ["TMPDIR=\(temporary)", "PLANTED=\(name)"]
            )
        }

        private var planted: SecretPatterns { SecretPatterns("planted", text: folder.url.lastPathComponent) }

        private func configuration() throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    board: #"aid = "\#(Hex.string(Self.aid))""#,
                    card: ServiceConfiguration.reader,
                    pin: "terminal",
                    grace: 1,
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 2),
                    isSealed: false
                )
                .replacing("demonstration = true", with: "demonstration = false")
                .replacing("001122334455", with: "\(Self.terminal)")
                    + """

                    [keys]
                    store = "\(folder.path("keys"))"
                    storage_key = "\(folder.path("storage-key"))"
                    """
            )
        }

        /// With the demonstration's MPK, so that its card pays here; all else is this terminal's own.
        private func armed() throws -> [SecretPatterns] {
            let storageKey = SystemRandom().bytes(32)
            try folder.write("storage-key", storageKey)
            let store = TerminalKeyStore(
                folder.path("keys"),
                of: Self.terminal,
                storageKey: .file(folder.path("storage-key"))
            )
            let made = try TransactionTime(secondsSince1970: 1_790_000_000)
            let record = SystemRandom().secret(16)
            let transport = SystemRandom().secret(32)
            let secrets = [
                SecretPatterns("storage key", aes256: storageKey),
                SecretPatterns("transport key", aes256: transport.withSpan { span in span.indices.map { span[$0] } }),
                SecretPatterns("record key", des: record.withSpan { span in (0..<8).map { span[$0] } }),
                SecretPatterns("record key", des: record.withSpan { span in (8..<16).map { span[$0] } }),
            ]
            var change = try store.beginChange()
            let master = HeldKeyName(.purchaseMaster, Self.reference)
            for (usage, cipher, key) in [
                (KeyUsage.transport, BlockCipherKey.Cipher.aes, SecretKey(transport)),
                (.record, .tripleDES, SecretKey(record)),
                (.purchaseMaster, .tripleDES, SecretKey(MasterKey.purchase.demonstration)),
            ] {
                let name = HeldKeyName(usage, Self.reference)
                let delivery = KeyDelivery(name, cipher, made: made, key.raw.part(0..<key.raw.count))
                try change.keys.load(delivery, .block, at: 1_790_000_000)
            }
            try change.keys.activate(master, from: 1_700_000_000, at: 1_790_000_000)
            try change.store()
            return secrets + TerminalSecrets.ofTerminal + TerminalSecrets.ofCard
                + [SecretPatterns(pin: SpyingCard.pin)]
        }

        private func sealMeters(_ settings: String) throws {
            let meters = try folder.file("meters.toml", ServiceConfiguration.meters)
            let sealed = try Run(
                "greylock",
                [
                    "parameters", "import", meters, "--config", settings, "--name", "A", "--second", "B", "--reason",
                    "new",
                ]
            )
            #expect(sealed.status == 0, "\(sealed.error)")
        }

        /// - Parameter held: those that stand in locked memory now.
        private func expectOnlyInOwner(
            _ secrets: [SecretPatterns],
            held: Set<String>,
            _ program: ProgramAtTerminal,
            _ what: String
        ) throws {
            program.readScreen()
            let memory = try ProcessMemory(of: program.id)
            let hits = try memory.search(for: secrets)
            let outside = hits.filter { hit in
                !hit.isInArena || !hit.mapping.isLocked || !hit.mapping.isLeftOutOfDumps || hit.mapping.swapped != 0
            }
            #expect(outside.isEmpty, "\(what): \(outside)")
            #expect(Set(hits.map(\.secret)) == held, "\(what)")

            let traces = ProcessTraces(of: program.id, writingIn: folder.url)
            let said = [program.screen, program.log]
            #expect(try traces.search(for: secrets, saying: said, own: Self.files) == [], "\(what)")
            let found = try traces.search(for: [planted])
            for place in ["cmdline", "environ"] { #expect(found.contains { $0.hasSuffix(place) }, "\(what)") }
            #expect(try traces.coreLimits() == ["0", "0"], "\(what)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [], "\(what)")
        }

        private func endWithoutCore(_ program: ProgramAtTerminal) {
            program.allowCore()
            program.signal(SIGABRT)
            #expect(program.end() == -SIGABRT)
            if ProcessTraces.coresAreLeft { #expect(!program.leftCore) }
            #expect(!program.log.contains("Backtrac"))
        }

        @Test("a service in mid-sale, after it, and ended in mid-sale so that a core is left wherever one may be")
        func sale() throws {
            let secrets = try armed()
            let settings = try configuration()
            try sealMeters(settings)
            let service = try program(["run", "--config", settings])
            try service.wait(for: "insert your card", on: .log)
            for isLast in [false, true] {
                let card = try SpyingCard(port: daemon.port, aid: Self.aid)
                try service.wait(for: "Reading your card...", on: .screen)
                try service.wait(for: "your PIN, then Enter: ", on: .screen)
                try service.type(SpyingCard.pin + "\r")
                try service.wait(for: " L, ", on: .log)
                service.signal(SIGSTOP)
                while !ProcessReport.isStopped(service.id) { sched_yield() }
                let all = secrets + card.sales.map(TerminalSecrets.ofSale)
                let always: Set<String> = ["MPK left", "MPK right", "record key"]
                try expectOnlyInOwner(all, held: always.union(["SESPK", "PIN"]), service, "mid-sale")
                if isLast { break }
                service.signal(SIGCONT)
                try service.wait(for: "notice paid", on: .log)
                try card.pull()
                try service.wait(for: "insert your card", on: .log)
                try ProcessReport.awaitSleep(of: service.id)
                try expectOnlyInOwner(all, held: always, service, "after the sale")
            }
            service.signal(SIGCONT)
            endWithoutCore(service)
        }

        @Test("the counter's tool, while the holder types his PIN")
        func counterPIN() throws {
            let issuer = KeyStore(generating: Self.reference, at: 1_790_000_000)
            var text = Array(Self.passphrase.utf8)
            try folder.write("issuer", issuer.sealed(under: LockedBuffer(wiping: &text), random: SystemRandom()))
            let files = ["--book", folder.path("book"), "--store", folder.path("issuer")]
            let new = try counter(["new"] + files + ["--counter", "310000000099"])
            #expect(new.end() == 0, "\(new.log)")

            let card = try SpyingCard(port: daemon.port)
            let patience = Patience()
            while try Program("greylock", ["card", "status"]).end() == 69, patience.milliseconds > 0 {}
            let tool = try counter(["load", "100"] + files)
            try tool.wait(for: "PIN: ", on: .screen)
            try tool.type(SpyingCard.pin)
            let pin = SecretPatterns(pin: SpyingCard.pin)
            while try ProcessMemory(of: tool.id).search(for: [pin], inArena: true).isEmpty {
                guard patience.milliseconds > 0 else { throw OutOfPatience("the PIN in memory") }
                sched_yield()
            }
            try ProcessReport.awaitSleep(of: tool.id)
            let passphrase = SecretPatterns("passphrase", text: Self.passphrase)
            try expectOnlyInOwner([pin, passphrase], held: ["PIN"], tool, "counter load")
            endWithoutCore(tool)
            try card.pull()
        }

        /// The passphrase is typed.
        private func counter(_ arguments: [String]) throws -> ProgramAtTerminal {
            let tool = try program(["counter"] + arguments)
            try tool.wait(for: "passphrase of ", on: .screen)
            try tool.wait(for: ": ", on: .screen)
            try tool.type(Self.passphrase + "\r")
            return tool
        }
    }
}
