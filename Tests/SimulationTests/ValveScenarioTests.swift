import Simulation
import Testing

@Suite struct ValveScenarioTests {
    @Test("presets at valves that take their time break no rule", arguments: ValveScenario.allCases)
    func ruleHolds(scenario: ValveScenario) { #expect(scenario.run() == nil) }
}
