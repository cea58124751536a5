import ISO7816
import Metering
import Quantities

// The same report for programs. Errors and uncertainties are in percent, volumes in litres, temperatures in degrees Celsius, all
// of them exact decimals; times are of the station's clock.

extension Report {
    static let format = "greylock-calibration-report"

    var value: JSONText {
        .object(
            identity + measured + concluded + [("recordKey", .text(keyName.text)), ("code", .text(ReportCode.blank))]
        )
    }

    private typealias Members = [(String, JSONText)]

    private var identity: Members {
        let assignment = assignment
        let members: Members = [
            ("format", .text(Self.format)),
            ("version", .number(1)),
            ("state", .text(session.stateName)),
            ("purpose", .text(assignment.purpose.rawValue)),
            ("begun", .text(assignment.begun.description)),
            ("made", .text(made.description)),
            ("station", .text(assignment.station.text)),
            ("board", .text(assignment.board.text)),
            ("side", .number(assignment.side)),
            ("meterSerial", .text(assignment.meterSerial.text)),
            ("pulserSerial", .text(assignment.pulserSerial.text)),
            ("technician", .text(assignment.technician.text)),
        ]
        return members + [
            ("secondPerson", second.map { .text($0.text) } ?? .null),
            ("software", .object([("measured", assignment.software.value), ("wrote", software.value)])),
        ]
    }

    private var measured: Members {
        [
            ("passed", isPassed.map { .flag($0) } ?? .null),
            ("limits", Self.limits(assignment.plan)),
            ("provers", .list(running.equipped.provers.map(\.value))),
            ("conditions", running.conditions.value),
            ("points", .list(assignment.plan.points.indices.map(point))),
            ("runs", .list(running.runs.enumerated().map(run))),
            ("spoilt", .list(running.spoilt.map(\.value))),
        ]
    }

    private var concluded: Members {
        let proposal = session.proposed.map { JSONText.list($0.proposal.lines.map(\.value)) }
        return [
            ("proposal", proposal ?? .null),
            ("oldSet", assignment.old.value),
            ("newSet", applied?.new.value ?? .null),
            ("applied", applied.map { .text($0.time.description) } ?? .null),
            ("abandoned", abandonment?.value ?? .null),
            ("overrides", .list(overrides.map(Self.override))),
        ]
    }

    private static func limits(_ plan: Plan) -> JSONText {
        .object([
            ("errorPercent", PracticeLimits.error.exactPercent),
            ("errorAtLeastQuantityPercent", PracticeLimits.errorAtLeastQuantity.exactPercent),
            ("repeatabilityPercent", PracticeLimits.repeatability.exactPercent),
            ("flowTolerancePercent", .number(decimal(Plan.flowThousandths, decimals: 1, shown: 0...1))),
            ("runsMin", .number(plan.runsMin)),
            ("leastQuantity", plan.leastQuantity.value),
        ])
    }

    private func point(_ index: Int) -> JSONText {
        let point = assignment.plan.points[index]
        return .object([
            ("role", .text(point.role.rawValue)),
            ("litresPerMinute", .number(point.litresPerMinute)),
            ("prover", .number(point.prover + 1)),
            ("errorLimitPercent", point.errorLimit.exactPercent),
            ("result", verdict?.points[index].value ?? .null),
        ])
    }

    /// Of the new curve, rising.
    private var rates: [Int] {
        assignment.plan.points.filter { $0.role != .leastQuantity }.map(\.litresPerMinute).sorted()
    }

