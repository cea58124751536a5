import Metering
import PulseSignals
import Testing

/// A part of the matrix that `greylock-bench pulses` plays whole.
@Suite struct PulseCellTests {
    @Test(arguments: PulseFaultKind.allCases, PulseCell.edgesPerSecond)
    func everyRuleHolds(kind: PulseFaultKind, edgesPerSecond: Int) {
        let cell = PulseCell(kind: kind, edgesPerSecond: edgesPerSecond, edges: 50_000, seed: 7)
        #expect(cell.brokenRules == [])
        #expect(cell.outcomes.map(\.security) == [.alarm, .correct])
        #expect(cell.outcomes.allSatisfy { ($0.faults > 0) != kind.isHarmless })
    }

    @Test(arguments: [PulseFaultKind.clean, .jog], [0, 5])
    func aCleanSignalMakesNoAlarm(kind: PulseFaultKind, jitterPercent: Int) {
        for rate in PulseCell.edgesPerSecond {
            let cell = PulseCell(
                kind: kind,
                edgesPerSecond: rate,
                jitterPercent: jitterPercent,
                edges: 100_000,
                seed: 8
            )
            #expect(cell.brokenRules == [] && cell.outcomes.allSatisfy { $0.counted == $0.flowed })
        }
    }

    /// One lost edge is repaired where its neighbour kept the pace, and at security A alone.
    @Test(arguments: [PulseFaultKind.oneLostOnA, .oneLostOnB])
    func levelARepairsWhatIsProven(kind: PulseFaultKind) {
        let cell = PulseCell(kind: kind, edgesPerSecond: 1_333, edges: 50_000, seed: 9)
        let (alarm, correct) = (cell.outcomes[0], cell.outcomes[1])
        #expect(alarm.corrected == 0 && alarm.flowed - alarm.counted >= 4 * alarm.faults)
        #expect(correct.corrected >= 4 * correct.faults && correct.flowed - correct.counted <= 4)
    }

    /// What no decoder can see is played all the same, and told as unseen.
    @Test func whatCannotBeSeenIsToldAsUnseen() {
        let cell = PulseCell(kind: .stuck, edgesPerSecond: 333, edges: 20_000, seed: 10)
        #expect(cell.outcomes.allSatisfy { $0.unseen == $0.faults && $0.unseen > 100 && $0.short > 0 })
    }
}
