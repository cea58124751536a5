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
}
