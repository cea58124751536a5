import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// What stands between the service and the card stands still in mid-flow, the test in systemd's place: fuel stops at its preset, the
    /// process is begun anew where a call never returns, and the customer pays what was delivered when his card can be had again.
    @Suite(.timeLimit(.minutes(10)))
    struct FrozenReaderTests {
        enum Cause: CaseIterable, Sendable {
            /// SCardTransmit never returns.
            case readerNeverAnswers
            /// No call of any client returns.
            case daemonStopped
            case daemonKilled
        }

        /// The side's and the monitor's calls have a minute.
        private static let callSeconds = 60.0
        private let folder: TestFolder
        private let socket: NotifySocket
        private var journal: String { folder.path("journal.sqlite") }

        init() throws {
            folder = try TestFolder()
            socket = try NotifySocket(path: folder.path("notify"))
        }

        private func service() throws -> Program {
            let configuration = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (journal, ""),
                    card: ServiceConfiguration.reader,
                    grace: 1,
                    pump: ServiceConfiguration.simulated(centilitres: 400, speed: 2)
                )
            )
            return try Program("greylock", ["run", "--config", configuration], variables: socket.variables)
        }

        private func card(_ daemon: CardDaemon) throws -> Program {
            try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")])
        }

        @Test(arguments: Cause.allCases)
        func inMidFlow(cause: Cause) throws {
            let port = try CardDaemon.freePorts()
            let daemon = try CardDaemon(port: port)
            let service = try service()
            let card = try card(daemon)
            #expect(service.wait(litres: 2) != nil)
            switch cause {
            case .readerNeverAnswers: card.signal(SIGSTOP)
            case .daemonStopped: daemon.freeze()
            case .daemonKilled: daemon.stop()
            }
            switch cause {
            case .readerNeverAnswers, .daemonStopped:
                // The pump has closed at the end of the flow by then, and waits for nobody.
                #expect(service.wait(for: "does not answer: take the card out") != nil)
                socket.drain()
                let waited = try #require(socket.awaitEndOfSigns(seconds: 90), "\(cause): nobody noticed")
                print("\(cause): no sign of life after \(String(format: "%.1f", waited)) s")
                #expect(waited < Self.callSeconds * 1.2)
                service.signal(SIGKILL)
                #expect(service.end() == -SIGKILL)
            case .daemonKilled:
                // The process goes on: it has lost its reader and nothing else.
                #expect(service.wait(for: "is not paid: the card is locked") != nil)
                socket.drain()
                #expect(socket.awaitEndOfSigns(seconds: 3) == nil)
            }
            card.signal(SIGKILL)
            _ = card.end()
            daemon.stop()
            let restarted = try cause == .daemonKilled ? service : self.service()
            let again = try CardDaemon(port: port)
            let sameCard = try self.card(again)
            #expect(restarted.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            sameCard.signal(SIGTERM)
            #expect(sameCard.wait(for: "is out of the reader")?.contains("grey") == false)
            restarted.signal(SIGTERM)
            #expect(restarted.end() == 0)
            let report = try JournalReport(journal: journal)
            #expect(report.sales.map(\.phase) == ["escaped", "settled"])
            #expect(report.sales.first?.amountFen == report.sales.last?.amountFen)
            #expect(report.sales.first.map { $0.volumeMicrolitres >= 1_500_000 } == true)
        }

        @Test(.enabled(if: HeldThread.isPossible, Comment(rawValue: HeldThread.reasonToSkip)))
        func theReadersThreadHeldInMidFlowEndsNoDelivery() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let service = try service()
            let card = try card(daemon)
            #expect(service.wait(litres: 2) != nil)
            let held = try HeldThread("card-reader", of: service.id)
            #expect(service.wait(for: "notice paid")?.contains("mac4=valid") == true)
            socket.drain()
            let waited = try #require(socket.awaitEndOfSigns(seconds: 90), "nobody noticed")
            print("card-reader held: no sign of life after \(String(format: "%.1f", waited)) s")
            #expect(waited < Self.callSeconds * 1.2)
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            withExtendedLifetime(held) {}
            card.signal(SIGTERM)
            #expect(try JournalReport(journal: journal).sales.map(\.phase) == ["settled"])
        }
    }
}
