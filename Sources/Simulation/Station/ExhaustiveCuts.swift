import Dispenser
import FuelPassbook

/// Every single power cut, and every pair of them, over short scenarios: before, in and after each command APDU (in, where
/// the card has counted a try and compared no code yet; elsewhere nothing of it is kept, which is before), before and after
/// each durable write (inside one the disk has all of it or nothing, which are these two) and each pump command, and at
/// each count of the pulser.
package struct ExhaustiveCuts {
    package enum Scenario: String, CaseIterable, Sendable {
        case refuel = "one refuel"
        case escape = "one escape with its local unlock"
        case prepaid = "one prepaid sale"

        /// The visits, of card 0.
        func visits(leavesInOutage: Bool) -> [CustomerVisit] {
            var first = CustomerVisit(card: 0, errand: .refuel(counts: Self.counts))
            first.leavesInOutage = leavesInOutage
            switch self {
            case .refuel: return [first]
            case .escape:
                first.faults = [PlannedFault(.cardPulled, at: .count(Self.counts / 2))]
                var second = first
                second.faults = []
                return [first, second]
            case .prepaid:
                let prepaid = PaymentMode.prepaid(Preset(centilitres: 2 * Self.counts))
                return [CustomerVisit(card: 0, errand: .reconfigure(prepaid, factorsMillionths: [1_000_000])), first]
            }
        }

        /// More than one checkpoint's worth.
        private static let counts = 40
    }

    package struct Tally: Equatable, Sendable {
        package var singles = 0
        package var pairs = 0
    }

    /// A power cut: where, and on which side of it.
    private struct Cut {
        let place: StationTape.Place
        let kind: FaultKind
    }

    private static let seed: UInt64 = 1
    private let scenario: Scenario

    package init(_ scenario: Scenario) { self.scenario = scenario }

    /// Plays the scenario with each cut and each pair, once with a card that stays in an outage and once with one that leaves.
    ///
    /// - Returns: what was played, and the first rule that was broken.
    package func run() -> (Tally, StationSimulation.Violation?) {
        var tally = Tally()
        for leaves in [false, true] {
            let visits = scenario.visits(leavesInOutage: leaves)
            let (places, violation) = play(visits)
            if let violation { return (tally, violation) }
            for first in cuts(at: places[...], of: visits) {
                let once = cut(visits, first)
                let (places, violation) = play(once)
                tally.singles += 1
                if let violation { return (tally, violation) }
                guard let reached = places.firstIndex(of: first.place) else { continue }
                for second in cuts(at: places[(reached + 1)...], of: visits) {
                    tally.pairs += 1
                    if let violation = play(cut(once, second)).violation { return (tally, violation) }
                }
            }
        }
        return (tally, nil)
    }

    private func cuts(at places: ArraySlice<StationTape.Place>, of visits: [CustomerVisit]) -> [Cut] {
        places.filter { visits.indices.contains($0.visit) }.flatMap { place in
            let kinds: [FaultKind] =
                switch place.instant {
                case .exchange: [.powerCutBefore, .powerCutDuring, .powerCutAfter]
                case .write, .command: [.powerCutBefore, .powerCutAfter]
                case .count: [.powerCutBefore]
                case .instruction: []
                }
            return kinds.map { Cut(place: place, kind: $0) }
        }
    }

    private func cut(_ visits: [CustomerVisit], _ cut: Cut) -> [CustomerVisit] {
        var visits = visits
        let extent = cut.kind == .powerCutDuring ? 1 : 0
        visits[cut.place.visit].faults.append(PlannedFault(cut.kind, at: cut.place.instant, extent: extent))
        return visits
    }

    private func play(
        _ visits: [CustomerVisit]
    ) -> (places: [StationTape.Place], violation: StationSimulation.Violation?) {
        let tape = StationTape(keepsPlaces: true)
        guard let reason = station(visits, tape).run() else { return (tape.places, nil) }
        let trace = StationTape(keepsTrace: true)
        _ = station(visits, trace).run()
        return ([], StationSimulation.Violation(seed: Self.seed, reason: reason, visits: visits, trace: trace.trace))
    }

    private func station(_ visits: [CustomerVisit], _ tape: StationTape) -> SimulatedStation {
        SimulatedStation(
            seed: Self.seed,
            layout: StationLayout(),
            cards: 1,
            visits: visits,
            tape: tape,
            ownsArena: false
        )
    }
}
