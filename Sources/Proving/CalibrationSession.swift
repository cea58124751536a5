package import Quantities

/// What a calibration is about, fixed when it begins.
package struct Assignment: Equatable, Sendable {
    package enum Purpose: String, CaseIterable, Sendable {
        /// From counts; may propose factors.
        case calibrate
        /// From the display, as an inspector reads it; changes nothing.
        case verify
    }

    package let purpose: Purpose
    package let technician: TypedText
    package let station: TypedText
    package let board: TypedText
    package let side: Int
    package let meterSerial: TypedText
    package let pulserSerial: TypedText
    package let software: MeasuringProgram
    package let old: SealedSet
    package let plan: Plan
    package let begun: TransactionTime

    package init(
        purpose: Purpose,
        technician: TypedText,
        station: TypedText,
        board: TypedText,
        side: Int,
        meterSerial: TypedText,
        pulserSerial: TypedText,
        software: MeasuringProgram,
        old: SealedSet,
        plan: Plan,
        begun: TransactionTime
    ) {
        self.purpose = purpose
        self.technician = technician
        self.station = station
        self.board = board
        self.side = side
        self.meterSerial = meterSerial
        self.pulserSerial = pulserSerial
        self.software = software
        self.old = old
        self.plan = plan
        self.begun = begun
    }
}

/// Which program measured, or wrote a report: its version and the SHA-256 of the file that ran. Under which set it measured stands in
/// ``SealedSet``.
package struct MeasuringProgram: Hashable, Sendable {
    package let version: TypedText
    package let sha256: TypedText

    package init(version: TypedText, sha256: TypedText) {
        self.version = version
        self.sha256 = sha256
    }
}

/// One calibration or verification, as it goes. Each phase knows its next ones; each is written down whole (``text(under:)``)
/// before the next step, so that it goes on after an interruption.
package enum CalibrationSession: Equatable, Sendable {
    case begun(Assignment)
    case equipped(Equipped)
    case running(Running)
    /// All runs are there. A verification ends here; a calibration too, when no new factors are wanted.
    case judged(Judged)
    case proposed(Proposed)
    case confirmed(Confirmed)
    case applied(Applied)
    indirect case abandoned(CalibrationSession, Abandonment)

    package var isOver: Bool {
        switch self {
        case .begun, .equipped, .running, .proposed, .confirmed: false
        case .judged(let judged): judged.running.equipped.assignment.purpose == .verify
        case .applied, .abandoned: true
        }
    }

    package var assignment: Assignment {
        switch self {
        case .begun(let assignment): assignment
        case .equipped(let equipped): equipped.assignment
        case .abandoned(let last, _): last.assignment
        case .running(let running): running.equipped.assignment
        case .judged(let judged): judged.running.equipped.assignment
        case .proposed(let proposed): proposed.judged.running.equipped.assignment
        case .confirmed(let confirmed): confirmed.proposed.judged.running.equipped.assignment
        case .applied(let applied): applied.confirmed.proposed.judged.running.equipped.assignment
        }
    }

    /// nil before the first run.
    package var running: Running? {
        switch self {
        case .begun, .equipped: nil
        case .running(let running): running
        case .judged(let judged): judged.running
        case .proposed(let proposed): proposed.judged.running
        case .confirmed(let confirmed): confirmed.proposed.judged.running
        case .applied(let applied): applied.confirmed.proposed.judged.running
        case .abandoned(let last, _): last.running
        }
    }

    /// nil before there was a proposal.
    package var proposed: Proposed? {
        switch self {
        case .begun, .equipped, .running, .judged: nil
        case .proposed(let proposed): proposed
        case .confirmed(let confirmed): confirmed.proposed
        case .applied(let applied): applied.confirmed.proposed
        case .abandoned(let last, _): last.proposed
        }
    }

    /// It is not gone on with; the old factors stay.
    ///
    /// - Throws: ``ProvingFault`` of a session that is over.
    package func abandoned(
        reason: TypedText,
        person: TypedText,
        at time: TransactionTime
    ) throws(ProvingFault) -> CalibrationSession {
        guard !isOver else { throw ProvingFault("this session is over: it cannot be abandoned") }
        return .abandoned(self, Abandonment(reason: reason, person: person, time: time))
    }
}

package struct Abandonment: Equatable, Sendable {
    package let reason: TypedText
    package let person: TypedText
    package let time: TransactionTime
}

