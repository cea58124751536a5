import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// The mains ended while all keys were being destroyed: the storage key is gone, and the store is still there.
struct CutErasureTests {
    private let bench: CeremonyBench
    private let housing: SimulatedHousing

    init() throws {
        bench = try CeremonyBench()
        housing = try SimulatedHousing(in: bench.folder)
        try bench.setTamperLine(housing.settings)
        #expect(unsafe unlink(bench.storageKey) == 0)
        try bench.folder.write("keys.greylock-draft", try bench.storeBytes)
    }

    private func program(_ arguments: String...) throws -> ProgramAtTerminal {
        try ProgramAtTerminal("greylock", arguments, environment: housing.environment)
    }

    private var isFinished: Bool {
        [bench.store, bench.store + ".greylock-draft"].allSatisfy { !FileManager.default.fileExists(atPath: $0) }
    }

    @Test("the housing is still open: the next start finishes it")
    func stillOpen() throws {
        try housing.open()
        let service = try program("run", "--config", bench.config)
        #expect(service.end() == 77)
        #expect(service.log.contains("complete=true"), "\(service.log)")
        #expect(isFinished)
    }

    @Test("the housing is closed again: the start says what is missing and sells nothing; keys erase --all finishes it")
    func closedAgain() throws {
        let service = try program("run", "--config", bench.config)
        try service.wait(for: "cannot open the storage key", on: .log)
        service.signal(SIGTERM)
        service.end()
        #expect(!service.log.contains("selling="), "\(service.log)")
        let tool = try program(
            "keys",
            "erase",
            "--config",
            bench.config,
            "--all",
            "--reason",
            "cut",
            "--yes-terminal",
            "310000000017"
        )
        #expect(tool.end() == 0, "\(tool.log)")
        #expect(isFinished)
    }
}
