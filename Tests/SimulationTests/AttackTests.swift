import Simulation
import Testing

@Suite struct AttackTests {
    @Test(
        "what flowed is owed until the attacker's card pays it, and his honest visit does",
        arguments: AttackScenario.allCases
    )
    func attackIsHeld(attack: AttackScenario) {
        let violation = attack.run()
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
    }

    @Test("no single move of an attacker breaks a rule", arguments: ExhaustiveAttacks.Scenario.allCases)
    func singleMovesAreHeld(scenario: ExhaustiveAttacks.Scenario) {
        let (tally, violation) = ExhaustiveAttacks(scenario).run(threads: 2, withPairs: false)
        #expect(violation?.reason == nil, "\(violation?.trace.joined(separator: "\n") ?? "")")
        #expect(tally.singles > 400)
        #expect(tally.pairs == 0)
    }
}
