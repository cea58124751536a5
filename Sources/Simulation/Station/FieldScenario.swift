import FuelPassbook
import Quantities

/// What the field does, each as short as it can be: a station with one card, which comes once more when nothing goes wrong.
package enum FieldScenario: String, CaseIterable, Sendable {
    case settledElsewhere = "a debit lost on its way, and the card settled at another terminal"
    case carriedRecord = "a grey record that came from another terminal"
    case terminalRenumbered = "another terminal id between two attempts at one debit"
    case olderJournal = "an older copy of the journal put in its place"
    case alteredProof = "a proof that arrives altered"
    case muteCard = "a card that stays and says nothing"
    case frozen = "a service that stands still while fuel flows"
    case frozenBeyondQueue = "a service that stands still for longer than the queue holds"
    case pulsesLost = "edges that the kernel's queue drops"
    case firstPulsesLost = "edges that the queue drops before a line's first"
    case channelsSwapped = "a pulser whose plug is turned"

    package var visits: [CustomerVisit] {
        switch self {
        case .settledElsewhere:
            [
                refuel(PlannedFault(.cardPulledBefore, at: .instruction(.debitForPetrol, 0))),
                refuel(PlannedFault(.cardPulledBefore, at: .instruction(.debitForPetrol, 0))),
                CustomerVisit(card: 0, errand: .settleElsewhere), refuel(),
            ]
        case .carriedRecord:
            // Its number is another here than there.
            [refuel(), CustomerVisit(card: 0, errand: .carriedRecord(Amount(fen: 2_355))), refuel()]
        case .terminalRenumbered:
            [
                refuel(PlannedFault(.cardPulledAfter, at: .instruction(.debitForPetrol, 0))),
                CustomerVisit(card: 0, errand: .renumber(1)), refuel(),
            ]
        case .olderJournal:
            [
                refuel(), CustomerVisit(card: 0, errand: .copyJournal), refuel(),
                refuel(PlannedFault(.cardPulled, at: .count(Self.counts / 2))),
                CustomerVisit(card: 0, errand: .putJournalBack), refuel(),
            ]
        case .alteredProof:
            [
                refuel(PlannedFault(.cardPulledAfter, at: .instruction(.debitForPetrol, 0))),
                refuel(PlannedFault(.answerCorrupted, at: .instruction(.getTransactionProve, 0))),
            ]
        case .muteCard: [refuel(PlannedFault(.cardMute, at: .instruction(.debitForPetrol, 0), extent: 60))]
        case .frozen: [refuel(PlannedFault(.frozen, at: .count(Self.counts / 2), extent: 10))]
        case .frozenBeyondQueue:
            [refuel(PlannedFault(.frozen, at: .count(Self.counts / 2), extent: 60), counts: 2_000)]
        case .pulsesLost: [refuel(PlannedFault(.pulsesLost, at: .count(Self.counts / 4), extent: 3))]
        case .firstPulsesLost: [refuel(PlannedFault(.pulsesLost, at: .count(0), extent: 20))]
        case .channelsSwapped:
            [
                refuel(PlannedFault(.channelsSwapped, at: .count(Self.counts / 4)), counts: 200), refuel(counts: 200),
            ]
        }
    }

    /// - Returns: the rule that was broken, and what happened.
    package func run() -> (StationSimulation.Violation?, trace: [String]) {
        let tape = StationTape(keepsTrace: true)
        let violation = StationSimulation.Violation.of(visits, attacker: nil, tape)
        return (violation, tape.trace)
    }

    private func refuel(_ faults: PlannedFault..., counts: Int = Self.counts) -> CustomerVisit {
        var visit = CustomerVisit(card: 0, errand: .refuel(counts: counts))
        visit.faults = faults
        return visit
    }

    private static let counts = 40
}
