import Metering
package import Quantities

/// How a delivery ended. The hose is not equally full after both, so they are not mixed at one rate.
package enum DeliveryKind: String, CaseIterable, Sendable {
    case preset
    case free
}

/// What the pump gave in one delivery into a prover.
package struct Delivery: Hashable, Sendable {
    package static let countsMax = 1_000_000_000
    /// A day.
    package static let nanosecondsMax: UInt64 = 86_400_000_000_000

    package let kind: DeliveryKind
    /// At each point of the old curve.
    package let counts: [Int]
    /// From the first count to the last.
    package let nanoseconds: UInt64
    /// The part that was meant to have the asked rate: without the slow flow at the end of a preset delivery.
    package let ratedCounts: Int
    package let ratedNanoseconds: UInt64
    package let faults: Int
    /// Hundredths of a litre on the display.
    package let displayedCentilitres: Int
    /// Of its record in the journal.
    package let record: UInt64
    package let begun: TransactionTime

    /// - Throws: ``ProvingFault`` for a delivery without fuel, or of more than a day.
    package init(
        kind: DeliveryKind,
        counts: [Int],
        nanoseconds: UInt64,
        ratedCounts: Int,
        ratedNanoseconds: UInt64,
        faults: Int,
        displayedCentilitres: Int,
        record: UInt64,
        begun: TransactionTime
    ) throws(ProvingFault) {
        let total = counts.reduce(Int128(0)) { $0 + Int128($1) }
        guard counts.allSatisfy({ $0 >= 0 }), (1...Int128(Self.countsMax)).contains(total), faults >= 0,
            (0...100_000_000).contains(displayedCentilitres)
        else { throw ProvingFault("no fuel was counted: lift the nozzle and deliver into the prover again") }
        guard (1...Self.nanosecondsMax).contains(nanoseconds), (1...nanoseconds).contains(ratedNanoseconds),
            (1...Int(total)).contains(ratedCounts)
        else { throw ProvingFault("the delivery's times cannot be: deliver into the prover again") }
        self.kind = kind
        self.counts = counts
        self.nanoseconds = nanoseconds
        self.ratedCounts = ratedCounts
        self.ratedNanoseconds = ratedNanoseconds
        self.faults = faults
        self.displayedCentilitres = displayedCentilitres
        self.record = record
        self.begun = begun
    }

    package var totalCounts: Int { counts.reduce(0, +) }

    /// The counts as a meter would share them that has its points at these rates.
    ///
    /// - Parameter rates: rising, in litres a minute.
    package func counts(at rates: [Int], of old: SealedSet) -> [Int] {
        if rates == old.points.map(\.litresPerMinute) { return counts }
        let calibration = Calibration(
            countsPerLitre: old.calibration.countsPerLitre,
            points: rates.map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
        )
        let rated = millilitresPerMinute(countsPerLitre: calibration.countsPerLitre)
        let (slowCounts, slowNanoseconds) = (totalCounts - ratedCounts, nanoseconds - ratedNanoseconds)
        guard slowNanoseconds > 0 else {
            return calibration.sharedCounts([FlowStage(counts: totalCounts, millilitresPerMinute: rated)])
        }
        let slow = calibration.millilitresPerMinute(counts: slowCounts, nanoseconds: slowNanoseconds)
        return calibration.sharedCounts([
            FlowStage(counts: ratedCounts, millilitresPerMinute: rated),
            FlowStage(counts: slowCounts, millilitresPerMinute: slow),
        ])
    }

    /// Of the part at the asked rate, in thousandths of a litre a minute; at most a million litres.
    package func millilitresPerMinute(countsPerLitre: Int) -> Int {
        let perMinute = Int128(ratedCounts) * 60_000_000_000_000
        return Int(min(rounded(perMinute, over: Int128(countsPerLitre) * Int128(ratedNanoseconds)), 1_000_000_000))
    }
}

/// Why a run does not count.
package enum RunFlaw: Hashable, Sendable {
    /// Its mean flow, in thousandths of a litre a minute, was not the asked one.
    case flow(millilitresPerMinute: Int)
    /// Less than three quarters of it had the asked rate.
    case littleAtRate
    case pulserFaults(Int)
    /// Preset among free deliveries of this rate, or free among preset ones.
    case mixed
    case byPerson(reason: TypedText, person: TypedText)

    package var words: String {
        switch self {
        case .flow(let flow):
            "its mean flow was \(decimal(flow, decimals: 3, shown: 1...1)) L/min and not the asked one: set the flow and run again"
        case .littleAtRate: "too little of it flowed at the asked rate: deliver more, or with less slow flow at the end"
        case .pulserFaults(let count): "\(count) faults of the pulser fell into it: look at the pulser, then run again"
        case .mixed: "the runs that count at this rate ended the other way: end all preset or all free"
        case .byPerson(let reason, let person): "discarded by \(person.text): \(reason.text)"
        }
    }
}

/// One delivery and what was read of it. It stays, also when it does not count.
package struct Run: Equatable, Sendable {
    /// Which point of the plan.
    package let point: Int
    package let delivery: Delivery
    package let reading: ProverReading
    /// Typed before and not taken, since they did not fit the counts; then this one was typed.
    package let refusedReadings: [Volume]
    /// Empty when it counts.
    package internal(set) var flaws: [RunFlaw]
    package let overrides: [Override]

    package var counts: Bool { flaws.isEmpty }
}

/// What becomes of a typed reading.
package enum ReadingCheck: Equatable, Sendable {
    case fits
    /// It is this far from the counts: to be asked again, and taken when the same is typed twice.
    case askAgain(RelativeError)
    /// It is not on the prover's scale.
    case offScale

    /// A meter is seldom further off than this before its first calibration.
    package static let plausible = RelativeError(billionths: 15_000_000)
    package static let refusedMax = 20

    package init(
        _ reading: ProverReading,
        counted: Volume,
        prover: Prover,
        liquid: Expansion,
        refused: [Volume]
    ) {
        guard prover.isOnScale(reading.scale) else {
            self = .offScale
            return
        }
        let error = RelativeError(of: counted, to: prover.reference(reading, liquid: liquid))
        self = error.magnitude <= Self.plausible || refused.last == reading.scale ? .fits : .askAgain(error)
    }
}
