import Simulation
import Testing

@Suite struct FieldTests {
    @Test("what the field does breaks no rule", arguments: FieldScenario.allCases)
    func ruleHolds(scenario: FieldScenario) {
        let (violation, trace) = scenario.run()
        #expect(violation?.reason == nil, "\(trace.joined(separator: "\n"))")
    }

    @Test("a proof that arrives altered is asked for again, and the sale is paid")
    func alteredProofIsAskedForAgain() {
        let trace = FieldScenario.alteredProof.run().trace
        #expect(!trace.contains { $0.contains("elsewhere") }, "\(trace.joined(separator: "\n"))")
        #expect(trace.contains { $0.contains("grey record 1 settled") })
    }

    @Test("a card that another terminal settled is released elsewhere, and not counted twice")
    func foreignProofIsNotOurs() {
        let trace = FieldScenario.settledElsewhere.run().trace
        #expect(trace.contains { $0.contains("grey record 1 elsewhere") }, "\(trace.joined(separator: "\n"))")
        #expect(!trace.contains { $0.contains("grey record 1 settled") })
    }

    @Test("a grey record of another terminal is settled by a local unlock under this one's number")
    func carriedRecordIsSettled() {
        let trace = FieldScenario.carriedRecord.run().trace
        #expect(trace.contains { $0.contains("local-unlock settled") && $0.contains("grey record 3 settled") })
    }

    @Test("a debit is proven with the terminal id that it was sent with")
    func attemptKeepsItsTerminal() {
        let trace = FieldScenario.terminalRenumbered.run().trace
        #expect(trace.contains { $0.contains("grey record 1 settled") }, "\(trace.joined(separator: "\n"))")
    }

    @Test("an older journal is refused until a technician accepts it")
    func olderJournalIsRefused() {
        let trace = FieldScenario.olderJournal.run().trace
        #expect(trace.contains { $0.contains("refuses an older journal") }, "\(trace.joined(separator: "\n"))")
    }

    @Test("a sale ends after a freeze", arguments: [FieldScenario.frozen, .frozenBeyondQueue])
    func saleEndsAfterFreeze(scenario: FieldScenario) {
        let trace = scenario.run().trace
        #expect(trace.contains { $0.contains("stood still") }, "\(trace.joined(separator: "\n"))")
    }
}
