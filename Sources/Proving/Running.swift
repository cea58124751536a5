import Metering
package import Quantities

/// While runs are made.
package struct Running: Equatable, Sendable {
    /// Of all points, those that do not count too.
    package static let runsMax = 400

    package let equipped: Equipped
    package let conditions: Conditions
    package private(set) var runs: [Run]
    /// By rising record number.
    package private(set) var spoilt: [SpoiltDelivery]

    init(equipped: Equipped, conditions: Conditions, runs: [Run], spoilt: [SpoiltDelivery]) {
        self.equipped = equipped
        self.conditions = conditions
        self.runs = runs
        self.spoilt = spoilt
    }

    /// What is asked of the person who typed `reading` for a delivery.
    package func check(
        _ reading: ProverReading,
        of delivery: Delivery,
        at point: Int,
        refused: [Volume]
    ) -> ReadingCheck {
        ReadingCheck(
            reading,
            counted: equipped.assignment.old.calibration.volume(of: delivery.counts),
            prover: equipped.provers[equipped.assignment.plan.points[point].prover],
            liquid: conditions.expansion,
            refused: refused
        )
    }

    /// What stands against a run: its temperatures, and the certificate on its own day. A session may outlast one.
    package func refusals(_ reading: ProverReading, of delivery: Delivery, at point: Int) -> [Refusal] {
        let prover = equipped.provers[equipped.assignment.plan.points[point].prover]
        let expired = delivery.begun.date.map(prover.refusals) ?? []
        return PracticeLimits.refusals(reading)
            + expired.filter { refusal in !equipped.overrides.contains { $0.covers(refusal) } }
    }

    /// With one run more. It is there also when it does not count: its flaws say why.
    ///
    /// - Parameters:
    ///   - point: of the plan.
    ///   - refused: readings that were typed before, and did not fit.
    /// - Throws: ``ProvingFault`` for what no override covers, and for a reading that has to be asked again.
    package func adding(
        _ delivery: Delivery,
        at point: Int,
        reading: ProverReading,
        refused: [Volume] = [],
        overrides: [Override] = []
    ) throws(ProvingFault) -> Running {
        let assignment = equipped.assignment
        guard assignment.plan.points.indices.contains(point) else { throw ProvingFault("the plan has no such point") }
        guard runs.count < Self.runsMax, refused.count <= ReadingCheck.refusedMax else {
            throw ProvingFault("there are more runs than a calibration has: abandon it and look at the meter")
        }
        guard delivery.counts.count == assignment.old.points.count else {
            throw ProvingFault("the delivery was counted under another set of parameters: begin again")
        }
        guard
            [reading.meter, reading.prover].allSatisfy({ Temperature.typedRange.contains($0) })
        else { throw ProvingFault("such a temperature no dispenser has: type it again") }
        switch check(reading, of: delivery, at: point, refused: refused) {
        case .fits: break
        case .askAgain(let error):
            throw ProvingFault(
                "the reading \(reading.scale.litresText) L is \(error.percent) % from the counts: read and type it again; typed twice alike it is taken"
            )
        case .offScale:
            throw ProvingFault("\(reading.scale.litresText) L is not on the prover's scale: read and type it again")
        }
        try refusals(reading, of: delivery, at: point).unless(overrides)
        var next = self
        next.spoilt.removeAll { $0.record == delivery.record }
        next.runs.append(
            Run(
                point: point,
                delivery: delivery,
                reading: reading,
                refusedReadings: refused,
                flaws: flaws(of: delivery, at: point),
                overrides: overrides
            )
        )
        return next
    }

    /// With run `index` discarded by a person.
    package func discarding(_ index: Int, reason: TypedText, person: TypedText) throws(ProvingFault) -> Running {
        guard runs.indices.contains(index) else { throw ProvingFault("there is no run \(index + 1)") }
        guard runs[index].counts else { throw ProvingFault("run \(index + 1) does not count anyway") }
        var next = self
        next.runs[index].flaws = [.byPerson(reason: reason, person: person)]
        return next
    }

    package func judged() throws(ProvingFault) -> Judged { Judged(self, try Verdict(of: self)) }

    private func flaws(of delivery: Delivery, at point: Int) -> [RunFlaw] {
        let plan = equipped.assignment.plan
        var flaws: [RunFlaw] = []
        let flow = delivery.millilitresPerMinute(countsPerLitre: equipped.assignment.old.calibration.countsPerLitre)
        let asked = plan.points[point].litresPerMinute * 1_000
        if abs(flow - asked) * 1_000 > asked * Plan.flowThousandths { flaws.append(.flow(millilitresPerMinute: flow)) }
        if plan.points[point].role != .leastQuantity, delivery.ratedCounts * 4 < delivery.totalCounts * 3 {
            flaws.append(.littleAtRate)
        }
        if delivery.faults > 0 { flaws.append(.pulserFaults(delivery.faults)) }
        if runs.contains(where: { $0.counts && $0.point == point && $0.delivery.kind != delivery.kind }) {
            flaws.append(.mixed)
        }
        return flaws
    }
}

extension Running {
    /// V_J: from the counts, and of a verification from the display.
    package func indicated(_ run: Run) -> Volume {
        switch equipped.assignment.purpose {
        case .calibrate: equipped.assignment.old.calibration.volume(of: run.delivery.counts)
        case .verify: Volume(centilitres: run.delivery.displayedCentilitres)
        }
    }

    package func reference(_ run: Run) -> Volume {
        let point = equipped.assignment.plan.points[run.point]
        return equipped.provers[point.prover].reference(run.reading, liquid: conditions.expansion)
    }

    package func error(_ run: Run) -> RelativeError { RelativeError(of: indicated(run), to: reference(run)) }
}
