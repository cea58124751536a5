package import Metering

/// How a decoder can know of a kind of fault (<doc:0022-what-a-decoder-can-see> of Metering).
package enum PulseProof: Equatable, Sendable {
    /// There is no fault, and no alarm.
    case harmless
    /// Levels, order, the kernel's numbers or the meter's largest flow prove it at any flow.
    case proven
    /// Time shows it in a steady flow, from so many edges a second on.
    case byTime(edgesPerSecondMin: Int)
    case notDetectable
}

extension PulseFaultKind {
    package var proof: PulseProof {
        switch self {
        case .clean, .jog: .harmless
        case .oneLostOnA, .oneLostOnB, .oneLostOnBoth, .dropped, .bounce, .noise, .swapped, .commonMode, .overspeed,
            .phaseDrift:
            .proven
        case .twoLostOnA, .twoLostOnB, .manyLostOnA, .manyLostOnB, .deadLeg: .byTime(edgesPerSecondMin: 1)
        // A gap of 5 steps, or of 17, within 80 ms.
        case .twoLostOnBoth: .byTime(edgesPerSecondMin: 67)
        case .manyLostOnBoth: .byTime(edgesPerSecondMin: 225)
        case .stuck: .notDetectable
        }
    }
}

/// One kind of fault at one rate through a decoder of each security, whose meter makes this rate at most.
package struct PulseCell: Sendable {
    package static let edgesPerSecond = [83, 333, 1_333, 5_000, 20_000]

    /// What one decoder made of the signal.
    package struct Outcome: Sendable {
        package let security: PulserSecurity
        /// Net counts that flowed.
        package var flowed = 0
        /// Counts that were shown.
        package var counted = 0
        /// Reverse counts that were not worked off when the signal ended.
        package var reverse = 0
        /// Counts that level A added.
        package var corrected = 0
        /// Faults put in.
        package var faults = 0
        /// Of these, how many were noted before the next.
        package var alarmed = 0
        /// Alarms where nothing was put in, or nothing that is a fault.
        package var falseAlarms = 0
        /// Faults put in that nothing noted.
        package var unseen = 0
        /// Faults after which the counts were wrong, and nothing noted it.
        package var wrongUnseen = 0
        /// The most counts that were read too few, and too many, around one fault.
        package var short = 0
        package var over = 0
        /// Edges that were called noise in common mode, or common mode in noise.
        package var misnamed = 0
        /// Faults around which more counts were wrong than ``PulseFault/countsMax``.
        package var beyondSize = 0
    }

    package let kind: PulseFaultKind
    package let edgesPerSecond: Int
    package private(set) var outcomes: [Outcome]

    /// - Parameter edges: of the signal.
    package init(
        kind: PulseFaultKind,
        edgesPerSecond: Int,
        jitterPercent: Int = 5,
        edges: Int,
        seed: UInt64
    ) {
        self.kind = kind
        self.edgesPerSecond = edgesPerSecond
        var generator = PulseGenerator(
            kind: kind,
            edgesPerSecond: edgesPerSecond,
            jitterPercent: jitterPercent,
            seed: seed
        )
        var limits = MeterLimits()
        limits.edgesPerSecondMax = edgesPerSecond
        var alarm = Trial(.alarm, generator.levels, limits)
        var correct = Trial(.correct, generator.levels, limits)
        for _ in 0..<edges {
            let known = generator.faults
            let edge = generator.next()
            if generator.faults != known, let fault = generator.lastFault {
                alarm.begin(fault)
                correct.begin(fault)
            }
            alarm.take(edge)
            correct.take(edge)
        }
        // What was put in last has had no time to be seen.
        outcomes = [alarm.ended(generator.trueCounts), correct.ended(generator.trueCounts)]
    }

    /// What is not as it has to be, a line each.
    package var brokenRules: [String] {
        outcomes.flatMap { outcome in
            var rules: [String] = []
            func require(_ holds: Bool, _ rule: String) {
                if !holds {
                    rules.append("\(kind.rawValue), \(edgesPerSecond) edges/s, \(outcome.security.rawValue): \(rule)")
                }
            }
            require(outcome.falseAlarms == 0, "\(outcome.falseAlarms) alarms without a fault")
            require(outcome.over <= 1, "\(outcome.over) counts too many around one fault")
            require(outcome.beyondSize == 0, "\(outcome.beyondSize) faults took more counts than stated")
            // Above it common mode and the edge beside it are one disturbance.
            if kind != .commonMode || edgesPerSecond <= 333 {
                require(outcome.misnamed == 0, "\(outcome.misnamed) edges misnamed")
            }
            switch kind.proof {
            case .harmless:
                let net = outcome.counted - outcome.reverse
                require(net == outcome.flowed, "\(net) counts of \(outcome.flowed)")
            case .byTime(let least) where edgesPerSecond < least: break
            case .notDetectable: break
            case .proven, .byTime:
                require(outcome.faults > 0, "no fault was put in")
                require(outcome.unseen == 0, "\(outcome.unseen) of \(outcome.faults) unseen")
                require(outcome.wrongUnseen == 0, "\(outcome.wrongUnseen) times wrong counts unseen")
            }
            return rules
        }
    }
}

/// A decoder, and what it has made of the signal so far.
private struct Trial {
    private var pulser: Pulser
    private var outcome: PulseCell.Outcome
    private var fault: PulseFault?
    /// At the last fault put in.
    private var alarms = 0
    private var counts = 0

    init(_ security: PulserSecurity, _ levels: (a: Bool, b: Bool), _ limits: MeterLimits) {
        pulser = Pulser(kind: .quadrature(security), levels: levels, limits: limits)
        outcome = PulseCell.Outcome(security: security)
    }

    @inline(__always)
    mutating func take(_ edge: PumpEdge) {
        guard case .pulser(let channel) = edge.input else { return }
        pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
    }

    /// Judges what was put in before.
    mutating func begin(_ next: PulseFault) {
        judge(next.trueCounts)
        fault = next
        if !next.kind.isHarmless { outcome.faults += 1 }
    }

    private mutating func judge(_ flowed: Int) {
        let noted = pulser.faults.total
        let read = pulser.counts - pulser.reverse
        defer { (alarms, counts) = (noted, read) }
        guard let fault, !fault.kind.isHarmless else {
            outcome.falseAlarms += noted - alarms
            return
        }
        let missing = flowed - fault.trueCounts - (read - counts)
        outcome.short = max(outcome.short, missing)
        outcome.over = max(outcome.over, -missing)
        if abs(missing) > fault.countsMax { outcome.beyondSize += 1 }
        if noted > alarms {
            outcome.alarmed += 1
        } else {
            outcome.unseen += 1
            if missing != 0 { outcome.wrongUnseen += 1 }
        }
    }

    mutating func ended(_ flowed: Int) -> PulseCell.Outcome {
        if fault.map(\.kind.isHarmless) ?? true { judge(flowed) }
        outcome.flowed = flowed
        outcome.counted = pulser.counts
        outcome.reverse = pulser.reverse
        outcome.misnamed = misnamed
        outcome.corrected = pulser.corrected
        // The last fault was not judged.
        outcome.faults = outcome.alarmed + outcome.unseen
        return outcome
    }

    private var misnamed: Int {
        switch fault?.kind {
        case .noise, .bounce: pulser.faults.bothTogether
        case .commonMode: pulser.faults.noise.reduce(0, +)
        case _: 0
        }
    }
}
