import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Issuer
import KeyBlocks
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// A terminal whose purchase master is in a token behind p11-kit's server, another process: loaded by the tool from a block,
    /// sold with over the real pcscd.
    @Suite(
        .enabled(
            if: CardDaemon.isRequired || ProcessMemory.isReadable,
            Comment(rawValue: ProcessMemory.reasonToSkip)
        ),
        .enabled(if: SoftToken.isUsable, Comment(rawValue: SoftToken.reasonToSkip)),
        .timeLimit(.minutes(3))
    )
    struct TokenSalesTests {
        static let terminal = TerminalID(0x3100_0000_0017)
        static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(1))
        static let aid = "F0504554524F4C02"
        static let passphrase = "correct horse battery"
        static let now: Int64 = 1_790_000_000

        let folder: TestFolder
        let daemon: CardDaemon
        let token: SoftToken
        let config: String
        let master: [SecretPatterns]
        /// What the service has in its own memory.
        let record: [SecretPatterns]

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            token = try SoftToken(in: folder.path("token"))
            try token.serve()
            config = try Self.configuration(folder)

            let issuer = KeyStore(generating: Self.reference, at: Self.now)
            master = Self.patterns("MPK", issuer.newest.purchaseMaster())
            record = Self.patterns("record key", issuer.newest.recordKey(of: Self.terminal))
            var digits = Array(Self.passphrase.utf8)
            let sealed = issuer.sealed(under: LockedBuffer(wiping: &digits), random: SystemRandom())
            try Self.write(sealed, folder.path("issuer"))
            try Self.write(Array(SystemRandom().bytes(32)), folder.path("storage-key"))
            try Self.write(Array(SoftToken.pin.utf8) + [10], folder.path("pin"))
            try storeTransportKey(and: issuer)
        }

        static func write(_ bytes: [UInt8], _ path: String) throws {
            let isMade = FileManager.default.createFile(
                atPath: path,
                contents: Data(bytes),
                attributes: [.posixPermissions: 0o600]
            )
            #expect(isMade)
        }

        static func patterns(_ name: String, _ raw: borrowing LockedBuffer) -> [SecretPatterns] {
            var raw = raw.part(0..<16)
            func halves(_ raw: borrowing LockedBuffer) -> [[UInt8]] {
                raw.withSpan { span in [0..<8, 8..<16].map { half in half.map { span[$0] } } }
            }
            var patterns = halves(raw).map { SecretPatterns(name, des: $0) }
            // As it is handed to the token.
            raw.setOddParity()
            patterns += halves(raw).map { SecretPatterns(name, des: $0) }
            return patterns
        }

        /// The transport key is in the store; MPK and record key are in a file of blocks.
        func storeTransportKey(and issuer: borrowing KeyStore) throws {
            let made = try TransactionTime(secondsSince1970: Int(Self.now))
            let raw = SystemRandom().secret(32)
            let transport = TransportKey(.aes, raw.part(0..<32))
            let store = TerminalKeyStore(
                folder.path("keys"),
                of: Self.terminal,
                storageKey: .file(folder.path("storage-key"))
            )
            var change = try store.beginChange()
            let name = HeldKeyName(.transport, Self.reference)
            try change.keys.load(KeyDelivery(name, .aes, made: made, raw), .components, at: Self.now)
            try change.store()
            var blocks = ""
            for usage in [KeyUsage.purchaseMaster, .record] {
                let key = usage == .record ? issuer.newest.recordKey(of: Self.terminal) : issuer.newest.purchaseMaster()
                let delivery = KeyDelivery(HeldKeyName(usage, Self.reference), .tripleDES, made: made, key)
                blocks += try transport.block(of: delivery, for: Self.terminal, random: SystemRandom()) + "\n"
            }
            _ = try folder.file("blocks", blocks)
        }

        static func configuration(_ folder: TestFolder) throws -> String {
            let text = ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                board: #"aid = "\#(Self.aid)""#,
                card: ServiceConfiguration.reader,
                pin: "terminal",
                grace: 1,
                pump: ServiceConfiguration.simulated(centilitres: 500, speed: 2)
            )
            .replacing("demonstration = true", with: "demonstration = false")
            .replacing("001122334455", with: "\(Self.terminal)")
            return try folder.file(
                "greylock.toml",
                """
                \(text)
                [keys]
                store = "\(folder.path("keys"))"
                storage_key = "\(folder.path("storage-key"))"
                [keys.token]
                module = "\(SoftToken.client)"
                label = "\(SoftToken.label)"
                pin_file = "\(folder.path("pin"))"
                """
            )
        }

        // MARK: - What people do

        func program(_ arguments: String...) throws -> ProgramAtTerminal {
            try start(arguments)
        }

        func start(_ arguments: [String]) throws -> ProgramAtTerminal {
            try ProgramAtTerminal("greylock", arguments, environment: token.environment.map { "\($0)=\($1)" })
        }

        func run(_ arguments: String..., status: Int32 = 0) throws -> String {
            let tool = try start(arguments)
            let ended = tool.end()
            tool.readScreen()
            #expect(ended == status, "\(arguments): \(tool.screen)\(tool.log)")
            return tool.screen + tool.log
        }

        /// Its keys are loaded and sell.
        func armed() throws -> ProgramAtTerminal {
            let loaded = try run("keys", "load", "--config", config, folder.path("blocks"))
            #expect(loaded.contains("in token greylock (SoftHSM v2): MPK 1 1"), "\(loaded)")
            _ = try run("keys", "activate", "--config", config, "1", "1")
            try newCard()
            return try service()
        }

        func service() throws -> ProgramAtTerminal {
            let service = try program("run", "--config", config)
            try service.wait(for: "insert your card", on: .log)
            return service
        }

        func typePassphrase(_ tool: ProgramAtTerminal) throws {
            try tool.wait(for: "passphrase of ", on: .screen)
            try tool.wait(for: ": ", on: .screen)
            try tool.type(Self.passphrase + "\r")
        }

        func newCard() throws {
            let profile = try folder.file(
                "card.toml",
                """
                issuer = "GREYLOCK"
                asn = "00010000000000000043"
                valid_from = "2024-01-01"
                valid_to = "2049-12-31"
                balance_fen = 50000
                pin = "demonstration"
                keys = "\(folder.path("issuer"))"
                """
            )
            let tool = try program("card", "new", "--profile", profile, "--state", folder.path("card"))
            try typePassphrase(tool)
            #expect(tool.end() == 0, "\(tool.log)")
        }

        /// The card is put in, and its PIN typed.
        func visit(_ service: ProgramAtTerminal) throws -> ProgramAtTerminal {
            let arguments = [
                "--vpcd", "\(daemon.port)", "--state", folder.path("card"), "--keys", folder.path("issuer"),
            ]
            let card = try start(["card", "serve"] + arguments + ["--aid", Self.aid])
            try typePassphrase(card)
            try card.wait(for: "is in the reader", on: .log)
            try service.wait(for: "Reading your card...", on: .screen)
            try service.wait(for: "your PIN, then Enter: ", on: .screen)
            try service.type("123456\r")
            return card
        }

        func takeOut(_ card: ProgramAtTerminal) throws {
            card.signal(SIGTERM)
            try card.wait(for: "is out of the reader", on: .log)
            #expect(card.end() == 0)
        }

        func end(_ service: ProgramAtTerminal) {
            service.signal(SIGTERM)
            #expect(service.end() == 0, "\(service.log)")
        }

        func expectNoMaster(_ service: ProgramAtTerminal) throws {
            let memory = try ProcessMemory(of: service.id)
            #expect(try !memory.search(for: record).isEmpty, "the search finds what is there")
            let found = try memory.search(for: master)
            #expect(found.isEmpty, "\(found)")
        }

        /// The record is there in the journal, and the next visit pays it.
        func expectSettlesLater(_ service: ProgramAtTerminal) throws {
            let card = try visit(service)
            try service.wait(for: "notice paid", on: .log)
            try takeOut(card)
            end(service)
            let report = try run("records", "--config", config, "--json")
            #expect(report.contains(#""local-unlock""#) && report.contains(#""settled""#), "\(report)")
        }

        // MARK: -

        @Test("sells, and MPK is in no byte of the service, before, while fuel flows and after")
        func sale() throws {
            let service = try armed()
            #expect(service.log.contains("MPK 1 1 in token greylock (SoftHSM v2), opened by the PIN in file "))
            try expectNoMaster(service)
            let card = try visit(service)
            try service.wait(for: "state=fuelling", on: .log)
            try expectNoMaster(service)
            try service.wait(for: "notice paid", on: .log)
            try takeOut(card)
            try expectNoMaster(service)
            let list = try run("keys", "list", "--config", config)
            #expect(list.contains("MPK 1 1 in token greylock") && list.contains("the rest in \(folder.path("keys"))"))
            end(service)
            #expect(try run("records", "--config", config).contains("39.25"))
        }

        @Test("a card that escapes pays at its next visit")
        func escape() throws {
            let service = try armed()
            let card = try visit(service)
            try service.wait(for: "state=fuelling", on: .log)
            try takeOut(card)
            try service.wait(for: "is not paid: the card is locked", on: .log)
            try expectNoMaster(service)
            try expectSettlesLater(service)
        }

        @Test("a token that is gone before a card comes refuses it in words, and sells when it is back")
        func goneBefore() throws {
            let service = try armed()
            token.stop()
            try service.wait(for: "error token greylock", on: .log)
            let refused = try visit(service)
            try service.wait(for: "index 1, version 1 cannot be asked: token greylock", on: .log)
            try takeOut(refused)
            try token.serve()
            try service.wait(for: "the token serves", on: .log)
            let card = try visit(service)
            try service.wait(for: "notice paid", on: .log)
            try takeOut(card)
            end(service)
        }

        @Test(
            "a token that is pulled or hangs while fuel flows ends nothing: the sale settles when it is back",
            arguments: [true, false]
        )
        func goneMeanwhile(hangs: Bool) throws {
            let service = try armed()
            let card = try visit(service)
            try service.wait(for: "state=fuelling", on: .log)
            if hangs { token.freeze() } else { token.stop() }
            let words = "cannot be asked: token greylock" + (hangs ? " does not answer" : "")
            try service.wait(for: words, on: .log)
            try takeOut(card)
            let records = try run("records", "--config", config)
            #expect(records.contains("39.25"), "all of the fuel that was asked for flowed: \(records)")
            if hangs { token.thaw() } else { try token.serve() }
            try service.wait(for: "the token serves", on: .log)
            try expectSettlesLater(service)
        }

        @Test(
            "without its token, with a wrong PIN or without its key a service starts, says so and goes on when it is mended"
        )
        func startsWithout() throws {
            end(try armed())
            token.stop()
            let service = try service()
            try service.wait(for: "error token greylock", on: .log)
            try Self.write(Array("11111111".utf8), folder.path("pin"))
            try token.serve()
            try service.wait(for: "refuses the PIN", on: .log)
            #expect(!service.log.contains("11111111") && !service.log.contains(SoftToken.pin))
            try Self.write(Array(SoftToken.pin.utf8), folder.path("pin"))
            try service.wait(for: "the token serves", on: .log)
            token.stop()
            try token.initialize(pin: SoftToken.pin)
            try token.serve()
            try service.wait(for: "has no key MPK 1 1 310000000017", on: .log)
            #expect(try run("keys", "list", "--config", config).contains("has no key MPK 1 1 310000000017"))
            end(service)
        }

        @Test("a load without its token changes nothing, and the token gives up what is erased")
        func loadAndErase() throws {
            token.stop()
            let before = FileManager.default.contents(atPath: folder.path("keys"))
            let said = try run("keys", "load", "--config", config, folder.path("blocks"), status: 69)
            #expect(said.contains("nothing was changed in the store"))
            #expect(FileManager.default.contents(atPath: folder.path("keys")) == before)
            try token.serve()
            end(try armed())
            _ = try run("keys", "retire", "--config", config, "1", "1")
            let patience = Patience()
            // It was retired just now.
            let erase = ["keys", "erase", "--config", config, "--reason", "worn", "MPK", "1", "1"]
            while try start(erase).end() == 65, patience.milliseconds > 0 {}
            let again = try run("keys", "erase", "--config", config, "--reason", "worn", "MPK", "1", "1", status: 65)
            #expect(again.contains("MPK 1 1 is not held"))
        }
    }
}
