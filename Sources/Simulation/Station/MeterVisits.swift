import Dispenser
import Metering
import PulseSignals
import Quantities

/// Draws a station whose meter makes one rate at most, and visits in which its pulser lies. Nothing else goes wrong there.
struct MeterVisits {
    private var numbers: SplitMix64
    private let sides: Int
    /// Of the meter, at most.
    private let edgesPerSecond: Int

    init(seed: UInt64, sides: Int) {
        self.sides = sides
        numbers = SplitMix64(state: seed)
        edgesPerSecond = PulseCell.edgesPerSecond[numbers.below(PulseCell.edgesPerSecond.count)]
    }

    mutating func layout() -> StationLayout {
        var layout = StationLayout()
        layout.sides = sides
        layout.overrunCounts = numbers.below(3) == 0 ? 6 : 1
        layout.security = numbers.below(2) == 0 ? .alarm : .correct
        layout.edgesPerSecondMax = edgesPerSecond
        layout.countsPerLitre = edgesPerSecond > 1_000 ? 1_600 : 400
        return layout
    }

    mutating func visits(_ count: Int) -> [CustomerVisit] {
        var visits: [CustomerVisit] = []
        while visits.count < count {
            let visit = visit()
            visits.append(visit)
            // Some customers come before him, to a position that may be closed.
            if visit.lie != nil, numbers.below(6) > 0 { visits.append(CustomerVisit(card: 0, errand: .technician)) }
        }
        return visits
    }

    private mutating func visit() -> CustomerVisit {
        let card = numbers.below(VisitGenerator.cards)
        switch numbers.below(24) {
        case 0, 1, 2: return CustomerVisit(card: card, errand: .counter)
        case 3:
            let factors = (0...numbers.below(2)).map { _ in 990_000 + 5_000 * numbers.below(5) }
            let preset = Preset(centilitres: 20 + numbers.below(300))
            let payment: PaymentMode = numbers.below(3) == 0 ? .prepaid(preset) : .greyLock
            return CustomerVisit(card: card, errand: .reconfigure(payment, factorsMillionths: factors))
        case 4: return CustomerVisit(card: card, errand: .night(hours: 1 + numbers.below(10)))
        case 5: return CustomerVisit(card: card, errand: .leak(counts: 1 + numbers.below(60)))
        case _: break
        }
        let kind = PulseFaultKind.allCases[numbers.below(PulseFaultKind.allCases.count)]
        // A whole drift takes 6,000 edges.
        let counts = kind == .phaseDrift ? 2_000 + numbers.below(2_000) : 100 + numbers.below(500)
        var visit = CustomerVisit(card: card, errand: .refuel(counts: counts))
        if numbers.below(20) > 0 {
            visit.lie = PulserLie(kind: kind, edgesPerSecond: flow(kind), seed: numbers.next())
        }
        return visit
    }

    /// As the meter makes at most, or less. At less, half as fast again is no fault.
    private mutating func flow(_ kind: PulseFaultKind) -> Int {
        kind == .overspeed || numbers.below(2) == 0 ? edgesPerSecond : edgesPerSecond / (2 + numbers.below(3))
    }
}
