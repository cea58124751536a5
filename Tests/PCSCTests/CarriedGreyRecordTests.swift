import Foundation
import FuelPassbook
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// A card escapes at one terminal and pays at another, to which the grey record came as a file: both services run over the
    /// real pcscd.
    @Suite(.timeLimit(.minutes(10)))
    struct CarriedGreyRecordTests {
        private let folder: TestFolder
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func configuration(_ name: String, terminal: TerminalID) throws -> String {
            let text = ServiceConfiguration.text(
                journal: (folder.path("\(name).sqlite"), ""),
                terminal: terminal,
                card: ServiceConfiguration.reader,
                grace: 1,
                pump: ServiceConfiguration.simulated(centilitres: 2_000, speed: 2)
            )
            return try folder.file("\(name).toml", text)
        }

        private func card() throws -> Program {
            try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")])
        }

        private func said(_ arguments: String...) throws -> (status: Int32, text: String) {
            let program = try Program("greylock", ["records"] + arguments, readsOutput: true)
            let status = program.end()
            return (status, program.lines.joined(separator: "\n"))
        }

        @Test("carried as a file, it settles the card at the other terminal")
        func carried() throws {
            let here = try configuration("here", terminal: TerminalID(0x3100_0000_0017))
            let there = try configuration("there", terminal: TerminalID(0x3100_0000_0018))
            let service = try Program("greylock", ["run", "--config", here])
            let first = try card()
            #expect(service.wait(litres: 3) != nil)
            first.signal(SIGKILL)
            #expect(service.wait(for: "is not paid: the card is locked") != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)

            let exported = try said("export", "--config", here)
            #expect(exported.status == 0)
            let file = try folder.file("grey", exported.text + "\n")
            #expect(try said("import", file, "--config", here).text.contains("is here already, open"))
            let changed = try folder.file("changed", exported.text.replacing("amount", with: "amounts") + "\n")
            #expect(try said("import", changed, "--config", there).status == 65)
            let imported = try said("import", file, "--config", there)
            #expect(imported.status == 0 && imported.text.contains("is record 1 here"), "\(imported.text)")
            #expect(try said("import", file, "--config", there).text.contains("is here already, open"))

            let other = try Program("greylock", ["run", "--config", there])
            let second = try card()
            #expect(second.wait(for: "is in the reader")?.contains("balance 500.00 yuan, grey") == true)
            #expect(other.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            second.signal(SIGTERM)
            let after = try #require(second.wait(for: "is out of the reader"))
            #expect(!after.contains("grey"))
            other.signal(SIGTERM)
            #expect(other.end() == 0)
            let sale = try #require(try JournalReport(journal: folder.path("here.sqlite")).sales.first)
            let report = try JournalReport(journal: folder.path("there.sqlite"))
            #expect(report.sales.map(\.kind) == ["local-unlock"])
            #expect(report.greyRecords.map(\.state) == ["settled"])
            #expect(report.sales.first?.amountFen == sale.amountFen && sale.amountFen > 0)
            let balance = 50_000 - sale.amountFen
            #expect(after.contains("balance \(balance / 100).\(balance % 100 < 10 ? "0" : "")\(balance % 100) yuan"))
        }
    }
}
