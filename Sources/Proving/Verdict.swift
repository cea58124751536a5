import Quantities

/// What the runs at one point show.
package struct PointResult: Equatable, Sendable {
    package let point: TestPoint
    /// Of the runs that count, in their order.
    package let errors: [RelativeError]
    package let mean: RelativeError
    /// The largest error less the least.
    package let spread: RelativeError
    package let budget: Budget

    package var isWithinError: Bool { mean.magnitude <= point.errorLimit }

    /// nil where it is not judged.
    package var isRepeatable: Bool? { point.role == .leastQuantity ? nil : spread <= PracticeLimits.repeatability }

    package var isPassed: Bool { isWithinError && isRepeatable != false }

    /// Whether the verdict would be another with the error somewhere within its uncertainty.
    package var isCloseToLimit: Bool {
        let room = abs(point.errorLimit.share - mean.magnitude.share)
        return room < budget.expanded
    }
}

/// What all runs show. It is worked out again from them each time, and is never stored.
package struct Verdict: Equatable, Sendable {
    /// In the order of the plan.
    package let points: [PointResult]

    package var isPassed: Bool { points.allSatisfy(\.isPassed) }

    /// A third of the limit of error is the most that an uncertainty may be.
    package var refusals: [Refusal] {
        points.compactMap { result in
            guard result.budget.expanded * 3 > result.point.errorLimit.share else { return nil }
            let found = RelativeError(billionths: Int(result.budget.expanded * 1e9))
            let limit = RelativeError(billionths: result.point.errorLimit.billionths / 3)
            return Refusal(
                rule: .uncertaintyTooLarge,
                found: "U = \(found.percentUnsigned) % at \(result.point.words)",
                limit: "\(limit.percentUnsigned) %"
            )
        }
    }

    /// - Throws: ``ProvingFault`` while a point has too few runs that count.
    init(of running: Running) throws(ProvingFault) {
        let assignment = running.equipped.assignment
        let plan = assignment.plan
        let runs = plan.points.indices.map { index in running.runs.filter { $0.counts && $0.point == index } }
        for (point, runs) in zip(plan.points, runs) where runs.count < plan.runsMin {
            let missing = plan.runsMin - runs.count
            throw ProvingFault("\(missing) more run\(missing == 1 ? "" : "s") must count at \(point.words)")
        }
        let errors = runs.map { $0.map(running.error) }
        // Their scatter is that of meter and reading at nearly the same volume; at the least quantity it is another.
        let rated = zip(plan.points, errors).filter { $0.0.role != .leastQuantity }
        let pooled = rated.reduce(Scatter(squares: 0, degrees: 0)) { $0 + Scatter($1.1) }
        points = plan.points.indices.map { index in
            let point = plan.points[index]
            let (least, largest) = (errors[index].min(), errors[index].max())
            guard let least, let largest else { preconditionFailure("a plan has runs at each point") }
            return PointResult(
                point: point,
                errors: errors[index],
                mean: .mean(errors[index]),
                spread: RelativeError(billionths: largest.billionths - least.billionths),
                budget: Budget(
                    runs[index],
                    scatter: point.role == .leastQuantity ? Scatter(errors[index]) : pooled,
                    prover: running.equipped.provers[point.prover],
                    conditions: running.conditions,
                    isDisplayed: assignment.purpose == .verify
                )
            )
        }
    }
}

extension RelativeError {
    /// In percent with three decimals, without a sign.
    var percentUnsigned: String {
        decimal(Int(rounded(Int128(abs(billionths)), over: 10_000)), decimals: 3, shown: 3...3)
    }
}
