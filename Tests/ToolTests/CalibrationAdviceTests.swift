import TestFolders
import TestPrograms
import Testing

/// What would be refused in the end is said while something can be done about it.
struct CalibrationAdviceTests {
    private let bench: CalibrationBench

    init() throws { bench = try CalibrationBench() }

    @Test func namesAPointThatWouldBeLostBeforeTheFirstRun() throws {
        let person = try bench.begin()
        try person.answer("your name", "Zhang")
        try person.answer("name of the station", "North")
        try person.answer("flows to run", "50 49")
        try person.tool.wait(for: "are too near each other to be told apart", on: .screen)
        try person.answer("flows to run", "50 45 40 36 33 30 27 24 20 15 10 5")
        try person.tool.wait(for: "at most 10 rates", on: .screen)
        try person.answer("flows to run", "50 30")
        try person.tool.wait(for: "without runs at 20 L/min this point of the curve is lost", on: .screen)
        try person.tool.wait(for: "runs at each flow", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
        let again = try bench.begin()
        try again.names()
        try again.tool.wait(for: "volume in litres", on: .screen)
        #expect(!again.tool.screen.contains("is lost"))
        try again.tool.type([0x03])
        #expect(again.tool.end() == 1)
    }

    @Test func namesWhatNeedsAReasonBeforeTheRunsStand() throws {
        let answers = CalibrationBench.answers().replacing(
            "serial = \"V-20\"",
            with: "serial = \"V-20\"\naccuracy = \"0.2 %\""
        )
        let run = try bench.script(answers)
        let advice = "New factors will need a reason: the uncertainty is more than a third of the limit"
        let untilFactors = try #require(run.output.split(separator: "factor before").first)
        #expect(untilFactors.contains(advice))
        let verified = try bench.script(answers, session: "verified", "--verify-only")
        #expect(verified.status == 0 && !verified.output.contains("New factors"))
    }

    /// Runs that differ are not outside the limit of error.
    @Test func namesWhichLimitAPointMisses() throws {
        func answers(_ readings: String) -> String {
            CalibrationBench.answers().replacing(
                #/true_factor = .*/#,
                with: "reading = [\(readings)]\nabandon = \"trial\""
            )
            .replacing("apply = \"yes\"", with: "apply = \"no\"")
        }
        let rest = #""20", "20", "20", "2", "2", "2""#
        let differing = try bench.script(answers(#""19.97", "20", "20", "# + rest), session: "differing")
        let outside = try bench.script(answers(#""19.9", "19.9", "19.9", "# + rest), session: "outside")
        #expect(differing.output.contains("too large   runs differ\n"), "\(differing.error)\(differing.output)")
        #expect(outside.output.contains("outside ±0.300 %"), "\(outside.error)\(outside.output)")
    }

    /// The report names one program that measured.
    @Test func letsNoOtherProgramGoOnMeasuring() throws {
        let begun = try bench.script(CalibrationBench.answers().replacing("air = \"21\"", with: ""))
        try #require(begun.status == 78, "\(begun.error)")
        let program = bench.folder.path("other")
        let script = try bench.folder.file("answers.toml", CalibrationBench.answers())
        let other = try Run(
            script: #"cp "$BIN/greylock" "$1" && printf x >>"$1" && exec "$@""#,
            [program, "calibrate", "--config", bench.config, "--session", bench.session, "--script", script]
        )
        #expect(other.status == 65 && other.error.contains("begun by another program"), "\(other.error)")
        let same = try bench.script(CalibrationBench.answers())
        #expect(same.status == 0, "\(same.error)")
    }

    @Test func keepsNoReasonForATemperatureThatWasTypedAgain() throws {
        let person = try bench.begin()
        try person.begin()
        try person.deliver(isFirst: true)
        func read(_ meter: String, _ prover: String) throws {
            try person.answer("the prover reads", "19.99")
            try person.answer("liquid at the meter", meter)
            try person.answer("liquid in the prover", prover)
        }
        try read("32", "20")
        try person.tool.wait(for: "the liquid is too warm", on: .screen)
        try person.answer("why it may stand", "a hot day")
        try person.tool.wait(for: "meter and prover differ too much", on: .screen)
        try person.answer("why it may stand", "")
        try person.tool.wait(for: "Not taken", on: .screen)
        try read("22", "20")
        try person.tool.wait(for: "Run 1 is taken", on: .screen)
        try person.tool.wait(for: ": Enter runs", on: .screen)
        try person.tool.type([0x03])
        #expect(person.tool.end() == 1)
        #expect(try #require(bench.report()["overrides"] as? [Any]).isEmpty)
    }

    @Test func namesTheSecondPersonWhoRefuses() throws {
        let answers =
            "abandon = \"the prover leaked\"\n"
            + CalibrationBench.answers().replacing("confirmed = \"yes\"", with: "confirmed = \"no\"")
        let run = try bench.script(answers)
        #expect(run.status == 0 && run.output.contains("Given up by Wang: the prover leaked"), "\(run.error)")
        let end = try #require(try bench.report()["abandoned"] as? [String: Any])
        #expect(end["person"] as? String == "Wang")
        #expect(try bench.versions() == 1)
    }
}
