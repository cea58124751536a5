import Foundation
import TestFolders
import TestPrograms
import Testing

/// The guided calibration at a terminal of 80 columns, with a simulated pump.
struct CalibrateTests {
    private let bench: CalibrationBench

    init() throws { bench = try CalibrationBench() }

    @Test func sealsWhatWasMeasuredAndTellsEveryTypingError() throws {
        let person = try bench.begin()
        let tool = person.tool
        func wrong(_ question: String, _ text: String, _ expected: String) throws {
            try person.answer(question, text)
            try tool.wait(for: expected, on: .screen)
        }
        try wrong("your name", "", "a name has 1 to 40 characters")
        try person.answer("your name", "Zhang")
        try wrong("name of the station", " ", "the station is missing: type it")
        try person.answer("name of the station", "North")
        try wrong("flows to run", "50", "type two or more flows")
        try wrong("flows to run", "500 20", "this meter measures 5 to 200 L/min")
        try person.answer("flows to run", "")
        try wrong("runs at each flow", "2", "type a whole number from 3 to 20")
        try person.answer("runs at each flow", "")
        try wrong("least quantity in", "0.5", "no prover holds less than 1 L")
        try person.answer("least quantity in", "")
        try wrong("pulses per litre", "105 95", "type two whole numbers, the lower one first")
        try person.answer("pulses per litre", "")
        try wrong("volume in litres", "20 L", "the volume: type litres, as 20.004")
        try wrong("volume in litres", "0.2", "a prover holds 1 to 1000 L")
        try person.answer("volume in litres", "20")
        try person.answer("serial number", "V-20")
        try person.answer("number of its certificate", "C-1")
        try wrong("last day", "31.12.2099", "type year, month and day, as 2027-03-31")
        try wrong("last day", "2099-02-30", "type year, month and day, as 2027-03-31")
        try person.answer("last day", "2099-12-31")
        try wrong("uncertainty in litres", "5 %", "is above zero and at most 1 %")
        try person.answer("uncertainty in litres", "0.05 %")
        for question in ["correction in", "its expansion", "a division", "wetting", "drip"] {
            try person.answer(question, "")
        }
        try person.prover("2", "V-2")
        try wrong("air in", "warm", "the air: type degrees Celsius")
        try person.conditions()
        try wrong(": Enter runs", "x", "press Enter, or type p, f, d NUMBER, r POINT or a")
        try person.deliver(isFirst: true)
        try person.answer("the prover reads", "30")
        try person.temperatures()
        try tool.wait(for: "is not on this prover's scale", on: .screen)
        try person.answer("the prover reads", "19")
        try person.temperatures()
        try tool.wait(for: "from the counts: read again", on: .screen)
        try person.read(0.998)
        try person.runs(after: 1, wetted: true)
        try wrong("do the runs stand", "d 99", "type d and the number of a run that counts")
        try person.answer("do the runs stand", "yes")
        try person.answer("shall these factors", "yes")
        try wrong("name of the second person", "zhang", "a second person must confirm")
        try person.answer("name of the second", "Wang")
        try person.answer("do you confirm", "yes")
        try tool.wait(for: "under seal as version 2", on: .screen)
        #expect(tool.end() == 0)
        #expect(tool.isOrdinary)
        #expect(try bench.versions() == 2)
        #expect(PlainTerminal(tool.screen).columnsMax < 80)
        let again = try bench.begin()
        #expect(again.tool.end() == 65)
        #expect(again.tool.log.contains("this session is over"))
    }

