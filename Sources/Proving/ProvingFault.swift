/// Why a calibration does not go on, in words that say what to do. Nothing of the session is lost by it.
package struct ProvingFault: Error, Equatable, Sendable {
    package let reason: String
    /// What a person may let stand by giving a reason for each, and try again; empty where no reason helps.
    package let refusals: [Refusal]

    package init(_ reason: String) {
        self.reason = reason
        refusals = []
    }

    package init(_ refusals: [Refusal]) {
        reason = refusals.map(\.words).joined(separator: "; ")
        self.refusals = refusals
    }
}

/// What stands in a calibration and is refused, unless a person says why it may stand (``Override``).
package enum Rule: String, CaseIterable, Sendable {
    case certificateExpired = "certificate-expired"
    case liquidTooWarm = "liquid-too-warm"
    case temperaturesApart = "temperatures-apart"
    /// More than a third of the limit of error.
    case uncertaintyTooLarge = "uncertainty-too-large"
    case factorFarOff = "factor-far-off"
    case pulsesOutOfRange = "pulses-out-of-range"
    /// A point of the old curve that no run was near.
    case pointNotRun = "point-not-run"

    /// What the person at the terminal reads.
    package var words: String {
        switch self {
        case .certificateExpired: "the prover's certificate has expired: take another prover"
        case .liquidTooWarm: "the liquid is too warm: wait until it is cooler"
        case .temperaturesApart:
            "meter and prover differ too much in temperature: flush the prover with the liquid again"
        case .uncertaintyTooLarge:
            "the uncertainty is more than a third of the limit of error: run again, or take a better prover"
        case .factorFarOff: "the new factor is far from the old one: look for air, a leak or a slipping coupling first"
        case .pulsesOutOfRange:
            "the pulses of a litre are out of the pulser's range: check the type plate and the setting"
        case .pointNotRun: "a point of the old curve was not run and would be lost: run it too"
        }
    }
}

/// A rule that was met, with what was found and what is the limit.
package struct Refusal: Equatable, Sendable {
    package let rule: Rule
    package let found: String
    package let limit: String

    package init(rule: Rule, found: String, limit: String) {
        self.rule = rule
        self.found = found
        self.limit = limit
    }

    package var words: String { "\(rule.words) (\(found); limit \(limit))" }
}

/// A person let stand what is refused.
package struct Override: Equatable, Sendable {
    package let rule: Rule
    package let found: String
    package let reason: TypedText
    package let person: TypedText

    package init(_ refusal: Refusal, reason: TypedText, person: TypedText) {
        rule = refusal.rule
        found = refusal.found
        self.reason = reason
        self.person = person
    }

    init(rule: Rule, found: String, reason: TypedText, person: TypedText) {
        self.rule = rule
        self.found = found
        self.reason = reason
        self.person = person
    }

    /// It lets stand what its person saw, and nothing else of the same rule.
    package func covers(_ refusal: Refusal) -> Bool { rule == refusal.rule && found == refusal.found }
}

extension [Refusal] {
    /// - Throws: ``ProvingFault`` with those that no override covers.
    func unless(_ overrides: [Override]) throws(ProvingFault) {
        let open = filter { refusal in !overrides.contains { $0.covers(refusal) } }
        guard open.isEmpty else { throw ProvingFault(open) }
    }
}
