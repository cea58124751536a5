import Foundation
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// Of two readers of one name, one is not there: two sides want the other.
    @Suite(.timeLimit(.minutes(10)))
    struct SidesAtOneReaderTests {
        private let folder: TestFolder
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        @Test("one side has the reader, and its card is served at no other")
        func one() throws {
            let sides = ["Virtual PCD 00 00", "Virtual PCD 01 00"].enumerated().map { index, reader in
                ServiceConfiguration.side(
                    index + 1,
                    card: "kind = \"pcsc\", reader = \"\(reader)\"",
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 10)
                )
            }
            let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
            let configuration = try folder.file("greylock.toml", text)
            let service = try Program("greylock", ["run", "--config", configuration])
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")]
            )
            #expect(service.wait(for: "notice paid")?.contains("position=1") == true)
            card.signal(SIGTERM)
            _ = card.wait(for: "is out of the reader")
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(!service.lines.contains { $0.contains("card reader name=") && $0.contains("position=2") })
            #expect(!service.lines.contains { $0.contains("reading the card") && $0.contains("position=2") })
        }
    }
}