extension Assignment {
    /// - Throws: ``ProvingFault`` for what no override covers, and for provers that do not fit the plan.
    package func equipped(with provers: [Prover], overrides: [Override] = []) throws(ProvingFault) -> Equipped {
        try Equipped(self, provers, overrides)
    }
}

/// With its provers.
package struct Equipped: Equatable, Sendable {
    package static let proversMax = 4

    package let assignment: Assignment
    package let provers: [Prover]
    package let overrides: [Override]

    fileprivate init(_ assignment: Assignment, _ provers: [Prover], _ overrides: [Override]) throws(ProvingFault) {
        guard (1...Self.proversMax).contains(provers.count) else {
            throw ProvingFault("a calibration has 1 to \(Self.proversMax) provers")
        }
        for point in assignment.plan.points {
            guard provers.indices.contains(point.prover) else {
                throw ProvingFault("the prover for \(point.words) is missing: describe it")
            }
            let (prover, least) = (provers[point.prover], assignment.plan.leastQuantity)
            guard point.role == .leastQuantity ? prover.isOnScale(least) : prover.nominal >= least else {
                throw ProvingFault(
                    "the prover for \(point.words) holds \(prover.nominal.litresText) L: take one that fits"
                )
            }
        }
        guard let day = assignment.begun.date else { throw ProvingFault("the clock is not set: set it") }
        try provers.flatMap { $0.refusals(on: day) }.unless(overrides)
        self.assignment = assignment
        self.provers = provers
        self.overrides = overrides
    }

    package func starting(_ conditions: Conditions) -> Running {
        Running(equipped: self, conditions: conditions, runs: [], spoilt: [])
    }
}

/// All points have their runs.
package struct Judged: Equatable, Sendable {
    package let running: Running
    package let verdict: Verdict

    init(_ running: Running, _ verdict: Verdict) {
        self.running = running
        self.verdict = verdict
    }

    /// The factors that the runs give, before anybody agreed.
    package func proposal() throws(ProvingFault) -> Proposal { try Proposal(of: self) }

    /// - Throws: ``ProvingFault`` for what no override covers, and where the runs give no factors.
    package func proposed(overrides: [Override] = []) throws(ProvingFault) -> Proposed {
        let proposal = try proposal()
        try proposal.refusals.unless(overrides)
        return Proposed(judged: self, proposal: proposal, overrides: overrides)
    }
}

/// What would be applied, shown before and after.
package struct Proposed: Equatable, Sendable {
    package let judged: Judged
    package let proposal: Proposal
    package let overrides: [Override]

    fileprivate init(judged: Judged, proposal: Proposal, overrides: [Override]) {
        self.judged = judged
        self.proposal = proposal
        self.overrides = overrides
    }

    /// - Throws: ``ProvingFault`` where it is the technician once more.
    package func confirmed(by second: TypedText, at time: TransactionTime) throws(ProvingFault) -> Confirmed {
        guard !PersonName.areSame(second.text, judged.running.equipped.assignment.technician.text) else {
            throw ProvingFault("a second person must confirm, not \(second.text) who measured")
        }
        return Confirmed(proposed: self, second: second, time: time)
    }
}

/// A second person agreed.
package struct Confirmed: Equatable, Sendable {
    package let proposed: Proposed
    package let second: TypedText
    package let time: TransactionTime

    fileprivate init(proposed: Proposed, second: TypedText, time: TransactionTime) {
        self.proposed = proposed
        self.second = second
        self.time = time
    }

    /// The set that was sealed with the proposal's points.
    ///
    /// - Throws: ``ProvingFault`` for a set with other points, or not of a higher number.
    package func applied(_ set: SealedSet, at time: TransactionTime) throws(ProvingFault) -> Applied {
        let old = proposed.judged.running.equipped.assignment.old
        guard set.points == proposed.proposal.points, set.pulsesPerLitre == old.pulsesPerLitre,
            set.countsPerPulse == old.countsPerPulse
        else { throw ProvingFault("the set that was sealed is not the one that was confirmed") }
        guard set.version > old.version else {
            throw ProvingFault("the set that was sealed has not a higher number than the old one")
        }
        return Applied(confirmed: self, new: set, time: time)
    }
}

package struct Applied: Equatable, Sendable {
    package let confirmed: Confirmed
    package let new: SealedSet
    package let time: TransactionTime

    fileprivate init(confirmed: Confirmed, new: SealedSet, time: TransactionTime) {
        self.confirmed = confirmed
        self.new = new
        self.time = time
    }
}
