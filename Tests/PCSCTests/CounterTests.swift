import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// The issuer's counter, each step a program at a terminal, with the card in a reader of the real pcscd.
    @Suite(.timeLimit(.minutes(3)))
    struct CounterTests {
        private static let passphrase = "correct horse battery"

        private let folder: TestFolder
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func typePassphrase(_ tool: ProgramAtTerminal) throws {
            try tool.wait(for: "passphrase of ", on: .screen)
            try tool.wait(for: ": ", on: .screen)
            try tool.type(Self.passphrase + "\r")
        }

        private func make() throws {
            let store = try ProgramAtTerminal("greylock", ["keys", "new", "--store", folder.path("issuer")])
            for question in ["new passphrase: ", "again: "] {
                try store.wait(for: question, on: .screen)
                try store.type(Self.passphrase + "\r")
            }
            #expect(store.end() == 0)
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
            let card = try ProgramAtTerminal(
                "greylock",
                ["card", "new", "--profile", profile, "--state", folder.path("card")]
            )
            try typePassphrase(card)
            #expect(card.end() == 0, "\(card.log)")
            // Of which no card is made here.
            let added = try ProgramAtTerminal(
                "greylock",
                ["keys", "add", "--store", folder.path("issuer"), "--version", "2"]
            )
            try typePassphrase(added)
            #expect(added.end() == 0, "\(added.log)")
            let book = try ProgramAtTerminal(
                "greylock",
                [
                    "counter", "new", "--book", folder.path("book"), "--store", folder.path("issuer"), "--counter",
                    "310000000099",
                ]
            )
            try typePassphrase(book)
            #expect(book.end() == 0, "\(book.log)")
        }

        private func insertCard() throws -> ProgramAtTerminal {
            let card = try ProgramAtTerminal(
                "greylock",
                [
                    "card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card"), "--keys",
                    folder.path("issuer"),
                ]
            )
            try typePassphrase(card)
            try card.wait(for: "is in the reader", on: .log)
            // pcscd sees it a little later.
            let patience = Patience()
            while try Program("greylock", ["card", "status"]).end() == 69, patience.milliseconds > 0 {}
            return card
        }

        /// - Returns: what stands on the screen and in the errors.
        private func counter(_ arguments: [String], pin: String? = nil, status: Int32 = 0) throws -> String {
            let tool = try ProgramAtTerminal(
                "greylock",
                ["counter"] + arguments + ["--book", folder.path("book"), "--store", folder.path("issuer")]
            )
            try typePassphrase(tool)
            if let pin {
                try tool.wait(for: "PIN: ", on: .screen)
                try tool.type(pin + "\r")
            }
            let ended = tool.end()
            tool.readScreen()
            #expect(ended == status, "\(arguments): \(tool.log)")
            return tool.screen + tool.log
        }

        @Test("a card is loaded and unloaded, and the book lists both")
        func money() throws {
            try make()
            let card = try insertCard()
            let loaded = try counter(["load", "100"], pin: "123456")
            #expect(loaded.contains("100.00 yuan") && loaded.contains("600.00 yuan"), "\(loaded)")
            let unloaded = try counter(["unload", "50.5"], pin: "123456")
            #expect(unloaded.contains("549.50 yuan"), "\(unloaded)")
            let more = try counter(["unload", "600"], pin: "123456", status: 1)
            #expect(more.contains("does not have that much"), "\(more)")
            let free = try counter(
                ["unlock", "--force-zero", "--reason", "station burnt down", "--name", "Wang Li"],
                status: 1
            )
            #expect(free.contains("not grey"), "\(free)")
            let list = try counter(["list"])
            #expect(
                list.contains("load of 100.00 yuan  done") && list.contains("unload of 50.50 yuan  done"),
                "\(list)"
            )
            card.signal(SIGTERM)
            #expect(card.end() == 0)
        }
    }
}
