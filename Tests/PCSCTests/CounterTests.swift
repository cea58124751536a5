import CardCryptography
import Counter
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Issuer
import Quantities
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// The issuer's counter, each step a program at a terminal, with the card in a reader of the real pcscd.
    @Suite(.timeLimit(.minutes(10)))
    struct CounterTests {
        private static let byHand = ["--name", "Wang Li", "--reason", "station burnt down"]

        private let folder: TestFolder
        private let scene: IssuerScene

        init() throws {
            folder = try TestFolder()
            scene = try IssuerScene(in: folder)
            try scene.newIssuer()
            try scene.newCard()
            // Of which no card is made here.
            try scene.runWithStore(["keys", "add", "--store", folder.path("issuer"), "--version", "2"])
            try scene.runWithStore(["counter", "new", "--counter", "310000000099"] + files)
        }

        private var files: [String] { ["--book", folder.path("book"), "--store", folder.path("issuer")] }

        /// - Returns: what stands on the screen and in the errors.
        @discardableResult
        private func counter(_ arguments: [String], pin: String? = nil, status: Int32 = 0) throws -> String {
            let usesCard = !["list", "close"].contains(arguments[0])
            return try scene.runWithStore(
                ["counter"] + arguments + files + (usesCard ? ["--aid", IssuerScene.aid] : []),
                pin: pin,
                status: status
            )
        }

        private func withBook(_ body: (CounterBook) throws -> Void) throws {
            try body(CounterBook(folder.path("book"), key: scene.openIssuer().bookKey()))
        }

        // MARK: -

        @Test("a card is loaded and unloaded, and the book lists both")
        func money() throws {
            let card = try scene.insertCardAndWait()
            let loaded = try counter(["load", "100"], pin: IssuerScene.pin)
            #expect(loaded.contains("100.00 yuan") && loaded.contains("600.00 yuan"), "\(loaded)")
            let unloaded = try counter(["unload", "50.5"], pin: IssuerScene.pin)
            #expect(unloaded.contains("549.50 yuan"), "\(unloaded)")
            #expect(unloaded.contains("the card was here last for entry 1, load of 100.00 yuan"), "\(unloaded)")
            let more = try counter(["unload", "600"], pin: IssuerScene.pin, status: 1)
            #expect(more.contains("does not have that much"), "\(more)")
            let free = try counter(["unlock", "--force-zero"] + Self.byHand, status: 1)
            #expect(free.contains("not grey"), "\(free)")
            let list = try counter(["list"])
            #expect(
                list.contains("load of 100.00 yuan  done") && list.contains("unload of 50.50 yuan  done"),
                "\(list)"
            )
            try scene.takeOut(card)
        }

        @Test("a card that left a pump grey is released for its record, once, and the pump serves it again")
        func grey() throws {
            let config = try scene.configure(grace: 1, speed: 2)
            try scene.storeTransportKey(and: scene.openIssuer())
            try scene.loadAndActivate(config)
            let service = try scene.startService(config)
            let pulled = try scene.insertCard()
            try scene.typePIN(service)
            try service.wait(for: "state=fuelling", on: .log)
            try scene.takeOut(pulled)
            try service.wait(for: "is not paid: the card is locked", on: .log)
            scene.end(service)
            let export = try Program("greylock", ["records", "export", "--config", config], readsOutput: true)
            #expect(export.end() == 0)
            let exported = export.lines.joined(separator: "\n") + "\n"
            let records = try folder.file("grey", exported)
            let fen = try #require(exported.firstMatch(of: /amount ([0-9]+)/).flatMap { UInt32($0.1) })
            let changed = try folder.file("changed", exported.replacing("amount \(fen)", with: "amount \(fen + 1)"))

            let grey = try scene.insertCardAndWait()
            try counter(["unlock", "--records", changed], status: 65)
            let released = try counter(["unlock", "--records", records], pin: IssuerScene.pin)
            let balance = Amount(fen: 500_00 - fen)
            #expect(released.contains("\(Amount(fen: fen))") && released.contains("\(balance)"), "\(released)")
            #expect(released.contains("record 1 of terminal \(IssuerScene.terminal)"), "\(released)")
            let again = try counter(["unlock", "--records", records], status: 1)
            #expect(again.contains("not grey"), "\(again)")
            try scene.takeOut(grey)

            let after = try scene.startService(config)
            let card = try scene.insertCard()
            try scene.typePIN(after)
            try after.wait(for: "notice paid", on: .log)
            try scene.takeOut(card)
            scene.end(after)
        }

        @Test("an older copy of the book, and a clock behind it, stop the counter until a named person accepts them")
        func accepted() throws {
            let older = try folder.bytes("book")
            let card = try scene.insertCardAndWait()
            try counter(["load", "100"], pin: IssuerScene.pin)
            try folder.write("book", older)
            let refused = try counter(["load", "100"], status: 74)
            #expect(refused.contains("is an older copy") && refused.contains("counter accept book"), "\(refused)")
            #expect(try counter(["list"]).contains("is an older copy"))
            try counter(["accept", "book"] + Self.byHand)
            let forgotten = try counter(["load", "100"], pin: IssuerScene.pin, status: 74)
            #expect(forgotten.contains("did something at this counter"), "\(forgotten)")
            try counter(["accept", "card"] + Self.byHand, pin: IssuerScene.pin)

            try withBook { book in
                let year2090 = try TransactionTime(
                    date: CalendarDate(year: 2090, month: 1, day: 1),
                    hour: 0,
                    minute: 0,
                    second: 0
                )
                try book.accept(.clock, at: year2090, by: Signature(name: "test", reason: "a clock far ahead"))
            }
            let early = try counter(["load", "100"], status: 69)
            #expect(early.contains("counter accept clock"), "\(early)")
            try folder.remove("book.mark")
            try counter(["accept", "clock"] + Self.byHand, status: 74)
            try counter(["accept", "book"] + Self.byHand)
            try counter(["load", "100"], status: 69)
            try counter(["accept", "clock"] + Self.byHand)
            try counter(["accept", "clock"] + Self.byHand, status: 65)
            let loaded = try counter(["load", "100"], pin: IssuerScene.pin)
            #expect(loaded.contains("700.00 yuan"), "\(loaded)")
            let list = try counter(["list"])
            for line in ["this book accepted as the newest", "accepted at number 1", "the clock accepted"] {
                #expect(list.contains(line), "\(list)")
            }
            #expect(list.contains("by Wang Li: station burnt down"), "\(list)")
            try scene.takeOut(card)
        }

        @Test("a card whose entry was closed by hand judges it, and it is said what follows")
        func closedByHand() throws {
            try authoriseLoad(at: 0)
            try counter(["close", "1", "--as", "done"] + Self.byHand)
            let card = try scene.insertCardAndWait()
            let judged = try counter(["judge"], pin: IssuerScene.pin)
            #expect(judged.contains("was closed by hand as done, by Wang Li: station burnt down"), "\(judged)")
            #expect(judged.contains("the card never got the 100.00 yuan: give the money back"), "\(judged)")
            #expect(try counter(["judge"]).contains("nothing is open"))
            #expect(try counter(["list"]).contains("closed by hand as done, the card showed later: not done"))
            try scene.takeOut(card)
        }

        @Test("of an entry closed by hand that the card cannot show any more it is said so")
        func closedForGood() throws {
            try authoriseLoad(at: 7)
            try counter(["close", "1", "--as", "done"] + Self.byHand)
            let card = try scene.insertCardAndWait()
            let judged = try counter(["judge"], pin: IssuerScene.pin)
            #expect(judged.contains("the card keeps no proof of it any more"), "\(judged)")
            try scene.takeOut(card)
        }

        private func authoriseLoad(at online: UInt16) throws {
            try withBook { book in
                try book.authorise(
                    CounterEntry(
                        id: 1,
                        .load(Amount(fen: 100_00)),
                        card: ApplicationSerialNumber(parsing: Hex.bytes("00010000000000000043")),
                        key: IssuerScene.reference,
                        online: OnlineNumber(online),
                        balance: Amount(fen: 600_00),
                        time: TransactionTime(secondsSince1970: 1_700_000_000)
                    )
                )
            }
        }
    }
}