    @Test(arguments: [SIGKILL, SIGTERM, SIGHUP, 0])
    func goesOnAfterAnInterruptionAtEachStep(signal: Int32) throws {
        func interrupt(_ person: CalibratingPerson, at question: String) throws {
            try person.tool.wait(for: question, on: .screen)
            if signal == 0 { try person.tool.type([0x03]) } else { person.tool.signal(signal) }
            let status = person.tool.end()
            #expect(status == (signal == SIGKILL ? -SIGKILL : signal == SIGHUP ? 69 : 1))
            if signal != SIGKILL {
                #expect(person.tool.isOrdinary)
                #expect(person.tool.log.contains("The valves are closed"))
            }
        }
        var person = try bench.begin()
        try interrupt(person, at: "your name")
        person = try bench.begin()
        try person.names()
        try interrupt(person, at: "volume in litres")
        person = try bench.begin()
        try person.prover("20", "V-20")
        try person.prover("2", "V-2")
        try interrupt(person, at: "air in")
        person = try bench.begin()
        try person.conditions()
        try person.run(reading: 0.998, isFirst: true)
        try interrupt(person, at: ": Enter runs")
        person = try bench.begin()
        try person.tool.wait(for: "1 run is kept", on: .screen)
        try person.deliver(isFirst: true)
        try interrupt(person, at: "the prover reads")
        person = try bench.begin()
        try person.runs(after: 1)
        try person.answer("do the runs stand", "yes")
        try interrupt(person, at: "shall these factors")
        person = try bench.begin()
        try person.answer("shall these factors", "yes")
        try interrupt(person, at: "name of the second person")
        person = try bench.begin()
        try person.answer("name of the second person", "Wang")
        try person.answer("do you confirm", "yes")
        #expect(person.tool.end() == 0)
        #expect(try bench.versions() == 2)
        let runs = try #require(try bench.report()["runs"] as? [Any])
        #expect(runs.count == 9)
        let spoilt = try #require(try bench.report()["spoilt"] as? [[String: Any]])
        #expect(spoilt.map { $0["cause"] as? String } == ["unread"])
        #expect(try bench.records().components(separatedBy: "\"test\"").count - 1 == runs.count + spoilt.count)
    }

    @Test(arguments: [SIGKILL, SIGTERM, 0])
    func keepsADeliveryThatWasInterruptedAsARecord(signal: Int32) throws {
        let bench = try CalibrationBench(speed: 10)
        let person = try bench.begin()
        try person.names()
        for (volume, serial) in [("20", "V-20"), ("2", "V-2")] { try person.prover(volume, serial) }
        try person.conditions()
        try person.answer(": Enter runs", "p")
        try person.answer(": Enter runs", "")
        try person.answer("wet it", "")
        try person.answer("empty prover", "")
        try person.tool.wait(for: "counts  50.", on: .screen)
        if signal == 0 { try person.tool.type([0x03]) } else { person.tool.signal(signal) }
        #expect(person.tool.end() == (signal == SIGKILL ? -SIGKILL : 1))
        let next = try bench.begin()
        try next.tool.wait(for: "0 runs are kept, and 1", on: .screen)
        try next.tool.wait(for: ": Enter runs", on: .screen)
        try next.tool.type([0x03])
        #expect(next.tool.end() == 1)
        #expect(try bench.records().components(separatedBy: "\"test\"").count - 1 == 1)
        let spoilt = try #require(try bench.report()["spoilt"] as? [[String: Any]])
        #expect(spoilt.map { $0["cause"] as? String } == [signal == SIGKILL ? "interrupted" : "not-whole"])
    }

