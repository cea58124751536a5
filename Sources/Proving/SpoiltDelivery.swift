package import Quantities

/// A delivery that no reading was taken of. Its record is in the journal, so it stays as a run that does not count does.
package struct SpoiltDelivery: Hashable, Sendable {
    package enum Cause: Hashable, Sendable {
        /// The program or the power ended while fuel could flow. It is written down before the nozzle is lifted, and stands until
        /// something else is known.
        case interrupted
        /// The fuel is in the prover, and nobody typed what it reads.
        case unread
        case notWhole(reason: String)
        /// The journal has it and this session had not: another session made it, or the session's file is an older copy.
        case elsewhere

        package var words: String {
            switch self {
            case .interrupted: "the program or the power ended during it"
            case .unread: "its reading was never typed"
            case .notWhole(let reason): reason
            case .elsewhere: "only the journal had it: another session's, or this session's file was an older copy"
            }
        }
    }

    /// Which point of the plan; nil of one from elsewhere.
    package let point: Int?
    package let kind: DeliveryKind?
    /// In the journal.
    package let record: UInt64
    package let begun: TransactionTime
    package internal(set) var cause: Cause

    package init(point: Int, kind: DeliveryKind, record: UInt64, begun: TransactionTime, cause: Cause = .interrupted) {
        self.point = point
        self.kind = kind
        self.record = record
        self.begun = begun
        self.cause = cause
    }

    /// One from elsewhere.
    package init(foundInJournal record: UInt64, begun: TransactionTime) {
        (point, kind, cause) = (nil, nil, .elsewhere)
        self.record = record
        self.begun = begun
    }
}

extension Running {
    /// With a delivery that begins now.
    ///
    /// - Throws: ``ProvingFault`` for a record that is there, and for too many deliveries.
    package func beginning(_ delivery: SpoiltDelivery) throws(ProvingFault) -> Running {
        guard delivery.point.map(equipped.assignment.plan.points.indices.contains) ?? true else {
            throw ProvingFault("the plan has no such point")
        }
        guard !knows(delivery.record) else {
            throw ProvingFault("record \(delivery.record) stands in the session already")
        }
        guard spoilt.count < Self.runsMax else {
            throw ProvingFault(
                "there are more spoilt deliveries than a calibration has: abandon it and look at the pump"
            )
        }
        return with(runs: runs, spoilt: spoilt + [delivery])
    }

    /// Whether it has the delivery of `record`, read or not.
    package func knows(_ record: UInt64) -> Bool {
        spoilt.contains { $0.record == record } || runs.contains { $0.delivery.record == record }
    }

    /// The highest of its deliveries; nil before the first one.
    package var lastRecord: UInt64? { (spoilt.map(\.record) + runs.map(\.delivery.record)).max() }

    /// With what is known now of the delivery of `record`.
    package func spoiling(_ record: UInt64, _ cause: SpoiltDelivery.Cause) throws(ProvingFault) -> Running {
        guard let index = spoilt.firstIndex(where: { $0.record == record }) else {
            throw ProvingFault("no delivery of record \(record) was begun")
        }
        var changed = spoilt
        changed[index].cause = cause
        return with(runs: runs, spoilt: changed)
    }

    private func with(runs: [Run], spoilt: [SpoiltDelivery]) -> Running {
        Running(equipped: equipped, conditions: conditions, runs: runs, spoilt: spoilt)
    }
}
