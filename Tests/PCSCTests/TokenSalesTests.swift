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
        .timeLimit(.minutes(10))
    )
    struct TokenSalesTests {
        let scene: IssuerScene
        let folder: TestFolder
        let token: SoftToken
        let config: String
        private let master: [SecretPatterns]
        /// What the service has in its own memory.
        private let record: [SecretPatterns]

        init() throws {
            folder = try TestFolder()
            token = try SoftToken(in: folder.path("token"))
            try token.serve()
            scene = try IssuerScene(in: folder, environment: token.environment)
            try folder.write("pin", Array(SoftToken.pin.utf8) + [10])
            config = try scene.configure(
                grace: 1,
                speed: 2,
                more: """
                    [keys.token]
                    module = "\(SoftToken.client)"
                    label = "\(SoftToken.label)"
                    pin_file = "\(folder.path("pin"))"
                    """
            )
            try scene.newIssuer()
            let issuer = try scene.openIssuer()
            master = Self.patterns("MPK", issuer.newest.purchaseMaster())
            record = Self.patterns("record key", issuer.newest.recordKey(of: IssuerScene.terminal))
            try scene.storeTransportKey(and: issuer)
        }

        private static func patterns(_ name: String, _ raw: borrowing LockedBuffer) -> [SecretPatterns] {
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

        // MARK: - What people do

        /// Its keys are loaded and sell.
        func armed() throws -> ProgramAtTerminal {
            let loaded = try scene.loadAndActivate(config)
            #expect(loaded.contains("in token greylock (SoftHSM v2): MPK 1 1"), "\(loaded)")
            try scene.newCard()
            return try scene.startService(config)
        }

        /// The card is put in, and its PIN typed.
        func visit(_ service: ProgramAtTerminal) throws -> ProgramAtTerminal {
            let card = try scene.insertCard()
            try scene.typePIN(service)
            return card
        }

        private func expectNoMaster(_ service: ProgramAtTerminal) throws {
            let memory = try ProcessMemory(of: service.id)
            #expect(try !memory.search(for: record).isEmpty, "the search finds what is there")
            let found = try memory.search(for: master)
            #expect(found.isEmpty, "\(found)")
        }

        /// The record is there in the journal, and the next visit pays it.
        func expectSettlesLater(_ service: ProgramAtTerminal) throws {
            let card = try visit(service)
            try service.wait(for: "notice paid", on: .log)
            try scene.takeOut(card)
            scene.end(service)
            let report = try scene.run("records", "--config", config, "--json")
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
            try scene.takeOut(card)
            try expectNoMaster(service)
            let list = try scene.run("keys", "list", "--config", config)
            #expect(list.contains("MPK 1 1 in token greylock") && list.contains("the rest in \(folder.path("keys"))"))
            scene.end(service)
            #expect(try scene.run("records", "--config", config).contains("39.25"))
        }

        @Test("what a broken load left in the token is erased where the store says that it is not held, and only there")
        func leftover() throws {
            let before = try (folder.bytes("keys"), folder.bytes("keys-audit"))
            try scene.run("keys", "load", "--config", config, folder.path("blocks"))
            let erase = ["keys", "erase", "--config", config, "--reason", "test", "--json", "MPK", "1", "1"]
            let loaded = try folder.bytes("keys")
            try folder.remove("keys")
            let refused = try scene.start(erase)
            #expect(refused.end() == 65 && refused.log.contains("MPK 1 1 is not held"), "\(refused.log)")
            try folder.write("keys", loaded)
            #expect(try !scene.run("keys", "list", "--config", config).contains("is not in"))

            try folder.write("keys", before.0)
            try folder.write("keys-audit", before.1)
            let erased = try scene.start(erase)
            #expect(erased.end() == 0)
            erased.readScreen()
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(erased.screen.utf8)) as? [String: Any]
            )
            #expect(report["erased"] as? String == "MPK 1 1")
            #expect((report["warnings"] as? [String])?.first?.contains("had left of it in the token") == true)
            try scene.run("keys", "load", "--config", config, folder.path("blocks"))
        }

        @Test("a card that escapes pays at its next visit")
        func escape() throws {
            let service = try armed()
            let card = try visit(service)
            try service.wait(for: "state=fuelling", on: .log)
            try scene.takeOut(card)
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
            try scene.takeOut(refused)
            try token.serve()
            try service.wait(for: "the token serves", on: .log)
            let card = try visit(service)
            try service.wait(for: "notice paid", on: .log)
            try scene.takeOut(card)
            scene.end(service)
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
            try scene.takeOut(card)
            let records = try scene.run("records", "--config", config)
            #expect(records.contains("39.25"), "all of the fuel that was asked for flowed: \(records)")
            if hangs { token.thaw() } else { try token.serve() }
            try service.wait(for: "the token serves", on: .log)
            try expectSettlesLater(service)
        }

        @Test(
            "without its token, with a wrong PIN or without its key a service starts, says so and goes on when it is mended"
        )
        func startsWithout() throws {
            scene.end(try armed())
            token.stop()
            let service = try scene.startService(config)
            try service.wait(for: "error token greylock", on: .log)
            try folder.write("pin", Array("11111111".utf8))
            try token.serve()
            try service.wait(for: "refuses the PIN", on: .log)
            #expect(!service.log.contains("11111111") && !service.log.contains(SoftToken.pin))
            try folder.write("pin", Array(SoftToken.pin.utf8))
            try service.wait(for: "the token serves", on: .log)
            token.stop()
            try token.initialize(pin: SoftToken.pin)
            try token.serve()
            try service.wait(for: "has no key MPK 1 1 310000000017", on: .log)
            #expect(try scene.run("keys", "list", "--config", config).contains("has no key MPK 1 1 310000000017"))
            scene.end(service)
        }

        @Test("a load without its token changes nothing, and the token gives up what is erased")
        func loadAndErase() throws {
            token.stop()
            let before = FileManager.default.contents(atPath: folder.path("keys"))
            let said = try scene.run("keys", "load", "--config", config, folder.path("blocks"), status: 69)
            #expect(said.contains("nothing was changed in the store"))
            #expect(FileManager.default.contents(atPath: folder.path("keys")) == before)
            try token.serve()
            scene.end(try armed())
            try scene.run("keys", "retire", "--config", config, "1", "1")
            let patience = Patience()
            // It was retired just now.
            let erase = ["keys", "erase", "--config", config, "--reason", "worn", "MPK", "1", "1"]
            while try scene.start(erase).end() == 65, patience.milliseconds > 0 {}
            let again = try scene.run(
                "keys",
                "erase",
                "--config",
                config,
                "--reason",
                "worn",
                "MPK",
                "1",
                "1",
                status: 65
            )
            #expect(again.contains("MPK 1 1 is not held"))
        }
    }
}
