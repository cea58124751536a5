import Configuration
import ISO7816
import Metering
import Parameters
import Proving
import Quantities
import Station
import Threads

/// The questions before the first run.
struct CalibrationSetup {
    let voice: any CalibrationVoice

    /// Who measures what: on disk as soon as it is answered.
    func assignment(
        _ purpose: Assignment.Purpose,
        _ standing: StandingSide,
        _ now: TransactionTime
    ) throws(ServiceFailure) -> Assignment {
        let set = standing.set
        voice.say(
            """
            Position \(standing.side.number), meter \(set.meter.meterSerial), pulser \(set.meter.pulserSerial), parameters \
            version \(set.version) (\(set.checksum)).
            \(purpose == .calibrate ? "A calibration from counts." : "A verification from the display; it changes nothing.")
            Ctrl-C ends it at any time; the same command goes on.
            """
        )
        let technician = try voice.ask("technician", "your name", usual: nil, use: CalibrationText.person)
        let station = try voice.ask("station", "name of the station", usual: nil) { text throws(CalibrationRefusal) in
            try CalibrationText.text(text, "the station")
        }
        let old = try core { () throws(ProvingFault) in
            try SealedSet(set.meter, version: set.version, checksum: TypedText(set.checksum, "the checksum"))
        }
        let plan = try plan(old, set, purpose)
        return try core { () throws(ProvingFault) in
            Assignment(
                purpose: purpose,
                technician: technician,
                station: station,
                board: try TypedText("\(standing.board)", "the board"),
                side: standing.side.number,
                meterSerial: try TypedText(set.meter.meterSerial, "the meter's number"),
                pulserSerial: try TypedText(set.meter.pulserSerial, "the pulser's number"),
                software: try standing.program.software(),
                old: old,
                plan: plan,
                begun: now
            )
        }
    }

    private func plan(
        _ old: SealedSet,
        _ set: ParameterSet,
        _ purpose: Assignment.Purpose
    ) throws(ServiceFailure) -> Plan {
        let rates = try rates(old, set, purpose)
        let runs = try voice.ask("runs", "runs at each flow", usual: "3") { text throws(CalibrationRefusal) in
            try CalibrationText.number(text, PracticeLimits.runsMin...20, "")
        }
        let least = try voice.ask(
            "least_quantity",
            "least quantity in litres",
            usual: set.meter.minimumQuantity.litresText
        ) { text throws(CalibrationRefusal) in
            let volume = try CalibrationText.litres(text, "the least quantity")
            guard volume.microlitres >= 1_000_000 else {
                throw CalibrationRefusal("no prover holds less than 1 L: type more")
            }
            return volume
        }
        let pulses = old.pulsesPerLitre
        let plate = try voice.ask(
            "pulses_per_litre",
            "pulses per litre on the pulser's plate, least and most",
            usual: "\(max(1, pulses * 19 / 20)) \(max(1, pulses * 21 / 20))"
        ) { text throws(CalibrationRefusal) in
            let numbers = text.split(separator: " ").compactMap { exactNumber(String($0), decimals: 0) }
            guard numbers.count == 2, numbers[0] >= 1, numbers[0] <= numbers[1], numbers[1] <= 100_000 else {
                throw CalibrationRefusal("type two whole numbers, the lower one first, as 95 105")
            }
            return numbers[0]...numbers[1]
        }
        return try core { () throws(ProvingFault) in
            try Plan(points: points(rates), runsMin: runs, leastQuantity: least, pulsesPerLitre: plate)
        }
    }

