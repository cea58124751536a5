import Foundation
import TestFolders
import TestPrograms
import Testing

/// A terminal of a demonstration with a simulated pump, its parameters under seal, and whoever calibrates it.
struct CalibrationBench {
    let folder: TestFolder
    let config: String

    init(speed: Int = 100) throws {
        folder = try TestFolder()
        config = try folder.file(
            "greylock.toml",
            """
            demonstration = true
            terminal = { id = "110000000001" }
            journal = { path = "\(folder.path("journal"))" }
            parameters = { path = "\(folder.path("parameters"))", board = "demonstration" }
            [side.1]
            card = { kind = "virtual" }
            pin = { kind = "fixed" }
            [side.1.pump]
            kind = "simulated"
            nozzle = 1
            grade = "92"
            price = 785
            simulated = { litres_per_minute = 40, speed = \(speed) }
            """
        )
        let meters = try folder.file(
            "meters.toml",
            """
            [side.1.pump]
            meter_serial = "M-1"
            pulser_serial = "P-1"
            pulses_per_litre = 100
            channels = 2
            security = "alarm"
            calibration = [
                { litres_per_minute = 20, factor_millionths = 1_000_000 },
                { litres_per_minute = 50, factor_millionths = 1_000_000 },
            ]
            """
        )
        let people = ["--config", config, "--name", "Li", "--second", "Wang", "--reason", "first"]
        let run = try Run("greylock", ["parameters", "import", meters] + people)
        try #require(run.status == 0, "\(run.error)")
    }

    var session: String { folder.path("session") }

    func begin(_ more: String...) throws -> CalibratingPerson {
        let arguments = ["calibrate", "--config", config, "--session", session] + more
        let tool = try ProgramAtTerminal("greylock", arguments)
        try tool.setColumns(80)
        return CalibratingPerson(tool: tool)
    }

    /// Over a serial line, whose size nobody knows.
    func beginAtSerialLine() throws -> CalibratingPerson {
        let arguments = ["calibrate", "--config", config, "--session", session]
        return CalibratingPerson(tool: try ProgramAtTerminal("greylock", arguments, environment: ["TERM=vt100"]))
    }

    func script(_ text: String, session: String = "session", _ more: String...) throws -> Run {
        let file = try folder.file("script.toml", text)
        let arguments = ["calibrate", "--config", config, "--session", folder.path(session), "--script", file]
        return try Run("greylock", arguments + more)
    }

    func report(_ session: String = "session") throws -> [String: Any] {
        let arguments = ["calibrate", "report", "--config", config, "--session", folder.path(session), "--json"]
        let run = try Run("greylock", arguments)
        try #require(run.status == 0, "\(run.error)")
        return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }

    /// What was proposed, by flow; none where the factors in force were found again.
    func factors(_ session: String) throws -> [Int: Double] {
        guard let lines = try report(session)["proposal"] as? [[String: Any]] else { return [:] }
        return try Dictionary(
            uniqueKeysWithValues: lines.map { line in
                (try #require(line["litresPerMinute"] as? Int), try #require(line["factorAfter"] as? Double))
            }
        )
    }

    /// The versions under seal.
    func versions() throws -> Int {
        let run = try Run("greylock", ["parameters", "history", "--config", config])
        return run.output.split(separator: "\n").count { $0.hasPrefix("position 1: version") }
    }

    func records() throws -> String {
        try Run("greylock", ["records", "list", "--config", config, "--json"]).output
    }

    static func answers(factors: String = #"["1.002", "0.999", "0.999"]"#, expires: String = "2099-12-31") -> String {
        """
        technician = "Zhang"
        station = "North"
        rates = "50 20"
        true_factor = \(factors)
        apply = "yes"
        second = "Wang"
        confirmed = "yes"
        [prover.1]
        volume = "20"
        serial = "V-20"
        certificate = "C-1"
        expires = "\(expires)"
        [prover.2]
        volume = "2"
        serial = "V-2"
        certificate = "C-2"
        expires = "2099-12-31"
        [conditions]
        air = "21"
        [temperature]
        meter = "20.4"
        prover = "20.6"
        """
    }
}

/// Somebody who types at the guided calibration.
struct CalibratingPerson {
    let tool: ProgramAtTerminal

    func answer(_ question: String, _ text: String) throws {
        try tool.wait(for: question, on: .screen)
        try tool.wait(for: ": ", on: .screen)
        try tool.type(text + "\r")
    }

    func names() throws {
        try answer("your name", "Zhang")
        try answer("name of the station", "North")
        for question in ["flows to run", "runs at each flow", "least quantity in", "pulses per litre"] {
            try answer(question, "")
        }
    }

    func prover(_ volume: String, _ serial: String, expires: String = "2099-12-31") throws {
        try answer("volume in litres", volume)
        try answer("serial number", serial)
        try answer("number of its certificate", "C-1")
        try answer("last day of the certificate", expires)
        for question in ["uncertainty in litres", "correction in", "its expansion", "a division", "wetting", "drip"] {
            try answer(question, "")
        }
    }

    func conditions() throws {
        try answer("air in", "21")
        for question in ["liquid [", "its expansion", "thermometers are"] { try answer(question, "") }
    }

    func begin() throws {
        try names()
        try prover("20", "V-20")
        try prover("2", "V-2")
        try conditions()
    }

    /// - Parameter factor: true over counted volume.
    func run(reading factor: Double, isFirst: Bool) throws {
        try deliver(isFirst: isFirst)
        try read(factor)
    }

    func deliver(isFirst: Bool) throws {
        try answer(": Enter runs", "")
        if isFirst { try answer("wet it", "") }
        try answer("empty prover", "")
        try tool.wait(for: " counts, ", on: .screen)
        try tool.wait(for: "; display ", on: .screen)
    }

    func read(_ factor: Double) throws {
        let counted = try #require(tool.screen.matches(of: /counts, ([0-9.]+) L; display/).last?.output.1)
        let litres = try #require(Double(counted))
        try answer("the prover reads", String(format: "%.4f", litres * factor))
        try temperatures()
        try tool.wait(for: "Run ", on: .screen)
    }

    func temperatures() throws {
        try answer("liquid at the meter", "20")
        try answer("liquid in the prover", "20")
    }

    /// All nine, from the run after `done`.
    func runs(after done: Int = 0, wetted: Bool = false) throws {
        for number in done..<9 {
            try run(reading: number < 3 ? 0.998 : 1.001, isFirst: number == done && !wetted || number == 6)
        }
    }

    func finish() throws {
        try answer("do the runs stand", "yes")
        try answer("shall these factors", "yes")
        try answer("name of the second person", "Wang")
        try answer("do you confirm", "yes")
    }
}
