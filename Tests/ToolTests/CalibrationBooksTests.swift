import Foundation
import TestFolders
import TestPrograms
import Testing

/// What a calibration's session says, beside the journal and the clock.
struct CalibrationBooksTests {
    private let bench: CalibrationBench

    init() throws { bench = try CalibrationBench() }

    /// Whoever puts the file back as it was before a run does not lose the run.
    @Test func anOlderCopyOfTheSessionHidesNoDelivery() throws {
        var person = try bench.begin()
        try person.names()
        try person.prover("20", "V-20")
        try person.prover("2", "V-2")
        try interrupt(person, at: "air in")
        let before = try Data(contentsOf: URL(filePath: bench.session))
        person = try bench.begin()
        try person.conditions()
        try person.run(reading: 0.998, isFirst: true)
        try interrupt(person, at: ": Enter runs")
        let good = try Data(contentsOf: URL(filePath: bench.session))
        person = try bench.begin()
        try person.run(reading: 0.99, isFirst: true)
        try interrupt(person, at: ": Enter runs")
        try good.write(to: URL(filePath: bench.session))
        person = try bench.begin()
        try person.tool.wait(for: "Only the journal has record 2", on: .screen)
        try interrupt(person, at: ": Enter runs")
        #expect(try elsewhere() == [2])
        person = try bench.begin()
        try person.tool.wait(for: "1 run is kept, and 1", on: .screen)
        try interrupt(person, at: ": Enter runs")
        #expect(try elsewhere() == [2])
        try before.write(to: URL(filePath: bench.session))
        person = try bench.begin()
        try person.conditions()
        try interrupt(person, at: ": Enter runs")
        #expect(try elsewhere() == [1, 2])
        let page = try Run("greylock", ["calibrate", "report", "--config", bench.config, "--session", bench.session])
        #expect(page.output.contains("only the journal had it"))
    }

    @Test func stepsAreTakenWhenTheyAreTaken() throws {
        let run = try bench.script(CalibrationBench.answers())
        try #require(run.status == 0, "\(run.error)")
        let report = try bench.report()
        let runs = try #require(report["runs"] as? [[String: Any]])
        let last = try #require(runs.last?["begun"] as? String)
        #expect(try #require(report["applied"] as? String) >= last)
        #expect(try #require(report["begun"] as? String) < last)
        #expect(try #require(report["spoilt"] as? [Any]).isEmpty)
    }

    /// A link would stay where it is, with the session as it was before the first step.
    @Test func aLinkIsNoSession() throws {
        try FileManager.default.createSymbolicLink(atPath: bench.session, withDestinationPath: "elsewhere")
        let run = try bench.script(CalibrationBench.answers())
        #expect(run.status == 74 && run.error.contains("is a link: name the file itself"), "\(run.error)")
    }

    /// The power went when the set was under seal, and the session did not know of it yet; then somebody put another there.
    @Test func aSessionFindsItsSetAlsoBehindAnother() throws {
        let lock = try #require(FileHandle(forUpdatingAtPath: bench.folder.path("parameters.lock")))
        try #require(flock(lock.fileDescriptor, LOCK_EX) == 0)
        let held = try bench.script(CalibrationBench.answers())
        #expect(held.status == 74 && held.error.contains("the parameters are being changed"), "\(held.error)")
        let confirmed = try Data(contentsOf: URL(filePath: bench.session))
        try lock.close()
        #expect(try bench.script(CalibrationBench.answers()).output.contains("under seal as version 2"))
        let meters = bench.folder.path("meters.toml")
        let text = try String(contentsOfFile: meters, encoding: .utf8).replacing("\"M-1\"", with: "\"M-2\"")
        try Data(text.utf8).write(to: URL(filePath: meters))
        let people = ["--config", bench.config, "--name", "Li", "--second", "Wang", "--reason", "another meter"]
        #expect(try Run("greylock", ["parameters", "import", meters] + people).output.contains("version 3"))
        try confirmed.write(to: URL(filePath: bench.session))
        let run = try bench.script(CalibrationBench.answers())
        #expect(run.output.contains("under seal as version 2"), "\(run.output) \(run.error)")
        #expect(try bench.versions() == 3)
        #expect(try Run("greylock", ["parameters", "verify", "--config", bench.config]).status == 0)
    }

    private func elsewhere() throws -> [Int?] {
        let spoilt = try #require(try bench.report()["spoilt"] as? [[String: Any]])
        #expect(spoilt.allSatisfy { $0["cause"] as? String == "elsewhere" && $0["point"] is NSNull })
        return spoilt.map { $0["record"] as? Int }
    }

    private func interrupt(_ person: CalibratingPerson, at question: String) throws {
        try person.tool.wait(for: question, on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
    }
}
