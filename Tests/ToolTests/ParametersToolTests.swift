import Foundation
import Journal
import ParameterFiles
import Parameters
import Records
import TestFolders
import TestJournals
import TestPrograms
import Testing

/// `greylock parameters` and `greylock identify`, typed as a technician does.
struct ParametersToolTests {
    private static let meter = """
        meter_serial = "M-1"
        pulser_serial = "P-1"
        pulses_per_litre = 100
        channels = 2
        security = "alarm"
        """
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        let text = toolConfiguration(journal: folder.path("journal"))
        config = try folder.file("greylock.toml", text)
        try folder.remove("journal-parameters")
    }

    private func meters(_ more: String = "", name: String = "meters.toml") throws -> String {
        try folder.file(name, "[side.1.pump]\n\(Self.meter)\n\(more)\n")
    }

    private func run(_ arguments: String...) throws -> Run { try Run("greylock", arguments) }

    private func seal(_ file: String, author: String = "李 Na", second: String = "Okafor") throws -> Run {
        try run(
            "parameters",
            "import",
            file,
            "--config",
            config,
            "--name",
            author,
            "--second",
            second,
            "--reason",
            "test"
        )
    }

    private func sealAfterLoss() throws -> Run {
        let people = ["--config", config, "--name", "A", "--second", "B", "--reason", "the disk was lost"]
        return try Run("greylock", ["parameters", "import", try meters()] + people + ["--after-loss"])
    }

    @Test func setsAreAddedShownComparedAndVerified() throws {
        let first = try seal(meters())
        #expect(first.status == 0, "\(first.error)")
        #expect(first.output.contains("version 1 is under seal") && first.output.contains("calibration counter 1"))
        let same = try seal(meters())
        #expect(same.status == 65 && same.error.contains("has these parameters already, as version 1"))
        let factor = "calibration = [{ litres_per_minute = 50, factor_millionths = 1_000_900 }]"
        let second = try seal(meters(factor)).output
        #expect(second.contains("version 2 is under seal") && second.contains("calibration: 50:1000000 -> 50:1000900"))

        let shown = try run("parameters", "show", "--config", config).output
        #expect(shown.contains("by 李 Na with Okafor: test") && shown.contains("calibration = 50:1000900"))
        let difference = try run("parameters", "diff", "--config", config).output
        #expect(difference.contains("calibration: 50:1000000 -> 50:1000900"))
        let history = try run("parameters", "history", "--config", config, "--json").output
        let report = try JSONSerialization.jsonObject(with: Data(history.utf8)) as? [String: Any]
        let sets = try #require(report?["sets"] as? [[String: Any]])
        #expect(sets.map { $0["calibrationCounter"] as? Int } == [1, 2])
        #expect(sets.map { ($0["changes"] as? [[String: String]])?.count } == [0, 1])
        let verified = try run("parameters", "verify", "--config", config)
        #expect(verified.status == 0 && verified.output.contains("codes, board and counters were judged"))
        let unchecked = try run("parameters", "verify", folder.path("journal-parameters"))
        #expect(unchecked.status == 0 && unchecked.output.contains("codes were not checked"))
    }

    @Test func whatIsAlteredIsNamed() throws {
        #expect(try seal(meters()).status == 0)
        let path = folder.path("journal-parameters")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        _ = try folder.file("journal-parameters", text.replacing("pulses_per_litre 100", with: "pulses_per_litre 101"))
        for command in ["show", "history", "diff", "verify"] {
            let refused = try run("parameters", command, "--config", config)
            #expect(refused.status == 65 && refused.error.contains("was altered"), "\(command): \(refused.error)")
            #expect(refused.error.contains("put the newest book in its place"))
        }
        let asJSON = try run("parameters", "verify", "--config", config, "--json")
        let verdict = try JSONSerialization.jsonObject(with: Data(asJSON.output.utf8)) as? [String: Any]
        #expect((verdict?["findings"] as? [String])?.first?.contains("was altered") == true && asJSON.status == 65)
        #expect(verdict?["codesChecked"] as? Bool == false)
        #expect(try seal(meters("minimum_centilitres = 500")).status == 65)
        let identity = try run("identify", "--config", config)
        #expect(identity.status == 65 && identity.output.contains("THE SEAL IS BROKEN"))
    }

    @Test(arguments: [("A", "a", "somebody else"), ("A", "", "the second person"), ("", "B", "the author")])
    func twoPeopleAreNeeded(author: String, second: String, words: String) throws {
        let refused = try seal(meters(), author: author, second: second)
        #expect(refused.status == 65 && refused.error.contains(words), "\(refused.error)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("journal-parameters")))
    }

    @Test func aConfigurationGivesItsParametersAway() throws {
        let old = try String(contentsOfFile: config, encoding: .utf8)
        let with = old.replacing("[side.1.pump]\n", with: "[side.1.pump]\n\(Self.meter)\n")
        _ = try folder.file("greylock.toml", with)
        let refused = try run("run", "--config", config)
        let line = try #require(refused.error.split(separator: "\n").last)
        #expect(refused.status == 78 && line.contains("greylock parameters import \(config) --config \(config)"))
        #expect(try seal(config).status == 0)
        #expect(try String(contentsOfFile: config, encoding: .utf8) == old)
        #expect(try String(contentsOfFile: config + ".before-seal", encoding: .utf8) == with)
        #expect(try run("parameters", "verify", "--config", config).status == 0)
        let again = try seal(config)
        #expect(again.status == 65 && again.error.contains("has no parameters of a meter"), "\(again.error)")
    }

    /// The power went between the book and the configuration.
    @Test func theSameImportTakesTheParametersOutOfAConfigurationWhoseSetIsThere() throws {
        let old = try String(contentsOfFile: config, encoding: .utf8)
        let with = old.replacing("[side.1.pump]\n", with: "[side.1.pump]\n\(Self.meter)\n")
        _ = try folder.file("greylock.toml", with)
        #expect(try seal(meters()).status == 0)
        let book = try folder.bytes("journal-parameters")
        let finished = try seal(config)
        #expect(finished.status == 0 && finished.output.contains("are under seal already"), "\(finished.error)")
        #expect(try String(contentsOfFile: config, encoding: .utf8) == old)
        #expect(try folder.bytes("journal-parameters") == book)
    }

    @Test func aLinkToAConfigurationStaysOne() throws {
        let old = try String(contentsOfFile: config, encoding: .utf8)
        let file = try folder.file(
            "real.toml",
            old.replacing("[side.1.pump]\n", with: "[side.1.pump]\n\(Self.meter)\n")
        )
        try folder.remove("greylock.toml")
        try FileManager.default.createSymbolicLink(atPath: config, withDestinationPath: file)
        #expect(try seal(config).status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: config) == file)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == old)
        #expect(FileManager.default.fileExists(atPath: file + ".before-seal"))
    }

    @Test func aConfigurationKeepsItsParametersWhileTheBookIsAltered() throws {
        let old = try String(contentsOfFile: config, encoding: .utf8)
        let with = old.replacing("[side.1.pump]\n", with: "[side.1.pump]\n\(Self.meter)\n")
        _ = try folder.file("greylock.toml", with)
        #expect(try seal(meters()).status == 0)
        var book = try folder.bytes("journal-parameters")
        let digit = book.count - 2
        book[digit] = book[digit] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        try folder.write("journal-parameters", book)
        let refused = try seal(config)
        #expect(refused.status == 65 && refused.error.contains("the code of set 1 is wrong"), "\(refused.error)")
        #expect(try String(contentsOfFile: config, encoding: .utf8) == with)
    }

    @Test func aPipeIsNoProgramNoBookAndNoTrace() throws {
        let pipe = folder.path("pipe")
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        let identity = try run("identify", "--program", pipe)
        #expect(identity.status == 74 && identity.output.isEmpty, "\(identity.output)")
        for command in [["parameters", "show", pipe], ["pulses", "replay", pipe]] {
            let refused = try Run("greylock", command)
            #expect(refused.status == 74 && refused.error.contains("is a pipe"), "\(refused.error)")
        }
    }

    /// The journal knows version 1, as after a sale.
    @Test func aBookThatIsLostIsGoneOnFromWhatTheJournalKnows() throws {
        #expect(try seal(meters()).status == 0)
        let book = try #require(try ParameterFile(folder.path("journal-parameters")).read())
        let newest = try #require(book.newest(of: 1))
        try SQLiteJournal(path: folder.path("journal"), capacity: 64).note(ParameterMark(newest))
        try folder.remove("journal-parameters")
        let refused = try seal(meters())
        #expect(refused.status == 65 && refused.error.contains("--after-loss"), "\(refused.error)")
        #expect(!refused.error.contains("move this one away"), "\(refused.error)")
        let again = try sealAfterLoss()
        #expect(again.output.contains("version 2") && again.output.contains("calibration counter 2"), "\(again.error)")
        #expect(try run("parameters", "verify", "--config", config).status == 0)
        #expect(try run("parameters", "history", "--config", config).output.contains("version 1 and those before it"))
    }

    /// No service was started between.
    @Test func theBookFromBeforeAnImportIsAnOlderOne() throws {
        #expect(try seal(meters()).status == 0)
        let before = try String(contentsOfFile: folder.path("journal-parameters"), encoding: .utf8)
        _ = try SQLiteJournal(path: folder.path("journal"), capacity: 64)
        let factor = "calibration = [{ litres_per_minute = 50, factor_millionths = 1_000_900 }]"
        let second = try seal(meters(factor))
        #expect(second.status == 0 && second.error.isEmpty, "\(second.error)")
        _ = try folder.file("journal-parameters", before)
        let verified = try run("parameters", "verify", "--config", config)
        #expect(verified.status == 65 && verified.error.contains("older"), "\(verified.error)")
        let refused = try seal(meters())
        #expect(refused.status == 65 && refused.error.contains("move this one away"), "\(refused.error)")
        let again = try sealAfterLoss()
        #expect(again.status == 65 && again.error.contains("and give the same command again"), "\(again.error)")
        try folder.remove("journal-parameters")
        #expect(try sealAfterLoss().output.contains("version 3"))
    }

    /// Who changes a limit in the file of the first day takes a calibration back, and has to see it.
    @Test func saysWhatAnImportChanges() throws {
        let factor = "calibration = [{ litres_per_minute = 50, factor_millionths = 1_000_900 }]"
        let first = try seal(meters(factor))
        #expect(first.status == 0 && !first.output.contains("->"), "\(first.error)")
        let limit = try seal(meters(factor + "\npulser_faults_max = 5"))
        #expect(limit.output.contains("pulser_faults_max: 10 -> 5") && !limit.output.contains("a count is worth"))
        let old = try seal(meters("pulser_faults_max = 6"))
        #expect(old.output.contains("calibration: 50:1000900 -> 50:1000000"))
        #expect(old.output.contains("a count is worth something else now"))
    }

    /// A new side is nobody's forgery.
    @Test func accusesNobodyOfASetThatWasNeverMade() throws {
        #expect(try seal(meters()).status == 0)
        let text = try String(contentsOfFile: config, encoding: .utf8)
        let second = text.replacing(#/^[\s\S]*?(?=\[side\.1)/#, with: "").replacing("side.1", with: "side.2")
            .replacing("nozzle = 1", with: "nozzle = 2")
        let both = try folder.file("both.toml", text + "\n" + second)
        let verified = try run("parameters", "verify", "--config", both)
        #expect(
            verified.status == 65 && verified.error.contains("position 2: no fuel: no parameters"),
            "\(verified.error)"
        )
        #expect(verified.error.contains("not all positions have parameters"), "\(verified.error)")
        #expect(!verified.error.contains("not to be believed"))
    }

    @Test func aChangedByteOfAProgramIsTold() throws {
        let program = folder.path("program")
        try folder.write("program", [UInt8](repeating: 7, count: 100_000))
        let before = try run("identify", "--program", program, "--json").output
        var bytes = try folder.bytes("program")
        bytes[50_000] ^= 1
        try folder.write("program", bytes)
        let after = try run("identify", "--program", program, "--json").output
        #expect(before != after && before.count == after.count && before.contains("\"sha256\" : \""))
        let own = try run("identify")
        #expect(own.status == 0 && own.output.contains("greylock ") && own.output.contains("SHA-256 "))
    }
}