    @Test func doesNotCountARunWhoseNozzleWasHungUp() throws {
        let bench = try CalibrationBench(speed: 5)
        let person = try bench.begin()
        try person.begin()
        try person.answer(": Enter runs", "")
        try person.answer("wet it", "")
        try person.answer("empty prover", "")
        try person.tool.wait(for: "counts  50.", on: .screen)
        try person.tool.type("h")
        try person.tool.wait(for: "This delivery does not count: the nozzle was hung up at", on: .screen)
        try person.tool.wait(for: "50 L/min: 0 of 3", on: .screen)
        try person.tool.wait(for: ": Enter runs", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
        let spoilt = try #require(try bench.report()["spoilt"] as? [[String: Any]])
        let words = try #require(spoilt.first?["words"] as? String)
        #expect(spoilt.count == 1 && words.hasPrefix("the nozzle was hung up at"))
    }

    @Test func refusesAnExpiredProverUnlessSomebodySaysWhy() throws {
        let person = try bench.begin()
        try person.names()
        try person.prover("20", "V-20", expires: "2025-01-31")
        try person.tool.wait(for: "Refused: the prover's certificate has expired: take another prover", on: .screen)
        try person.answer("why it may stand", "")
        try person.tool.wait(for: "Prover V-20 is not taken: describe another", on: .screen)
        try person.prover("20", "V-20", expires: "2025-01-31")
        try person.answer("why it may stand", "the new one is on its way")
        try person.prover("2", "V-2")
        try person.tool.wait(for: "air in", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
    }

    @Test func saysOnceThatAPlaceOfTheTotalsWasBehind() throws {
        let refused = try bench.script(CalibrationBench.answers().replacing("station = \"North\"", with: ""))
        #expect(refused.status == 78)
        let before = try bench.folder.bytes("journal-totals")
        let run = try bench.script(CalibrationBench.answers(), "--verify-only")
        try #require(run.status == 0, "\(run.error)")
        #expect(!run.output.contains("Notice"))
        try bench.folder.write("journal-totals", before)
        let script = try bench.script(CalibrationBench.answers(), session: "scripted", "--verify-only")
        #expect(script.output.components(separatedBy: "Notice: the totals of nozzle 1 differ").count == 2)
        try bench.folder.write("journal-totals", before)
        try FileManager.default.removeItem(atPath: bench.session)
        let person = try bench.begin()
        try person.tool.wait(for: "Notice: the totals of nozzle 1 differ", on: .screen)
        try person.tool.wait(for: "your name", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
    }

    /// An Enter too much answers no text, and nothing that is typed early starts, ends or confirms anything.
    @Test func takesTextsThatWereTypedEarlyAndNoDecision() throws {
        let person = try bench.begin()
        try person.tool.wait(for: "your name", on: .screen)
        try person.tool.type("Zhang\r\n\nNorth\r50 20\r3\r2\r95 105\r")
        try person.prover("20", "V-20")
        try person.prover("2", "V-2")
        try person.tool.wait(for: "air in", on: .screen)
        try person.tool.type("21\rpetrol\r1100\r0.2\ra\r")
        try person.tool.wait(for: ": Enter runs", on: .screen)
        try person.answer("a gives up", "a")
        try person.answer("why it is given up", "no time")
        #expect(person.tool.end() == 0)
        let text = person.tool.screen
        #expect(text.components(separatedBy: ": Enter runs").count == 2)
    }

    @Test func fitsAPlainTerminalOfUnknownSize() throws {
        let person = try bench.beginAtSerialLine()
        try person.answer("your name", "Zhnag\u{7F}\u{7F}\u{7F}ang")
        try person.answer("name of the station", "北京\u{7F}京加油站")
        for question in ["flows to run", "runs at each flow", "least quantity in", "pulses per litre"] {
            try person.answer(question, "")
        }
        try person.prover("20", "V-20", expires: "2025-01-31")
        try person.answer("why it may stand", "the new one is on its way")
        try person.prover("2", "V-2")
        try person.conditions()
        try person.answer(": Enter runs", "x")
        try person.run(reading: 0.998, isFirst: true)
        try person.tool.wait(for: ": Enter runs", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
        let terminal = PlainTerminal(person.tool.screen)
        #expect(!terminal.isPuzzled)
        #expect(terminal.columnsMax < 80)
        #expect(terminal.rows.contains("your name: Zhang"))
        #expect(terminal.rows.contains("name of the station: 北京加油站"))
    }

    @Test func namesAServiceThatRuns() throws {
        let service = try Program("greylock", ["run", "--config", bench.config])
        _ = try #require(service.wait(for: "ready"))
        let tool = try bench.begin().tool
        #expect(tool.end() == 74)
        #expect(tool.log.contains("if the service runs, stop it first"))
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }

    @Test func verifiesFromTheDisplayAndChangesNothing() throws {
        let before = try bench.folder.bytes("parameters")
        let run = try bench.script(CalibrationBench.answers(), "--verify-only")
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("nothing was changed"))
        #expect(try bench.folder.bytes("parameters") == before)
        #expect(try bench.report()["purpose"] as? String == "verify")
    }

    @Test func lowersTheErrorBelowItsUncertainty() throws {
        let first = try bench.script(CalibrationBench.answers())
        try #require(first.status == 0, "\(first.error)\n\(first.output)")
        let second = try bench.script(CalibrationBench.answers(), session: "second")
        #expect(second.status == 0, "\(second.error)")
        let factors = try bench.factors("session")
        #expect(factors.count == 2)
        for (flow, factor) in try bench.factors("second") {
            #expect(abs(factor - (factors[flow] ?? 0)) < 0.000_02)
        }
        let points = try #require(try bench.report("second")["points"] as? [[String: Any]])
        for point in points {
            let result = try #require(point["result"] as? [String: Any])
            let error = try #require(result["meanPercent"] as? Double)
            let budget = try #require(result["uncertainty"] as? [String: Any])
            let uncertainty = try #require(budget["expandedPercent"] as? Double)
            #expect(abs(error) < uncertainty)
        }
    }

    @Test(arguments: [
        ("rates = \"50 20\"", "rates = \"50\"", ":3: rates: type two or more flows"),
        ("station = \"North\"", "staton = \"North\"", ":2: staton: a known key, did you mean station?"),
        ("air = \"21\"", "", ": conditions.air: an answer to"), ("air = \"21\"", "air = [", "syntax: TOML"),
        ("second = \"Wang\"", "second = \"Zhang\"", ": second: a second person must confirm"),
    ])
    func namesWhatIsWrongInAScript(old: String, new: String, expected: String) throws {
        let run = try bench.script(CalibrationBench.answers().replacing(old, with: new))
        #expect(run.status == 78)
        #expect(
            run.error.contains("script.toml" + (expected.hasPrefix(":") && !expected.hasPrefix(": ") ? expected : ""))
        )
        #expect(run.error.contains(expected))
    }

    @Test func tellsAReportThatWasEdited() throws {
        let run = try bench.script(CalibrationBench.answers())
        try #require(run.status == 0, "\(run.error)")
        let report = bench.folder.path("report")
        let command = ["calibrate", "report", "--config", bench.config]
        for kind in [[], ["--json"]] {
            let written = try Run("greylock", command + ["--session", bench.session, "--into", report] + kind)
            #expect(written.status == 0, "\(written.error)")
            #expect(try Run("greylock", command + ["--check", report]).status == 0)
            let text = String(decoding: try bench.folder.bytes("report"), as: UTF8.self)
            _ = try bench.folder.file("report", text.replacing("Zhang", with: "Zheng"))
            let check = try Run("greylock", command + ["--check", report])
            #expect(check.status == 65)
            #expect(check.error.contains("changed since it was written"))
        }
        let link = bench.folder.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: report)
        let session = try Data(contentsOf: URL(filePath: bench.session))
        for (place, words) in [(bench.session, "is no report"), (bench.config, "is no report"), (link, "is a link")] {
            let before = try Data(contentsOf: URL(filePath: place))
            let refused = try Run("greylock", command + ["--session", bench.session, "--into", place])
            #expect(refused.status == 74 && refused.error.contains(words), "\(refused.error)")
            #expect(try Data(contentsOf: URL(filePath: place)) == before)
        }
        #expect(try Data(contentsOf: URL(filePath: bench.session)) == session)
        #expect(try Run("greylock", command + ["--session", bench.session]).status == 0)
        #expect(try Run("greylock", command + ["--schema"]).status == 0)
    }

    /// Not by when the program began: a calibration takes an hour.
    @Test func namesTheTimeAtWhichItWasAppliedOrGivenUp() throws {
        func lastRun(_ report: [String: Any]) throws -> String {
            let runs = try #require(report["runs"] as? [[String: Any]])
            return try #require(runs.last?["begun"] as? String)
        }
        let applied = try bench.script(CalibrationBench.answers())
        try #require(applied.status == 0, "\(applied.error)")
        var report = try bench.report()
        #expect(try #require(report["applied"] as? String) >= lastRun(report))
        let answers =
            "abandon = \"another day\"\n"
            + CalibrationBench.answers().replacing("apply = \"yes\"", with: "apply = \"no\"")
        let abandoned = try bench.script(answers.replacing("1.002", with: "1.001"), session: "other")
        try #require(abandoned.status == 0, "\(abandoned.error)")
        report = try bench.report("other")
        let end = try #require(report["abandoned"] as? [String: Any])
        #expect(try #require(end["time"] as? String) >= lastRun(report))
    }

    /// Also when he comes a day later, and the screen with the runs is gone.
    @Test func showsTheSecondPersonReadingsErrorsAndFactors() throws {
        let unconfirmed = try bench.script(CalibrationBench.answers().replacing("second = \"Wang\"", with: ""))
        try #require(unconfirmed.status == 78, "\(unconfirmed.error)")
        let second = try bench.begin().tool
        try second.wait(for: "name of the second person", on: .screen)
        for shown in [
            "#1   50 L/min        reading 19.9", "#9   least quantity", "verdict", "50 L/min: 1.000000 becomes",
        ] {
            #expect(second.screen.contains(shown), "\(shown)")
        }
        #expect(PlainTerminal(second.screen).columnsMax < 80)
        try second.type([0x03])
        #expect(second.end() == 1)
    }

    @Test func theBookFromBeforeIsAnOlderOneAtOnce() throws {
        let before = try bench.folder.bytes("parameters")
        let run = try bench.script(CalibrationBench.answers())
        try #require(run.status == 0, "\(run.error)")
        try bench.folder.write("parameters", before)
        let verified = try Run("greylock", ["parameters", "verify", "--config", bench.config])
        #expect(verified.status == 65 && verified.error.contains("an older book of parameters"), "\(verified.error)")
    }

    /// Between the second person's word and the seal somebody else puts a set there: one that has the same points, and more.
    @Test func doesNotTakeAnotherSetForItsOwn() throws {
        let held = unsafe open(bench.folder.path("parameters.lock"), O_RDWR)
        #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
        let interrupted = try bench.script(CalibrationBench.answers())
        #expect(interrupted.status == 74, "\(interrupted.error)")
        #expect(close(held) == 0)
        let lines = try #require(try bench.report()["proposal"] as? [[String: Any]])
        let points = try lines.map { line in
            let (flow, factor) = (try #require(line["litresPerMinute"]), try #require(line["factorAfter"] as? Double))
            return "{ litres_per_minute = \(flow), factor_millionths = \(Int((factor * 1_000_000).rounded())) }"
        }
        let meters = try bench.folder.file(
            "meters.toml",
            try String(contentsOfFile: bench.folder.path("meters.toml"), encoding: .utf8)
                .replacing(#/calibration = [\s\S]*/#, with: "calibration = [\(points.joined(separator: ", "))]\n")
                .replacing("pulses_per_litre = 100", with: "pulses_per_litre = 101")
        )
        let people = ["--config", bench.config, "--name", "A", "--second", "B", "--reason", "another pulser"]
        let imported = try Run("greylock", ["parameters", "import", meters] + people)
        try #require(imported.status == 0, "\(imported.error)")
        let again = try bench.script(CalibrationBench.answers())
        #expect(again.status == 65 && again.error.contains("version 2 was put under seal since"), "\(again.error)")
    }
}