    private func run(_ index: Int, _ run: Run) -> JSONText {
        let delivery = run.delivery
        let flow = delivery.millilitresPerMinute(countsPerLitre: assignment.old.calibration.countsPerLitre)
        return .object([
            ("number", .number(index + 1)),
            ("point", .number(run.point + 1)),
            ("counts", .flag(run.counts)),
            ("flaws", .list(run.flaws.map(\.value))),
            ("begun", .text(delivery.begun.description)),
            ("record", .number(delivery.record)),
            ("delivery", .text(delivery.kind.rawValue)),
            ("countsAtPoints", .list(delivery.counts.map { .number($0) })),
            ("countsAtRates", .list(delivery.counts(at: rates, of: assignment.old).map { .number($0) })),
            ("seconds", .number(decimal(Int(delivery.nanoseconds), decimals: 9, shown: 3...9))),
            ("ratedCounts", .number(delivery.ratedCounts)),
            ("ratedSeconds", .number(decimal(Int(delivery.ratedNanoseconds), decimals: 9, shown: 3...9))),
            ("litresPerMinute", .number(decimal(flow, decimals: 3, shown: 0...3))),
            ("pulserFaults", .number(delivery.faults)),
            ("displayed", .number(litres(centilitres: delivery.displayedCentilitres))),
            ("indicated", running.indicated(run).value),
            ("reading", run.reading.scale.value),
            ("refusedReadings", .list(run.refusedReadings.map(\.value))),
            ("meterTemperature", run.reading.meter.value),
            ("proverTemperature", run.reading.prover.value),
            ("reference", running.reference(run).value),
            ("errorPercent", running.error(run).exactPercent),
        ])
    }

    private static func override(_ run: Int?, _ override: Override) -> JSONText {
        .object([
            ("rule", .text(override.rule.rawValue)),
            ("run", run.map { .number($0) } ?? .null),
            ("found", .text(override.found)),
            ("reason", .text(override.reason.text)),
            ("person", .text(override.person.text)),
        ])
    }
}

extension RunFlaw {
    fileprivate var value: JSONText {
        let kind =
            switch self {
            case .flow: "flow"
            case .littleAtRate: "little-at-rate"
            case .pulserFaults: "pulser-faults"
            case .mixed: "mixed"
            case .byPerson: "by-person"
            }
        return .object([("kind", .text(kind)), ("words", .text(words))])
    }
}

extension SpoiltDelivery {
    fileprivate var value: JSONText {
        let kind =
            switch cause {
            case .interrupted: "interrupted"
            case .unread: "unread"
            case .notWhole: "not-whole"
            case .elsewhere: "elsewhere"
            }
        return .object([
            ("point", point.map { .number($0 + 1) } ?? .null),
            ("delivery", self.kind.map { .text($0.rawValue) } ?? .null),
            ("begun", .text(begun.description)),
            ("record", .number(record)),
            ("cause", .text(kind)),
            ("words", .text(cause.words)),
        ])
    }
}

extension CalibrationSession {
    var stateName: String {
        switch self {
        case .begun: "begun"
        case .equipped: "equipped"
        case .running: "running"
        case .judged: "judged"
        case .proposed: "proposed"
        case .confirmed: "confirmed"
        case .applied: "applied"
        case .abandoned: "abandoned"
        }
    }
}

extension RelativeError {
    fileprivate var exactPercent: JSONText { .number(decimal(billionths, decimals: 7, shown: 0...7)) }
}

/// A share in percent; statistics are shown to a billionth.
private func percent(_ share: Double) -> JSONText {
    .number(decimal(Int((share * 1e9).rounded()), decimals: 7, shown: 0...7))
}

extension Volume {
    fileprivate var value: JSONText { .number(decimal(microlitres, decimals: 6, shown: 0...6)) }
}

extension Temperature {
    fileprivate var value: JSONText { .number(decimal(milliCelsius, decimals: 3, shown: 0...3)) }
}

extension Expansion {
    fileprivate var value: JSONText { .number(decimal(billionthsPerKelvin, decimals: 9, shown: 0...9)) }
}

extension MeasuringProgram {
    fileprivate var value: JSONText { .object([("version", .text(version.text)), ("sha256", .text(sha256.text))]) }
}

