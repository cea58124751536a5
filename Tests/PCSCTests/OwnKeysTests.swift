import CardCryptography
import Foundation
import Glibc
import ISO7816
import Issuer
import KeyCustody
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// A terminal with keys of its own, from the issuer's store to the sale: every step is a program at a terminal, and the card
    /// is in a reader of the real pcscd.
    @Suite(
        .enabled(
            if: CardDaemon.isRequired || ProcessMemory.isReadable,
            Comment(rawValue: ProcessMemory.reasonToSkip)
        ),
        .timeLimit(.minutes(3))
    )
    struct OwnKeysTests {
        private static let terminal = "310000000017"
        private static let aid = "F0504554524F4C02"
        private static let passphrase = "correct horse battery"

        private let folder: TestFolder
        private let daemon: CardDaemon
        /// On two sheets.
        private let components = [KeyComponent(generating: .aes256), KeyComponent(generating: .aes256)]

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            let storageKey = Data(SystemRandom().bytes(32))
            let isMade = FileManager.default.createFile(
                atPath: folder.path("storage-key"),
                contents: storageKey,
                attributes: [.posixPermissions: 0o600]
            )
            #expect(isMade)
        }

        private func configuration() throws -> String {
            let text = ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                board: #"aid = "\#(Self.aid)""#,
                card: ServiceConfiguration.reader,
                pin: "terminal",
                pump: ServiceConfiguration.simulated(centilitres: 500, speed: 10)
            )
            .replacing("demonstration = true", with: "demonstration = false")
            .replacing("001122334455", with: Self.terminal)
            return try folder.file(
                "greylock.toml",
                """
                \(text)
                [keys]
                store = "\(folder.path("keys"))"
                storage_key = "\(folder.path("storage-key"))"
                """
            )
        }

        // MARK: - What people type

        private func tool(_ arguments: String...) throws -> ProgramAtTerminal {
            try ProgramAtTerminal("greylock", arguments)
        }

        /// - Returns: what stands on the screen, where standard output goes too.
        private func run(_ arguments: String..., status: Int32 = 0) throws -> String {
            let tool = try ProgramAtTerminal("greylock", arguments)
            let ended = tool.end()
            tool.readScreen()
            #expect(ended == status, "\(arguments): \(tool.log)")
            return tool.screen + tool.log
        }

        private func typeComponents(_ tool: ProgramAtTerminal) throws {
            for (component, name) in zip(components, ["Li Na", "Ana Souza"]) {
                try tool.wait(for: "your name: ", on: .screen)
                try tool.type(name + "\r")
                try tool.wait(for: "your envelope's number: ", on: .screen)
                try tool.type("A-\(name.count)\r")
                try tool.wait(for: "was its seal unbroken, yes or no: ", on: .screen)
                try tool.type("yes\r")
                try tool.wait(for: "and their check digit:", on: .screen)
                try tool.type(component.sheetText().withSpan { span in span.indices.map { span[$0] } })
                try tool.wait(for: "check value of your component, 10 digits: ", on: .screen)
                try tool.type(Hex.string(component.checkValue(.aes256)) + "\r")
            }
            for _ in components {
                try tool.wait(for: "is it the one on your sheet, yes or no: ", on: .screen)
                try tool.type("yes\r")
            }
        }

        private func newStore() throws {
            let tool = try tool("keys", "new", "--store", folder.path("issuer"))
            for question in ["new passphrase: ", "again: "] {
                try tool.wait(for: question, on: .screen)
                try tool.type(Self.passphrase + "\r")
            }
            #expect(tool.end() == 0)
        }

        private func typePassphrase(_ tool: ProgramAtTerminal) throws {
            try tool.wait(for: "passphrase of ", on: .screen)
            try tool.wait(for: ": ", on: .screen)
            try tool.type(Self.passphrase + "\r")
        }

        private func wrap() throws {
            let tool = try tool(
                "keys",
                "wrap",
                "--store",
                folder.path("issuer"),
                "--terminal",
                Self.terminal,
                "--into",
                folder.path("blocks")
            )
            try typePassphrase(tool)
            try typeComponents(tool)
            #expect(tool.end() == 0, "\(tool.log)")
        }

        /// Out of the issuer's store.
        private func purchaseMaster() throws -> [SecretPatterns] {
            var digits = Array(Self.passphrase.utf8)
            let file = try #require(FileManager.default.contents(atPath: folder.path("issuer")))
            let store = try KeyStore(opening: Array(file), passphrase: LockedBuffer(wiping: &digits), at: 0)
            let raw = store.newest.purchaseMaster().withSpan { span in span.indices.map { span[$0] } }
            return [
                SecretPatterns("MPK left", des: Array(raw.prefix(8))),
                SecretPatterns("MPK right", des: Array(raw.suffix(8))),
            ]
        }

        private func newCard() throws {
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
            let tool = try tool("card", "new", "--profile", profile, "--state", folder.path("card"))
            try typePassphrase(tool)
            #expect(tool.end() == 0, "\(tool.log)")
        }

        private func insertCard() throws -> ProgramAtTerminal {
            let card = try tool(
                "card",
                "serve",
                "--vpcd",
                "\(daemon.port)",
                "--state",
                folder.path("card"),
                "--keys",
                folder.path("issuer"),
                "--aid",
                Self.aid
            )
            try typePassphrase(card)
            try card.wait(for: "is in the reader", on: .log)
            return card
        }

        private func takeOut(_ card: ProgramAtTerminal) throws {
            card.signal(SIGTERM)
            try card.wait(for: "is out of the reader", on: .log)
            #expect(card.end() == 0)
        }

        private func typePIN(_ service: ProgramAtTerminal) throws {
            // The prompt of the visit before was shown again with each digit.
            try service.wait(for: "Reading your card...", on: .screen)
            try service.wait(for: "your PIN, then Enter: ", on: .screen)
            try service.type("123456\r")
        }

        // MARK: -

        @Test(
            "custodians arm it while it waits, its card buys once its key is active, and no more when that is retired"
        )
        func armed() throws {
            let config = try configuration()
            let service = try tool("run", "--config", config)
            try service.wait(for: "this terminal has no keys", on: .log)

            let ceremony = try tool("keys", "load", "--config", config)
            try typeComponents(ceremony)
            #expect(ceremony.end() == 0, "\(ceremony.log)")
            try newStore()
            try wrap()
            let loaded = try run("keys", "load", "--config", config, folder.path("blocks"))
            #expect(loaded.contains("loaded: MPK 1 1  check value") && loaded.contains("loaded: RECORD 1 1"))
            try service.wait(for: "insert your card", on: .log)

            try newCard()
            let early = try insertCard()
            try typePIN(service)
            try service.wait(for: "index 1, version 1 does not sell now", on: .log)
            try takeOut(early)

            _ = try run("keys", "activate", "--config", config, "1", "1")
            try service.wait(for: "selling=MPK 1 1", on: .log)
            let card = try insertCard()
            try typePIN(service)
            try service.wait(for: "notice paid", on: .log)
            try takeOut(card)

            _ = try run("keys", "retire", "--config", config, "1", "1")
            try service.wait(for: "selling=none", on: .log)
            let late = try insertCard()
            try typePIN(service)
            try service.wait(for: "index 1, version 1 does not sell now", on: .log)
            try takeOut(late)
            #expect(try run("keys", "list", "--config", config).contains("retired, settles what it sold"))

            // The search finds the key while it is held, in locked memory alone.
            try service.wait(for: "insert your card", on: .log)
            let held = try ProcessMemory(of: service.id).search(for: try purchaseMaster())
            #expect(Set(held.map(\.secret)).count == 2 && held.allSatisfy(\.isInArena), "\(held)")
            let patience = Patience()
            let erase = ["keys", "erase", "--config", config, "--reason", "worn", "MPK", "1", "1"]
            // It was retired just now.
            while try ProgramAtTerminal("greylock", erase).end() == 65, patience.milliseconds > 0 {}
            try service.wait(for: "selling=none", on: .log)
            let left = try ProcessMemory(of: service.id).search(for: try purchaseMaster())
            #expect(left.isEmpty, "\(left)")

            service.signal(SIGTERM)
            #expect(service.end() == 0)
            let records = try run("records", "--config", config)
            #expect(records.contains("39.25"), "\(records)")
        }
    }
}
