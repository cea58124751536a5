import Foundation
import FuelPassbook
import Glibc
import Journal
import Metering
import ParameterFiles
import Parameters
import Quantities
import Records
import SecurityModule
import TestFolders
import TestPrograms
import Testing

/// The service under sets that come, change and fall back while it runs.
@Suite(.timeLimit(.minutes(10)))
struct ServiceParametersTests {
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        let pump = ServiceConfiguration.simulated(centilitres: 100, speed: 20)
        let sides = [1, 2].map { ServiceConfiguration.side($0, pump: pump) }
        config = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
        )
        let board = try #require(BoardSerial(BoardSerial.demonstration))
        let key = RecordKey.demonstration
        let book = try ParameterBook.demonstration(
            of: Demonstration.terminal,
            sides: [1],
            on: board,
            at: 1_790_000_000,
            under: ParameterKey(key.parameterKey(), as: key.reference)
        )
        try ParameterFile(folder.path("journal.sqlite-parameters")).replace(with: book)
    }

    private func seal(_ side: Int, factor: Int) throws {
        let file = try folder.file(
            "meters.toml",
            """
            [side.\(side).pump]
            meter_serial = "M"
            pulser_serial = "P"
            pulses_per_litre = 100
            channels = 2
            security = "alarm"
            calibration = [{ litres_per_minute = 50, factor_millionths = \(factor) }]
            """
        )
        let people = ["--name", "A", "--second", "B", "--reason", "test"]
        let tool = try Program("greylock", ["parameters", "import", file, "--config", config] + people)
        #expect(tool.end() == 0, "\(tool.lines)")
    }

    private func end(_ service: Program) {
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }

    @Test func aSideWaitsForItsSetAndTakesAnotherBetweenTwoSales() throws {
        let older = try folder.bytes("journal.sqlite-parameters")
        let service = try Program("greylock", ["run", "--config", config])
        #expect(service.wait(for: "no parameters of this position are under seal") != nil)
        #expect(service.wait(for: "notice paid") != nil)
        try seal(2, factor: 1_000_000)
        #expect(service.wait(for: "parameters under seal") != nil)
        #expect(service.wait(for: "notice paid") != nil)
        try seal(1, factor: 1_002_000)
        let taken = service.wait(for: "version=2")
        #expect(taken?.contains("calibration-counter=2") == true && taken?.contains("position=1") == true)
        end(service)

        let reader = try JournalReader(path: folder.path("journal.sqlite"), key: .demonstration)
        let records = try reader.records(limit: 10)
        #expect(records.count == 2 && Set(records.map(\.side)) == [1, 2])
        #expect(records.allSatisfy { $0.head.identification?.parametersVersion == 1 })
        #expect(Set(records.map { $0.head.identification?.program }).count == 1)
        #expect(try reader.parameterMarks().map(\.version) == [2, 1])
        // What was kept under the calibration before is in the volume from which the counts begin anew.
        let totaliser = try #require(try reader.totalisers().first { $0.nozzle == 1 })
        #expect(totaliser.counts == [0] && totaliser.base == totaliser.volume && totaliser.volume > .zero)

        try folder.write("journal.sqlite-parameters", older)
        let again = try Program("greylock", ["run", "--config", config])
        let refused = again.wait(for: "THE SEAL IS BROKEN: an older book of parameters")
        #expect(refused?.contains("version 1") == true || refused?.contains("version 0") == true)
        end(again)
    }
}