extension Prover {
    fileprivate var value: JSONText {
        let accuracy: JSONText =
            switch accuracy {
            case .certificate(let expanded, let factor):
                .object([
                    ("expanded", expanded.value), ("k", .number(decimal(factor, decimals: 3, shown: 0...3))),
                ])
            case .limit(let millionths):
                .object([("limitPercent", .number(decimal(millionths, decimals: 4, shown: 0...4)))])
            }
        return .object([
            ("serial", .text(serial.text)),
            ("nominal", nominal.value),
            ("correction", correction.value),
            ("accuracy", accuracy),
            ("certificate", .text(certificate.text)),
            ("expires", .text(expires.description)),
            ("expansionPerKelvin", expansion.value),
            ("wettingSeconds", .number(wettingSeconds)),
            ("dripSeconds", .number(dripSeconds)),
            ("scaleDivision", scaleDivision.value),
        ])
    }
}

extension Conditions {
    fileprivate var value: JSONText {
        .object([
            ("airTemperature", air.value),
            ("liquid", .text(liquid.text)),
            ("expansionPerKelvin", expansion.value),
            ("expansionLimitPercent", .number(decimal(expansionThousandths, decimals: 1, shown: 0...1))),
            ("thermometerLimit", Temperature(milliCelsius: thermometerMilliKelvin).value),
        ])
    }
}

extension PointResult {
    fileprivate var value: JSONText {
        .object([
            ("errorsPercent", .list(errors.map(\.exactPercent))),
            ("meanPercent", mean.exactPercent),
            ("spreadPercent", spread.exactPercent),
            ("withinError", .flag(isWithinError)),
            ("repeatable", isRepeatable.map { .flag($0) } ?? .null),
            ("closeToLimit", .flag(isCloseToLimit)),
            ("uncertainty", budget.value),
        ])
    }
}

extension Budget {
    fileprivate var value: JSONText {
        let lines = lines.map { line in
            JSONText.object([
                ("source", .text(line.source.rawValue)),
                ("standardPercent", percent(line.standard)),
                ("degrees", line.degrees.map { .number($0) } ?? .null),
                ("enters", .flag(line.enters)),
            ])
        }
        return .object([
            ("lines", .list(lines)),
            ("standardPercent", percent(standard)),
            ("scatterDegrees", .number(degrees)),
            ("scatterFactor", .number(scatterFactor.thousandths)),
            ("effectiveDegrees", effectiveDegrees.map { .number(min($0, 1e6).tenths) } ?? .null),
            ("k", .number(factor.thousandths)),
            ("expandedPercent", percent(expanded)),
            ("coveragePercent", .number(95)),
        ])
    }
}

extension Double {
    /// Rounded, as a decimal text.
    var thousandths: String { decimal(Int((self * 1_000).rounded()), decimals: 3, shown: 3...3) }
    var tenths: String { decimal(Int((self * 10).rounded()), decimals: 1, shown: 1...1) }
}

extension Proposal.Line {
    fileprivate var value: JSONText {
        .object([
            ("litresPerMinute", .number(litresPerMinute)),
            ("factorBefore", .number(decimal(before, decimals: 6, shown: 6...6))),
            ("factorAfter", .number(decimal(after, decimals: 6, shown: 6...6))),
            ("errorBeforePercent", error.exactPercent),
            ("errorAfterPercent", rest.exactPercent),
        ])
    }
}

extension SealedSet {
    fileprivate var value: JSONText {
        .object([
            ("version", .number(version)),
            ("checksum", .text(checksum.text)),
            ("pulsesPerLitre", .number(pulsesPerLitre)),
            ("countsPerPulse", .number(countsPerPulse)),
            (
                "points",
                .list(
                    points.map {
                        .object([
                            ("litresPerMinute", .number($0.litresPerMinute)),
                            ("factor", .number(decimal($0.factorMillionths, decimals: 6, shown: 6...6))),
                        ])
                    }
                )
            ),
        ])
    }
}

extension Abandonment {
    fileprivate var value: JSONText {
        .object([
            ("time", .text(time.description)), ("person", .text(person.text)), ("reason", .text(reason.text)),
        ])
    }
}
