import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// The service as a user runs it: real pcscd, the virtual card in it as a process of its own, a simulated pump.
    @Suite(.timeLimit(.minutes(10)))
    struct ServiceOnReaderTests {
        private let folder: TestFolder
        private let daemon: CardDaemon
        private var journal: String { folder.path("journal.sqlite") }

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func service(centilitres: Int, speed: Int, grace: Int = 15) throws -> Program {
            let configuration = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (journal, ""),
                    card: ServiceConfiguration.reader,
                    grace: grace,
                    pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: speed)
                )
            )
            return try Program("greylock", ["run", "--config", configuration])
        }

        private func card(_ transmission: String = "t1") throws -> Program {
            try Program(
                "greylock",
                [
                    "card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card"), "--transmission",
                    transmission,
                ]
            )
        }

        /// Takes the card out as a hand does and returns what it says of its balance.
        private func takeOut(_ card: Program) -> String? {
            card.signal(SIGTERM)
            return card.wait(for: "is out of the reader")
        }

        @Test("a sale over T=0 and over T=1", arguments: ["t0", "t1"])
        func sale(transmission: String) throws {
            let service = try service(centilitres: 500, speed: 10)
            #expect(service.wait(for: "ready") != nil)
            let card = try card(transmission)
            #expect(service.wait(for: "notice paid")?.contains("mac4=valid") == true)
            #expect(takeOut(card)?.contains("balance 460.75 yuan") == true)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            let report = try JournalReport(journal: journal)
            #expect(report.sales.map(\.phase) == ["settled"])
            #expect(report.sales.map(\.counts) == [[2_000]])
            #expect(report.sales.map(\.amountFen) == [3_925])
        }

        @Test("the card process is killed in mid-fuelling: an escape; the card comes back: local unlock")
        func escape() throws {
            let service = try service(centilitres: 2_000, speed: 2, grace: 1)
            let first = try card()
            #expect(service.wait(litres: 3) != nil)
            first.signal(SIGKILL)
            #expect(service.wait(for: "is not paid: the card is locked") != nil)
            let second = try card()
            #expect(second.wait(for: "is in the reader")?.contains("balance 500.00 yuan, grey") == true)
            #expect(service.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            let after = try #require(takeOut(second))
            #expect(!after.contains("grey"))
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            let report = try JournalReport(journal: journal)
            #expect(report.sales.map(\.kind) == ["escape", "local-unlock"])
            #expect(report.greyRecords.map(\.state) == ["settled"])
            let paid = try #require(report.sales.last).amountFen
            #expect(paid == report.sales.first?.amountFen)
            let balance = 50_000 - paid
            #expect(after.contains("balance \(balance / 100).\(balance % 100 < 10 ? "0" : "")\(balance % 100) yuan"))
        }

        @Test("SIGTERM in mid-sale: exit 0, and the sale is settled from its checkpoint after a restart")
        func terminated() throws {
            let service = try service(centilitres: 2_000, speed: 2)
            let card = try card()
            #expect(service.wait(litres: 3) != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            let interrupted = try JournalReport(journal: journal)
            #expect(interrupted.sales.map(\.phase) == ["locked"])

            let restarted = try self.service(centilitres: 2_000, speed: 2)
            #expect(restarted.wait(for: "its grey record is") != nil)
            #expect(restarted.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            #expect(takeOut(card)?.contains("grey") == false)
            restarted.signal(SIGTERM)
            #expect(restarted.end() == 0)
            let report = try JournalReport(journal: journal)
            #expect(report.sales.first?.counts.first.map { $0 >= 1_200 } == true)
        }

        @Test("killed in mid-sale, the service settles the sale at its last checkpoint")
        func killed() throws {
            let service = try service(centilitres: 2_000, speed: 2)
            let card = try card()
            #expect(service.wait(litres: 3) != nil)
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            let restarted = try self.service(centilitres: 2_000, speed: 2)
            #expect(restarted.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            #expect(takeOut(card)?.contains("grey") == false)
            restarted.signal(SIGTERM)
            #expect(restarted.end() == 0)
            let report = try JournalReport(journal: journal)
            // 3 L were shown; the checkpoint is at most half a litre behind.
            #expect(report.sales.first?.counts.first.map { $0 >= 1_000 } == true)
        }

        @Test("without a reader the service says what to do, waits, and goes on when it is there")
        func readerComesLater() throws {
            daemon.stop()
            let service = try service(centilitres: 300, speed: 10)
            #expect(service.wait(for: "pcscd") != nil)
            let port = daemon.port
            let again = try CardDaemon(port: port)
            let card = try card()
            #expect(service.wait(for: "notice paid") != nil)
            #expect(takeOut(card) != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            again.stop()
        }
    }
}
