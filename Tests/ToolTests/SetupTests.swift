import Foundation
import TestFolders
import TestPrograms
import Testing

/// `greylock setup`, by options and at a terminal.
struct SetupTests {
    private static let profiles: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("board/profiles")
    }()

    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = folder.path("greylock.toml")
    }

    private func profile(_ name: String = "raspberry-pi-4") -> String {
        Self.profiles.appendingPathComponent("\(name).toml").path
    }

    private func setup(_ more: [String]) throws -> Run { try Run("greylock", ["setup", "--config", config] + more) }

    private var station: [String] {
        [
            "--profile", profile(), "--terminal", "310000000018", "--aid", "A000000333", "--grade", "92", "--price",
            "721",
        ]
    }

    private var isWritten: Bool { FileManager.default.fileExists(atPath: config) }

    /// What the service's own parser thinks of the file; without the chip the tool goes no further.
    private func judgement() throws -> Run { try Run("greylock", ["lines", "--config", config]) }

    @Test(arguments: ["raspberry-pi-4", "raspberry-pi-5", "pocketbeagle-2"])
    func eachProfileGivesAFileThatTheServiceReads(name: String) throws {
        let arguments = ["--demonstration", "--profile", profile(name), "--sides", "2"]
        let sides = [
            "--grade", "92", "--grade", "0", "--price", "721", "--price", "780", "--reader", "A", "--reader", "B",
        ]
        let written = try setup(arguments + sides)
        #expect(written.status == 0, "\(written.error)")
        let judged = try judgement()
        #expect(judged.status == 69)
        #expect(judged.error.contains("no GPIO chip "), "\(judged.error)")
        let mode = try FileManager.default.attributesOfItem(atPath: config)[.posixPermissions] as? Int
        #expect(mode == 0o644)
    }

    @Test func optionsAloneAskNothing() throws {
        let written = try setup(station)
        #expect(written.status == 0, "\(written.error)")
        let text = try String(contentsOfFile: config, encoding: .utf8)
        for line in [
            "demonstration = false", "id = \"310000000018\"", "aid = \"A000000333\"", "grade = \"92\"", "price = 721",
            "nozzle = 1", "nozzle = \"GPIO22\"  # J8 pin 15", "kind = \"terminal\"",
            "storage_key = \"/etc/greylock/storage-key\"",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!text.contains("reader"))
        // In the order in which the board asks for them: parameters are sealed under the record key that comes in a block.
        let steps = [
            "/usr/share/greylock/overlays/greylock-raspberry-pi-4.dtbo", "strict_gpiod", "lines --config",
            "/dev/urandom",
            "keys load", "BLOCKS", "keys activate", "parameters import",
            "/usr/share/doc/greylock/examples/parameters.toml",
            "systemctl enable --now greylockd", "greylock doctor",
        ]
        var rest = written.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")[...]
        for step in steps {
            guard let place = rest.range(of: step) else {
                Issue.record("\(step) is not where it is due: \(written.output)")
                continue
            }
            rest = rest[place.upperBound...]
        }
        let examples = "/usr/share/doc/greylock/examples"
        #expect(text.contains("\(examples)/greylock.toml explains every key"))
        #expect(written.output.contains("\(examples)/parameters.toml"))
        #expect(written.output.contains("Wiring-a-board.md"))
        #expect(written.output.contains("/usr/share/greylock/overlays/greylock-raspberry-pi-4.dtbo"))
    }

    /// A board of one's own, whose lines are pulled by resistors alone.
    @Test func aProfileNeedsNoOverlay() throws {
        let text = try String(contentsOfFile: profile(), encoding: .utf8).split(separator: "\n")
        let own = try folder.file("own.toml", text.filter { !$0.hasPrefix("overlay = ") }.joined(separator: "\n"))
        let written = try setup(["--profile", own] + station.dropFirst(2))
        #expect(written.status == 0, "\(written.error)")
        #expect(!written.output.contains("overlay"))
        #expect(written.output.contains("lines --config"))
    }

    /// With a credential, what needs the storage key is run where it is.
    @Test func withACredentialTheStepsGoThroughItsTool() throws {
        let written = try setup(station + ["--credential", "--pin", "/dev/input/by-path/a-event-kbd"])
        #expect(written.status == 0, "\(written.error)")
        let words = written.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for step in [
            "greylockd-storage-key.conf to /etc/systemd/system/greylockd.service.d/storage-key.conf",
            "62-greylock-keypad.rules", "greylock-storage-key new COPY",
            "greylock-storage-key run greylock keys load --config",
            "greylock-storage-key run greylock parameters import",
        ] { #expect(words.contains(step), "\(step)") }
    }

    /// The package makes their groups; whoever has no package may take them in.
    @Test func theSocketsStandInTheFile() throws {
        #expect(try setup(station).status == 0)
        let text = try String(contentsOfFile: config, encoding: .utf8)
        for key in ["read", "control"] {
            let lines = ["\(key) = \"/run/greylock-\(key)/socket\"", "\(key)_group = \"greylock-\(key)\""]
            let isThere =
                lines.allSatisfy { text.contains("\n\($0)\n") } || lines.allSatisfy { text.contains("\n#\($0)\n") }
            #expect(isThere, "\(text)")
        }
        let taken = text.replacing(/\n#(\S)/) { "\n\($0.output.1)" }
        #expect(taken.contains("\n[interface]\nread = "))
        _ = try folder.file("greylock.toml", taken)
        #expect(try judgement().error.contains("no GPIO chip "))
    }

    @Test func aFileThatIsThereStaysWithoutForce() throws {
        _ = try folder.file("greylock.toml", "mine")
        let refused = try setup(station)
        #expect(refused.status == 74)
        #expect(refused.error.contains("is there already, and is left as it is"))
        #expect(try String(contentsOfFile: config, encoding: .utf8) == "mine")
        let wrong = try setup(station.map { $0 == "721" ? "7.21" : $0 } + ["--force"])
        #expect(wrong.status == 64)
        #expect(try String(contentsOfFile: config, encoding: .utf8) == "mine")
        #expect(try setup(station + ["--force"]).status == 0)
        #expect(try String(contentsOfFile: config, encoding: .utf8).contains("price = 721"))
    }

    @Test(arguments: [
        (
            ["--price", "7.21"],
            "--price of side 1: expected an integer from 1 to 99999, fen per litre (found \"7.21\")"
        ),
        (["--grade", ""], "--grade of side 1: expected a text of 1 to 8 characters (found \"\")"),
        (["--grade", "9\n2"], "--grade of side 1: expected a text of printable characters"),
        (["--terminal", "17"], "--terminal: expected 12 hexadecimal digits in quotation marks (found \"17\")"),
        (["--aid", "F0 50 45 54 52 4F 4C 01"], "--aid: expected an AID other than the demonstration's"),
        (["--language", "french"], "--language: expected \"english\" or \"chinese\" (found \"french\")"),
        (["--without", "motor"], "--without: expected some of b, emergency and slow_valve; the other lines have"),
        (["--sides", "3"], "--sides: expected 1 to 2, as many as the profile has lines for (found \"3\")"),
        (["--sides", "0"], "--sides: expected 1 to 2"),
        (
            ["--pin", "fixed"],
            "--pin of side 1: expected \"terminal\" or \"keypad\" while demonstration is not true (found \"fixed\")"
        ),
        (["--nozzle", "100"], "--nozzle of side 1: expected an integer from 1 to 99 (found \"100\")"),
    ])
    func whatCannotBeMeantIsRefusedAndNothingWritten(wrong: [String], reason: String) throws {
        var arguments = station
        if let index = arguments.firstIndex(of: wrong[0]) {
            arguments[index + 1] = wrong[1]
        } else {
            arguments += wrong
        }
        let refused = try setup(arguments)
        #expect(refused.status == 64)
        #expect(refused.error.contains(reason), "\(refused.error)")
        #expect(!isWritten)
    }

    @Test func whatIsMissingOrTooMuchIsNamed() throws {
        let nothing = try setup([])
        #expect(nothing.status == 69)
        #expect(
            nothing.error.contains("give --profile, --terminal, --aid, --grade, --price, or run this at a terminal")
        )
        let twice = try setup(station + ["--price", "780"])
        #expect(twice.status == 64)
        #expect(twice.error.contains("--price stands 2 times, and there is 1 side"))
        let sides = ["--demonstration", "--profile", profile(), "--sides", "2", "--grade", "92", "--price", "1"]
        let second = try setup(sides)
        #expect(second.error.contains("give --grade, --price, --reader, or"))
        let profile = try setup(["--profile", "raspberry"] + station.dropFirst(2))
        #expect(profile.status == 78)
        #expect(profile.error.contains("no profile raspberry: "))
        let file = try setup(["--profile", "my-board.toml"] + station.dropFirst(2))
        #expect(file.status == 78)
        #expect(file.error.contains("no profile my-board.toml: there is no such file"))
        #expect(!isWritten)
    }

    @Test func somebodyAtTheTerminalIsAskedAgainUntilItCanBeMeant() throws {
        let tool = try ProgramAtTerminal("greylock", ["setup", "--config", config])
        try tool.setColumns(80)
        func answer(_ question: String, _ text: String) throws {
            _ = try tool.wait(for: question, on: .screen)
            try tool.type(text + "\r")
        }
        func wrong(_ question: String, _ text: String, _ expected: String) throws {
            try answer(question, text)
            _ = try tool.wait(for: "expected \(expected)", on: .screen)
        }
        try wrong("the board's profile", "/tmp/no-profile.toml", "a profile: no profile /tmp/no-profile.toml")
        try answer("the board's profile", profile())
        try wrong("(bench only), yes or no [no]", "perhaps", "yes or no")
        try answer("(bench only), yes or no [no]", "")
        try wrong("the terminal's id", "", "an answer")
        try wrong("the terminal's id", "31000000001G", "12 hexadecimal digits")
        try answer("the terminal's id", "310000000018")
        try answer("AID from the issuer", "A000000333")
        try answer("english or chinese [english]", "chinese")
        try answer("Enter for none", "b, slow_valve")
        try answer("fuelling sides [1]", "")
        try answer("side 1: its nozzle's number [1]", "7")
        try wrong("what it sells", "unleaded 95", "a text of 1 to 8 characters")
        try answer("what it sells", "95")
        try wrong("721 being 7.21 yuan", "7.21", "an integer from 1 to 99999")
        try answer("721 being 7.21 yuan", "799")
        try answer("Enter for the only one", "")
        try answer("or a keypad's path [terminal]", "")
        _ = try tool.wait(for: "systemctl enable --now greylockd", on: .screen)
        #expect(tool.end() == 0)
        let text = try String(contentsOfFile: config, encoding: .utf8)
        for line in ["language = \"chinese\"", "nozzle = 7", "grade = \"95\"", "price = 799"] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!text.contains("slow_valve") && !text.contains("b_bias"))
    }

    @Test func whoGivesUpLeavesNothing() throws {
        let tool = try ProgramAtTerminal("greylock", ["setup", "--config", config, "--profile", profile()])
        _ = try tool.wait(for: "yes or no [no]", on: .screen)
        try tool.type([0x03])
        #expect(tool.end() != 0)
        #expect(!isWritten)
    }
}
