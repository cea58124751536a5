import FuelPassbook
import ISO7816
private import Synchronization
private import Threads

/// Every single move of an attacker, and every pair of them, over one refuel and one return visit: at each command APDU each
/// earlier answer to it, an answer with each field made up, each status word of the scheme, and nothing; the card executes the command or does not.
/// In pairs the likeliest field alone is made up.
/// Before, his card was asked ahead and refuelled once, so that there is an answer to everything; then it comes honestly.
package struct ExhaustiveAttacks: Sendable {
    package enum Scenario: String, CaseIterable, Sendable {
        case paid = "an attacker's refuel and his return"
        case escaped = "an attacker's escape and his return"

        var visits: [CustomerVisit] {
            let refuel = CustomerVisit(card: 0, errand: .refuel(counts: Self.counts))
            var first = refuel
            switch self {
            case .paid: break
            case .escaped: first.faults = [PlannedFault(.cardPulled, at: .count(Self.counts / 2))]
            }
            return [CustomerVisit(card: 0, errand: .askAhead), refuel, first, refuel]
        }

        /// Of the two in which he does something.
        static let attacked = 2...3
        private static let counts = 8
    }

    package struct Tally: Equatable, Sendable {
        package var singles = 0
        package var pairs = 0

        fileprivate mutating func add(_ other: Self) {
            singles += other.singles
            pairs += other.pairs
        }
    }

    fileprivate struct Move {
        let place: StationTape.Place
        let fault: PlannedFault
        /// Which field is made up; 0 for any other move.
        let variant: Int

        var isPaired: Bool { variant == 0 }
    }

    private let scenario: Scenario

    package init(_ scenario: Scenario) { self.scenario = scenario }

    /// Plays them all, on so many threads.
    ///
    /// - Parameter withPairs: false for the single moves alone.
    ///
    /// - Returns: what was played, and a rule that was broken.
    package func run(threads: Int, withPairs: Bool = true) -> (Tally, StationSimulation.Violation?) {
        let together = Together()
        let others = (1..<max(1, threads)).map { part in
            NamedThread("attacks \(part)") { together.add(run(part: part, of: threads, withPairs, together)) }
        }
        together.add(run(part: 0, of: max(1, threads), withPairs, together))
        for other in others { other.join() }
        return together.result
    }

    /// What the threads have so far.
    private final class Together: Sendable {
        private let found = Mutex<(Tally, StationSimulation.Violation?)>((Tally(), nil))

        var result: (Tally, StationSimulation.Violation?) { found.withLock { $0 } }
        var isOver: Bool { found.withLock { $0.1 != nil } }

        func add(_ part: (Tally, StationSimulation.Violation?)) {
            found.withLock {
                $0.0.add(part.0)
                $0.1 = $0.1 ?? part.1
            }
        }
    }

    /// Every `parts`-th single move from the `part`-th on, and its pairs.
    private func run(
        part: Int,
        of parts: Int,
        _ withPairs: Bool,
        _ together: Together
    ) -> (Tally, StationSimulation.Violation?) {
        var tally = Tally()
        let visits = scenario.visits
        let tape = StationTape(keepsPlaces: true)
        if let violation = StationSimulation.Violation.of(visits, attacker: 0, tape) { return (tally, violation) }
        for (index, first) in moves(tape, from: 0).enumerated() where index % parts == part && !together.isOver {
            let once = visits.doing(first)
            let tape = StationTape(keepsPlaces: true)
            tally.singles += 1
            if let violation = StationSimulation.Violation.of(once, attacker: 0, tape) { return (tally, violation) }
            guard withPairs, first.isPaired, let reached = tape.places.firstIndex(of: first.place) else { continue }
            for second in moves(tape, from: reached + 1) where second.isPaired {
                tally.pairs += 1
                if let violation = StationSimulation.Violation.of(once.doing(second), attacker: 0) {
                    return (tally, violation)
                }
            }
        }
        return (tally, nil)
    }

    private func moves(_ tape: StationTape, from start: Int) -> [Move] {
        tape.places[start...].filter { Scenario.attacked.contains($0.visit) }.flatMap { place -> [Move] in
            guard let earlier = tape.earlier[place] else { return [] }
            var faults: [(FaultKind, Int, variant: Int)] = [(.commandKept, 0, 0), (.answerLost, 0, 0)]
            for executes in 0...1 {
                faults += (0..<earlier).map { (.answerReplayed, 2 * $0 + executes, 0) }
                faults += (0..<Shim.forgeries).map { (.answerForged, 2 * $0 + executes, $0) }
                faults += StatusWord.ofScheme.indices.map { (.statusForged, 2 * $0 + executes, 0) }
            }
            return faults.map { kind, extent, variant in
                Move(place: place, fault: PlannedFault(kind, at: place.instant, extent: extent), variant: variant)
            }
        }
    }
}

extension [CustomerVisit] {
    fileprivate func doing(_ move: ExhaustiveAttacks.Move) -> Self {
        var visits = self
        visits[move.place.visit].faults.append(move.fault)
        return visits
    }
}
