package import Metering
package import Quantities

/// Where the meter is tried.
package struct TestPoint: Hashable, Sendable {
    package enum Role: String, CaseIterable, Sendable {
        case largestFlow = "largest-flow"
        case lowerFlow = "lower-flow"
        /// One more point of the curve.
        case further
        /// Judged by limits of its own; gives no factor.
        case leastQuantity = "least-quantity"
    }

    package let role: Role
    package let litresPerMinute: Int
    /// Which of the session's provers takes the delivery.
    package let prover: Int

    package init(_ role: Role, litresPerMinute: Int, prover: Int) {
        self.role = role
        self.litresPerMinute = litresPerMinute
        self.prover = prover
    }

    package var errorLimit: RelativeError {
        role == .leastQuantity ? PracticeLimits.errorAtLeastQuantity : PracticeLimits.error
    }

    package var words: String {
        role == .leastQuantity ? "the least quantity at \(litresPerMinute) L/min" : "\(litresPerMinute) L/min"
    }
}

/// Which runs a calibration has.
package struct Plan: Hashable, Sendable {
    /// A run's mean flow may be so far from the asked one, in thousandths of it.
    package static let flowThousandths = 50
    /// Points of the curve, and the least quantity.
    package static let pointsMax = Calibration.pointsMax + 1

    /// The least quantity last, the others by falling flow.
    package let points: [TestPoint]
    package let runsMin: Int
    package let leastQuantity: Volume
    /// What the pulser's type plate allows, of one channel.
    package let pulsesPerLitre: ClosedRange<Int>

    /// - Throws: ``ProvingFault`` unless there are one point at the largest flow, one or more lower ones and the least quantity, all
    ///   within the meter's flow.
    package init(
        points: [TestPoint],
        runsMin: Int,
        leastQuantity: Volume,
        pulsesPerLitre: ClosedRange<Int>
    ) throws(ProvingFault) {
        guard points.count <= Self.pointsMax else {
            throw ProvingFault("at most \(Calibration.pointsMax) rates and the least quantity can be run")
        }
        guard points.count(where: { $0.role == .largestFlow }) == 1, points.contains(where: { $0.role == .lowerFlow }),
            points.count(where: { $0.role == .leastQuantity }) == 1
        else { throw ProvingFault("run the largest flow, a lower one and the least quantity, each of them") }
        let rated = points.filter { $0.role != .leastQuantity }.sorted { $0.litresPerMinute > $1.litresPerMinute }
        guard rated.first?.role == .largestFlow, points.allSatisfy({ (1...1_000).contains($0.litresPerMinute) }) else {
            throw ProvingFault("the largest flow is above all others, and each is 1 to 1000 L/min")
        }
        for (upper, lower) in zip(rated, rated.dropFirst()) {
            guard !Self.isNear(upper.litresPerMinute, asked: lower.litresPerMinute) else {
                throw ProvingFault(
                    "\(upper.litresPerMinute) and \(lower.litresPerMinute) L/min are too near each other to be told apart"
                )
            }
        }
        guard (PracticeLimits.runsMin...20).contains(runsMin) else {
            throw ProvingFault("at each rate there are \(PracticeLimits.runsMin) to 20 runs")
        }
        guard leastQuantity > .zero, leastQuantity <= Prover.nominalRange.upperBound else {
            throw ProvingFault("the least quantity is above zero and at most 1000 L")
        }
        guard pulsesPerLitre.lowerBound >= 1, pulsesPerLitre.upperBound <= 100_000 else {
            throw ProvingFault("a pulser gives 1 to 100,000 pulses per litre")
        }
        self.points = rated + points.filter { $0.role == .leastQuantity }
        self.runsMin = runsMin
        self.leastQuantity = leastQuantity
        self.pulsesPerLitre = pulsesPerLitre
    }

    /// What is usual for a meter: its largest flow, each point of its curve, at least one lower flow, and the least quantity at the
    /// lowest of them, with a prover of its own.
    ///
    /// - Parameter largest: in litres a minute; what the pump reaches, where that is less than the meter's largest flow.
    package init(
        usualFor parameters: MeterParameters,
        largest: Int? = nil,
        pulsesPerLitre: ClosedRange<Int>
    ) throws(ProvingFault) {
        let most = largest ?? parameters.litresPerMinute.upperBound
        guard parameters.litresPerMinute.contains(most) else {
            throw ProvingFault(
                "the meter measures \(parameters.litresPerMinute.lowerBound) to \(parameters.litresPerMinute.upperBound) L/min"
            )
        }
        var flows = parameters.points.map(\.litresPerMinute).filter { $0 < most && !Self.isNear(most, asked: $0) }
        if flows.isEmpty { flows = [max(parameters.litresPerMinute.lowerBound, most * 2 / 5)] }
        let lowest = flows[0]
        try self.init(
            points: [TestPoint(.largestFlow, litresPerMinute: most, prover: 0)]
                + flows.map { TestPoint($0 == lowest ? .lowerFlow : .further, litresPerMinute: $0, prover: 0) }
                + [TestPoint(.leastQuantity, litresPerMinute: lowest, prover: 1)],
            runsMin: PracticeLimits.runsMin,
            leastQuantity: parameters.minimumQuantity,
            pulsesPerLitre: pulsesPerLitre
        )
    }

    /// Of the old curve, to which no run at these rates, in litres a minute, belongs.
    package static func pointsLost(of old: SealedSet, at rates: [Int]) -> [CalibrationPoint] {
        old.points.filter { point in !rates.contains { isNear(point.litresPerMinute, asked: $0) } }
    }

    /// Whether a flow counts as the asked one.
    static func isNear(_ litresPerMinute: Int, asked: Int) -> Bool {
        abs(litresPerMinute - asked) * 1_000 <= asked * flowThousandths
    }
}

/// What the seal holds before or after: a set by its number and checksum, and what of it decides the volume.
package struct SealedSet: Hashable, Sendable {
    package let version: Int
    package let checksum: TypedText
    package let pulsesPerLitre: Int
    package let countsPerPulse: Int
    package let points: [CalibrationPoint]

    /// - Throws: ``ProvingFault`` for what no set has; ``Calibration`` takes all others.
    package init(
        version: Int,
        checksum: TypedText,
        pulsesPerLitre: Int,
        countsPerPulse: Int,
        points: [CalibrationPoint]
    ) throws(ProvingFault) {
        guard (0...Int(Int32.max)).contains(version), (1...100_000).contains(pulsesPerLitre),
            (1...4).contains(countsPerPulse), (1...Calibration.pointsMax).contains(points.count),
            points.allSatisfy({
                (1...10_000).contains($0.litresPerMinute)
                    && Calibration.factorMillionthsRange.contains($0.factorMillionths)
            }),
            zip(points, points.dropFirst()).allSatisfy({ $0.litresPerMinute < $1.litresPerMinute })
        else { throw ProvingFault("the set of parameters is none of this program's") }
        self.version = version
        self.checksum = checksum
        self.pulsesPerLitre = pulsesPerLitre
        self.countsPerPulse = countsPerPulse
        self.points = points
    }

    package init(_ parameters: MeterParameters, version: Int, checksum: TypedText) throws(ProvingFault) {
        try self.init(
            version: version,
            checksum: checksum,
            pulsesPerLitre: parameters.pulsesPerLitre,
            countsPerPulse: parameters.pulser.countsPerPulse,
            points: parameters.points
        )
    }

    package var calibration: Calibration {
        Calibration(countsPerLitre: pulsesPerLitre * countsPerPulse, points: points)
    }
}
