import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// What readers, the card service and other programs of a board do to the running service (decision record 0025).
    @Suite(.timeLimit(.minutes(10)))
    struct ReaderFieldTests {
        private static let reader = "Virtual PCD 00 00"
        private let folder: TestFolder

        init() throws { folder = try TestFolder() }

        private func service(
            card: String,
            board: String = "",
            grace: Int? = nil,
            speed: Int = 10,
            centilitres: Int = 500
        ) throws -> Program {
            let configuration = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    board: board,
                    card: #"kind = "pcsc"\#(card)"#,
                    grace: grace,
                    pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: speed)
                )
            )
            return try Program("greylock", ["run", "--config", configuration])
        }

        private func card(port: UInt16) throws -> Program {
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(port)", "--state", folder.path("card")]
            )
            return card
        }

        private func end(_ service: Program) {
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }

        @Test func twoReadersWithoutANameAreRefusedWithTheListAndWaitedFor() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let service = try service(card: "")
            let said = try #require(service.wait(for: "Virtual PCD 00 00, Virtual PCD 00 01"))
            #expect(said.contains("[card] reader"))
            end(service)
            daemon.stop()
        }

        @Test func theChosenReaderIsLoggedAndNoOtherIsTakenWhileItIsGone() throws {
            let port = try CardDaemon.freePorts()
            let daemon = try CardDaemon(port: port, device: "Left")
            // The number is that of another day.
            let service = try service(card: #", reader = "Left 01 00""#)
            #expect(service.wait(for: "card reader name=Left 00 00") != nil)
            daemon.stop()
            let other = try CardDaemon(port: port, device: "Right")
            #expect(service.wait(for: "the card reader \"Left 00 00\" is gone") != nil)
            other.stop()
            let back = try CardDaemon(port: port, device: "Left")
            let card = try card(port: port)
            #expect(service.wait(for: "notice paid") != nil)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader") != nil)
            end(service)
            #expect(!service.lines.contains { $0.contains("name=Right") })
            back.stop()
        }

        @Test func aCardServiceThatStopsIsNamedAndNotTheCard() throws {
            let port = try CardDaemon.freePorts()
            let daemon = try CardDaemon(port: port)
            let service = try service(card: #", reader = "\#(Self.reader)""#, speed: 1, centilitres: 2_000)
            let card = try card(port: port)
            #expect(service.wait(litres: 1) != nil)
            daemon.stop()
            let said = try #require(service.wait(for: "the sale waits 15 s for the card"))
            #expect(said.contains("the card service ") && said.contains("start pcscd"))
            card.signal(SIGKILL)
            end(service)
            #expect(!service.lines.contains { $0.contains("card removed") || $0.contains("card was removed") })
        }

        @Test func theApplicationThatWasAskedForIsNamed() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let service = try service(
                card: #", reader = "\#(Self.reader)""#,
                board: #"aid = "F0 50 45 54 52 4F 4C 02""#
            )
            let card = try card(port: daemon.port)
            #expect(service.wait(for: "it has no application F0504554524F4C02, which this terminal asks for") != nil)
            card.signal(SIGTERM)
            end(service)
            daemon.stop()
        }

        @Test(arguments: SecondClient.Way.allCases)
        func anotherProgramThatHoldsTheCardAtItsInsertionIsWaitedFor(way: SecondClient.Way) throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let card = try card(port: daemon.port)
            let other = try SecondClient()
            try other.take(Self.reader, way)
            let service = try service(card: #", reader = "\#(Self.reader)""#)
            #expect(service.wait(for: "another program uses the card") != nil)
            other.release()
            #expect(service.wait(for: "notice paid")?.contains("mac4=valid") == true)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader")?.contains("balance 460.75 yuan") == true)
            end(service)
            daemon.stop()
        }

        /// The card leaves in mid-sale and is another program's when it is back, before the service can take it. The
        /// sale's wait goes on while the service is stopped.
        @Test func anotherProgramThatHoldsTheCardBeforeTheDebitCostsNoSale() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let card = #", reader = "\#(Self.reader)""#
            let service = try service(card: card, grace: Patience.seconds, speed: 1, centilitres: 2_000)
            let first = try self.card(port: daemon.port)
            #expect(service.wait(litres: 1) != nil)
            first.signal(SIGKILL)
            #expect(service.wait(for: "put it back") != nil)
            service.signal(SIGSTOP)
            let second = try self.card(port: daemon.port)
            let other = try SecondClient()
            try other.take(Self.reader, .shared)
            service.signal(SIGCONT)
            #expect(service.wait(for: "another program uses the card") != nil)
            other.release()
            #expect(service.wait(for: "notice paid")?.contains("mac4=valid") == true)
            second.signal(SIGTERM)
            #expect(second.wait(for: "is out of the reader")?.contains("grey") == false)
            end(service)
            let report = try JournalReport(journal: folder.path("journal.sqlite"))
            #expect(report.sales.map(\.kind) == ["sale"])
            #expect(report.sales.map(\.phase) == ["settled"])
            daemon.stop()
        }
    }
}
