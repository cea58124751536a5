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
        .timeLimit(.minutes(10))
    )
    struct OwnKeysTests {
        private let scene: IssuerScene
        private let folder: TestFolder
        /// On two sheets.
        private let components = [KeyComponent(generating: .aes256), KeyComponent(generating: .aes256)]

        init() throws {
            folder = try TestFolder()
            scene = try IssuerScene(in: folder)
        }

        // MARK: - What people type

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

        private func wrap() throws {
            let tool = try scene.start(
                "keys",
                "wrap",
                "--store",
                folder.path("issuer"),
                "--terminal",
                "\(IssuerScene.terminal)",
                "--into",
                folder.path("blocks")
            )
            try scene.typePassphrase(tool)
            try typeComponents(tool)
            #expect(tool.end() == 0, "\(tool.log)")
        }

        /// Out of the issuer's store.
        private func purchaseMaster() throws -> [SecretPatterns] {
            let store = try scene.openIssuer()
            let raw = store.versions[0].purchaseMaster().withSpan { span in span.indices.map { span[$0] } }
            return [
                SecretPatterns("MPK left", des: Array(raw.prefix(8))),
                SecretPatterns("MPK right", des: Array(raw.suffix(8))),
            ]
        }

        // MARK: -

        @Test(
            "custodians arm it while it waits, its card buys once its key is active, and no more when that is retired"
        )
        func armed() throws {
            let config = try scene.configure(speed: 10)
            let service = try scene.start("run", "--config", config)
            try service.wait(for: "this terminal has no keys", on: .log)

            let ceremony = try scene.start("keys", "load", "--config", config)
            try typeComponents(ceremony)
            #expect(ceremony.end() == 0, "\(ceremony.log)")
            try scene.newIssuer()
            try wrap()
            let loaded = try scene.run("keys", "load", "--config", config, folder.path("blocks"))
            #expect(loaded.contains("loaded: MPK 1 1  check value") && loaded.contains("loaded: RECORD 1 1"))
            try service.wait(for: "no parameters of the meter are under seal", on: .log)
            try scene.sealMeters(config)
            try service.wait(for: "insert your card", on: .log)

            try scene.newCard()
            let early = try scene.insertCard()
            try scene.typePIN(service)
            try service.wait(for: "index 1, version 1 does not sell now", on: .log)
            try scene.takeOut(early)

            try scene.run("keys", "activate", "--config", config, "1", "1")
            try service.wait(for: "selling=MPK 1 1", on: .log)
            let card = try scene.insertCard()
            try scene.typePIN(service)
            try service.wait(for: "notice paid", on: .log)
            try scene.takeOut(card)

            try scene.run("keys", "retire", "--config", config, "1", "1")
            try service.wait(for: "selling=none", on: .log)
            let late = try scene.insertCard()
            try scene.typePIN(service)
            try service.wait(for: "index 1, version 1 does not sell now", on: .log)
            try scene.takeOut(late)
            #expect(try scene.run("keys", "list", "--config", config).contains("retired, settles what it sold"))

            // The search finds the key while it is held, in locked memory alone.
            try service.wait(for: "insert your card", on: .log)
            let held = try ProcessMemory(of: service.id).search(for: try purchaseMaster())
            #expect(Set(held.map(\.secret)).count == 2 && held.allSatisfy(\.isInArena), "\(held)")
            let patience = Patience()
            let erase = ["keys", "erase", "--config", config, "--reason", "worn", "MPK", "1", "1"]
            // It was retired just now.
            while try scene.start(erase).end() == 65, patience.milliseconds > 0 {}
            try service.wait(for: "selling=none", on: .log)
            let left = try ProcessMemory(of: service.id).search(for: try purchaseMaster())
            #expect(left.isEmpty, "\(left)")

            scene.end(service)
            let records = try scene.run("records", "--config", config)
            #expect(records.contains("39.25"), "\(records)")
        }
    }
}