    private func rates(
        _ old: SealedSet,
        _ set: ParameterSet,
        _ purpose: Assignment.Purpose
    ) throws(ServiceFailure) -> [Int] {
        let flows = set.meter.litresPerMinute
        var usual = old.points.map(\.litresPerMinute).sorted(by: >)
        if usual.count == 1, let only = usual.first { usual.append(max(flows.lowerBound, only * 2 / 5)) }
        let rates = try voice.ask(
            "rates",
            "flows to run in L/min, the largest first",
            usual: usual.map { "\($0)" }.joined(separator: " ")
        ) { text throws(CalibrationRefusal) in
            let rates = try CalibrationText.rates(text)
            guard rates.allSatisfy({ flows.contains($0) }) else {
                throw CalibrationRefusal(
                    "this meter measures \(flows.lowerBound) to \(flows.upperBound) L/min: type flows within that"
                )
            }
            _ = try typed { () throws(ProvingFault) in
                try Plan(
                    points: points(rates),
                    runsMin: PracticeLimits.runsMin,
                    leastQuantity: set.meter.minimumQuantity,
                    pulsesPerLitre: old.pulsesPerLitre...old.pulsesPerLitre
                )
            }
            return rates
        }
        if purpose == .calibrate {
            for lost in Plan.pointsLost(of: old, at: rates) {
                voice.say(
                    "Notice: without runs at \(lost.litresPerMinute) L/min this point of the curve is lost, and new factors need a reason. Ctrl-C and the same command ask again."
                )
            }
        }
        return rates
    }

    /// The least quantity has a prover of its own, the last one.
    private func points(_ rates: [Int]) -> [TestPoint] {
        let rated = rates.enumerated().map { index, rate in
            let role: TestPoint.Role = index == 0 ? .largestFlow : index == rates.count - 1 ? .lowerFlow : .further
            return TestPoint(role, litresPerMinute: rate, prover: 0)
        }
        return rated + [TestPoint(.leastQuantity, litresPerMinute: rates[rates.count - 1], prover: 1)]
    }

    /// Both provers, each with its certificate.
    func equipped(_ assignment: Assignment) throws(ServiceFailure) -> Equipped {
        let least = assignment.plan.leastQuantity.litresText
        while true {
            var overrides: [Override] = []
            voice.say("\nThe prover for the flows:")
            let first = try allowed(1, usual: "20", assignment, &overrides)
            voice.say("\nThe prover for the least quantity, about \(least) L:")
            let second = try allowed(2, usual: least, assignment, &overrides)
            do throws(ProvingFault) {
                return try assignment.equipped(with: [first, second], overrides: overrides)
            } catch {
                voice.say("\(error.reason): describe the provers again.")
            }
        }
    }

    /// One that practice lets stand, or somebody with a reason; another is described where neither does.
    private func allowed(
        _ number: Int,
        usual: String,
        _ assignment: Assignment,
        _ overrides: inout [Override]
    ) throws(ServiceFailure) -> Prover {
        while true {
            let prover = try prover(number, usual: usual)
            let refusals = assignment.begun.date.map { prover.refusals(on: $0) } ?? []
            var reasons: [Override] = []
            for refusal in refusals {
                guard let override = try override(refusal, assignment.technician) else {
                    voice.say("Prover \(prover.serial.text) is not taken: describe another.")
                    break
                }
                reasons.append(override)
            }
            guard reasons.count == refusals.count else { continue }
            overrides += reasons
            return prover
        }
    }

    private func prover(_ number: Int, usual: String) throws(ServiceFailure) -> Prover {
        func key(_ name: String) -> String { "prover.\(number).\(name)" }
        while true {
            let nominal = try voice.ask(key("volume"), "volume in litres", usual: usual) {
                text throws(CalibrationRefusal) in
                let volume = try CalibrationText.litres(text, "the volume")
                guard Prover.nominalRange.contains(volume) else {
                    throw CalibrationRefusal("a prover holds 1 to 1000 L: type its nominal volume in litres")
                }
                return volume
            }
            let serial = try voice.ask(key("serial"), "serial number", usual: nil) { text throws(CalibrationRefusal) in
                try CalibrationText.text(text, "the prover's serial number")
            }
            let certificate = try voice.ask(key("certificate"), "number of its certificate", usual: nil) {
                text throws(CalibrationRefusal) in try CalibrationText.text(text, "the certificate's number")
            }
            let expires = try voice.ask(
                key("expires"),
                "last day of the certificate",
                usual: nil,
                use: CalibrationText.date
            )
            let accuracy = try voice.ask(
                key("accuracy"),
                "uncertainty in litres (k = 2), or class limit with %",
                usual: "0.05 %",
                use: CalibrationText.accuracy
            )
            let correction = try voice.ask(key("correction"), "correction in litres", usual: "0") {
                text throws(CalibrationRefusal) in try CalibrationText.signedLitres(text, "the correction")
            }
            let expansion = try voice.ask(key("expansion"), "its expansion, millionths per kelvin", usual: "50") {
                text throws(CalibrationRefusal) in try CalibrationText.expansion(text, "the expansion")
            }
            let division = try voice.ask(
                key("division"),
                "a division of its scale in litres",
                usual: Volume(microlitres: nominal.microlitres / 2_000).litresText
            ) { text throws(CalibrationRefusal) in try CalibrationText.litres(text, "the division") }
            let wetting = try voice.ask(key("wetting"), "wetting time in seconds", usual: "30") {
                text throws(CalibrationRefusal) in try CalibrationText.number(text, 0...600, " s")
            }
            let drip = try voice.ask(key("drip"), "drip time in seconds", usual: "30") {
                text throws(CalibrationRefusal) in try CalibrationText.number(text, 0...600, " s")
            }
            do throws(ProvingFault) {
                return try Prover(
                    serial: serial,
                    nominal: nominal,
                    correction: correction,
                    accuracy: accuracy,
                    certificate: certificate,
                    expires: expires,
                    expansion: expansion,
                    wettingSeconds: wetting,
                    dripSeconds: drip,
                    scaleDivision: division
                )
            } catch {
                voice.say("  \(error.reason)")
            }
        }
    }

    func conditions() throws(ServiceFailure) -> Conditions {
        voice.say("\nThe conditions:")
        let air = try voice.ask("conditions.air", "air in °C", usual: nil) { text throws(CalibrationRefusal) in
            try CalibrationText.temperature(text, "the air")
        }
        let liquid = try voice.ask("conditions.liquid", "liquid", usual: "petrol") { text throws(CalibrationRefusal) in
            try CalibrationText.text(text, "the liquid")
        }
        let usual = liquid.text.lowercased() == "diesel" ? "840" : "1100"
        let expansion = try voice.ask("conditions.expansion", "its expansion, millionths per kelvin", usual: usual) {
            text throws(CalibrationRefusal) in try CalibrationText.expansion(text, "the expansion")
        }
        let thermometer = try voice.ask("conditions.thermometer", "thermometers are right within, in °C", usual: "0.2")
        {
            text throws(CalibrationRefusal) in
            let limit = try CalibrationText.temperature(text, "the thermometers' limit").milliCelsius
            guard (1...5_000).contains(limit) else {
                throw CalibrationRefusal("type above 0 and at most 5 °C, usually 0.2")
            }
            return limit
        }
        return try core { () throws(ProvingFault) in
            try Conditions(
                air: air,
                liquid: liquid,
                expansion: expansion,
                expansionThousandths: 100,
                thermometerMilliKelvin: thermometer
            )
        }
    }

    /// nil where nobody lets it stand.
    func override(_ refusal: Refusal, _ person: TypedText) throws(ServiceFailure) -> Override? {
        voice.say("Refused: \(refusal.words).")
        let reason = try voice.ask(
            "override.\(refusal.rule.rawValue)",
            "why it may stand all the same (nothing: it may not)",
            usual: "",
            isFresh: true
        ) { text throws(CalibrationRefusal) in text.isEmpty ? nil : try CalibrationText.text(text, "the reason") }
        return reason.map { Override(refusal, reason: $0, person: person) }
    }

    /// What was answered was looked at before: that the core refuses it is told as it is.
    func core<Value>(_ body: () throws(ProvingFault) -> Value) throws(ServiceFailure) -> Value {
        do throws(ProvingFault) { return try body() } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
        }
    }
}

extension ProgramIdentity {
    func software() throws(ProvingFault) -> MeasuringProgram {
        MeasuringProgram(
            version: try TypedText(Release.version, "the version"),
            sha256: try TypedText(digits, "the program's hash")
        )
    }
}

extension Error {
    /// Of what the core threw.
    var calibrationWords: String {
        switch self {
        case let fault as ProvingFault: fault.reason
        case let failure as ServiceFailure: failure.reason
        case let other: "\(other)"
        }
    }
}
