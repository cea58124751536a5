import Configuration
import Metering
import Parameters
import Proving
import Quantities
import Records
import Station
import Threads

/// The runs of a session, one after the other, until all points have theirs and somebody says that they stand.
struct CalibrationRuns {
    let file: CalibrationFile
    let voice: any CalibrationVoice
    let setup: CalibrationSetup
    let delivery: ProvingDelivery
    /// A simulated prover's own reading; nil where somebody reads one.
    let simulatedProver: SimulatedProver?
    /// How deliveries end at first.
    let firstKind: DeliveryKind

    private var speed: Int { delivery.simulated?.speed ?? 1 }

    /// - Returns: nil where somebody gave the session up.
    func run(_ begun: Running) throws(ServiceFailure) -> Judged? {
        var running = begun
        var kind = firstKind
        var wetted: Set<Int> = []
        if let last = running.runs.last { kind = last.delivery.kind }
        while true {
            let missing = running.nextPoint
            voice.say(running.standing)
            guard let missing else {
                let judged: Judged
                do throws(ProvingFault) { judged = try running.judged() } catch {
                    throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
                }
                voice.say(judged.words)
                for objection in judged.objections { voice.say(objection) }
                let answer = try voice.ask(
                    "accept",
                    "do the runs stand: yes, d NUMBER discards one, r POINT runs once more, a gives up",
                    usual: nil,
                    isFresh: true
                ) { text throws(CalibrationRefusal) in try Command(text, running, isDone: true) }
                switch answer {
                case .go, .kind: return judged
                case .discard(let index): running = try discard(index, running)
                case .again(let point): try take(&running, point, kind, &wetted)
                case .giveUp: return nil
                }
                continue
            }
            let point = running.equipped.assignment.plan.points[missing]
            let answer = try voice.ask(
                "next",
                "\(point.words), \(kind.rawValue): Enter runs, p or f ends it preset or free, d NUMBER discards, a gives up",
                usual: "run",
                isFresh: true
            ) { text throws(CalibrationRefusal) in try Command(text, running, isDone: false) }
            switch answer {
            case .go: try take(&running, missing, kind, &wetted)
            case .kind(let other): kind = other
            case .discard(let index): running = try discard(index, running)
            case .again(let other): try take(&running, other, kind, &wetted)
            case .giveUp: return nil
            }
        }
    }

    private enum Command {
        case go
        case kind(DeliveryKind)
        /// From 0.
        case discard(Int)
        case again(Int)
        case giveUp

        init(_ text: String, _ running: Running, isDone: Bool) throws(CalibrationRefusal) {
            let words = text.lowercased().split(separator: " ")
            switch (words.first, words.count) {
            case ("run", 1) where !isDone, ("yes", 1) where isDone: self = .go
            case ("p", 1) where !isDone: self = .kind(.preset)
            case ("f", 1) where !isDone: self = .kind(.free)
            case ("a", 1): self = .giveUp
            case ("d", 2):
                guard let number = Int(words[1]), running.runs.indices.contains(number - 1),
                    running.runs[number - 1].counts
                else { throw CalibrationRefusal("type d and the number of a run that counts, as d 2") }
                self = .discard(number - 1)
            case ("r", 2):
                let points = running.equipped.assignment.plan.points
                guard let number = Int(words[1]), points.indices.contains(number - 1) else {
                    throw CalibrationRefusal("type r and the number of a point, 1 to \(points.count), as r 1")
                }
                self = .again(number - 1)
            case _:
                throw CalibrationRefusal(
                    isDone ? "type yes, d NUMBER, r POINT or a" : "press Enter, or type p, f, d NUMBER, r POINT or a"
                )
            }
        }
    }

    private func discard(_ index: Int, _ running: Running) throws(ServiceFailure) -> Running {
        let person = running.equipped.assignment.technician
        let reason = try voice.ask("discard.reason", "why run \(index + 1) does not count", usual: nil) {
            text throws(CalibrationRefusal) in try CalibrationText.text(text, "the reason")
        }
        let next: Running
        do throws(ProvingFault) { next = try running.discarding(index, reason: reason, person: person) } catch {
            voice.say(error.reason)
            return running
        }
        try file.write(.running(next))
        return next
    }

    /// One delivery, its reading, and the run on disk.
    private func take(
        _ running: inout Running,
        _ index: Int,
        _ kind: DeliveryKind,
        _ wetted: inout Set<Int>
    ) throws(ServiceFailure) {
        let plan = running.equipped.assignment.plan
        let point = plan.points[index]
        let prover = running.equipped.provers[point.prover]
        if wetted.insert(point.prover).inserted {
            _ = try voice.ask("wet", "prover \(prover.serial.text): wet it, then press Enter", usual: "", isFresh: true)
            {
                text throws(CalibrationRefusal) in text
            }
            try countDown(prover.wettingSeconds, "wetting")
        }
        _ = try voice.ask(
            "empty",
            "empty prover \(prover.serial.text), close it when it drips, then press Enter",
            usual: "",
            isFresh: true
        ) {
            text throws(CalibrationRefusal) in text
        }
        try countDown(prover.dripSeconds, "dripping")
        let quantity = point.role == .leastQuantity ? plan.leastQuantity : prover.nominal
        var next = running
        let outcome: ProvingDelivery.Outcome
        do throws(ServiceFailure) {
            outcome = try delivery.deliver(kind, quantity, litresPerMinute: point.litresPerMinute, into: quantity) {
                record,
                begun throws(ServiceFailure) in
                let delivery = SpoiltDelivery(point: index, kind: kind, record: UInt64(record.value), begun: begun)
                next = try kept { () throws(ProvingFault) in try running.beginning(delivery) }
            }
        } catch {
            if let record = next.spoilt.last?.record, next != running {
                _ = try kept { () throws(ProvingFault) in
                    try next.spoiling(record, .notWhole(reason: error.reason))
                }
            }
            throw error
        }
        running = next
        switch outcome {
        case .spoilt(let reason, let record):
            running = try kept { () throws(ProvingFault) in
                try next.spoiling(UInt64(record.value), .notWhole(reason: reason))
            }
            voice.say("This delivery does not count: \(reason). It stands in the journal as record \(record.value).")
        case .whole(let delivered):
            running = try kept { () throws(ProvingFault) in try next.spoiling(delivered.record, .unread) }
            let counted = running.equipped.assignment.old.calibration.volume(of: delivered.counts)
            voice.say(
                "\(delivered.totalCounts) counts, \(counted.litresText) L; display \(Volume(centilitres: delivered.displayedCentilitres).litresText.dropLast()) L; record \(delivered.record)."
            )
            running = try read(running, delivered, index)
        }
    }

    /// What was made of the session, on disk.
    private func kept(_ change: () throws(ProvingFault) -> Running) throws(ServiceFailure) -> Running {
        let next: Running
        do throws(ProvingFault) { next = try change() } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
        }
        try file.write(.running(next))
        return next
    }

    private func read(
        _ running: Running,
        _ delivered: Proving.Delivery,
        _ index: Int
    ) throws(ServiceFailure) -> Running {
        var refused: [Volume] = []
        var overrides: [Override] = []
        while true {
            let reading = try reading(running, delivered, index)
            switch running.check(reading, of: delivered, at: index, refused: refused) {
            case .askAgain(let error):
                voice.say(
                    "\(reading.scale.litresText) L is \(error.percent) % from the counts: read again; typed twice alike it is taken."
                )
                refused.append(reading.scale)
                continue
            case .offScale:
                voice.say("\(reading.scale.litresText) L is not on this prover's scale: read again.")
                continue
            case .fits: break
            }
            let refusals = running.refusals(reading, of: delivered, at: index)
            // A reason for what was typed before, and not taken, is none for this.
            overrides.removeAll { override in !refusals.contains { override.covers($0) } }
            for refusal in refusals where !overrides.contains(where: { $0.covers(refusal) }) {
                let person = running.equipped.assignment.technician
                if let override = try setup.override(refusal, person) { overrides.append(override) }
            }
            do {
                let next = try running.adding(
                    delivered,
                    at: index,
                    reading: reading,
                    refused: refused,
                    overrides: overrides
                )
                try file.write(.running(next))
                if let run = next.runs.last { voice.say(next.words(of: run, next.runs.count)) }
                return next
            } catch let failure as ServiceFailure { throw failure } catch {
                voice.say("Not taken: \(error.calibrationWords).")
            }
        }
    }

    private func reading(
        _ running: Running,
        _ delivered: Proving.Delivery,
        _ index: Int
    ) throws(ServiceFailure) -> ProverReading {
        guard let simulatedProver else {
            let scale = try voice.ask(
                "reading.\(running.runs.count + 1)",
                "the prover reads, in litres",
                usual: nil,
                isFresh: true
            ) { text throws(CalibrationRefusal) in try CalibrationText.litres(text, "the reading") }
            let (meter, prover) = try temperatures()
            return ProverReading(scale: scale, meter: meter, prover: prover)
        }
        let (meter, temperature) = try temperatures()
        let scale = simulatedProver.scale(
            delivered,
            at: index,
            running.equipped.provers[running.equipped.assignment.plan.points[index].prover],
            running.conditions.expansion,
            meter: meter,
            temperature
        )
        voice.say("The simulated prover reads \(scale.litresText) L.")
        return ProverReading(scale: scale, meter: meter, prover: temperature)
    }

    private func temperatures() throws(ServiceFailure) -> (meter: Temperature, prover: Temperature) {
        let meter = try voice.ask("temperature.meter", "liquid at the meter in °C", usual: nil) {
            text throws(CalibrationRefusal) in try CalibrationText.temperature(text, "the liquid at the meter")
        }
        let prover = try voice.ask("temperature.prover", "liquid in the prover in °C", usual: nil) {
            text throws(CalibrationRefusal) in try CalibrationText.temperature(text, "the liquid in the prover")
        }
        return (meter, prover)
    }

    /// On the screen, in the seconds of the pump's own time.
    private func countDown(_ seconds: Int, _ what: String) throws(ServiceFailure) {
        let end = MonotonicClock.nanoseconds + UInt64(seconds) * 1_000_000_000 / UInt64(speed)
        while MonotonicClock.nanoseconds < end {
            let left = (end - MonotonicClock.nanoseconds) * UInt64(speed) / 1_000_000_000 + 1
            voice.show("  \(what): \(left) s")
            _ = try voice.key(withinMilliseconds: 100)
        }
        if seconds > 0 { voice.show("  \(what): done") }
    }
}

extension Running {
    /// The first point that has too few runs; nil when none has.
    var nextPoint: Int? {
        let plan = equipped.assignment.plan
        return plan.points.indices.first { index in
            runs.count { $0.counts && $0.point == index } < plan.runsMin
        }
    }

    /// Where it stands, a line a point.
    var standing: String {
        let plan = equipped.assignment.plan
        let lines = plan.points.enumerated().map { index, point in
            let errors = runs.enumerated().filter { $0.element.counts && $0.element.point == index }.map {
                "#\($0.offset + 1) \(error($0.element).percent) %"
            }
            return
                "  \(index + 1)  \(point.words): \(errors.count) of \(plan.runsMin)  \(errors.joined(separator: "  "))"
        }
        return "\nRuns:\n" + lines.joined(separator: "\n")
    }

    /// A line a run, which fits 80 columns where it counts.
    var readings: [String] {
        runs.enumerated().map { index, run in
            let point = equipped.assignment.plan.points[run.point]
            let name = point.role == .leastQuantity ? "least quantity" : point.words
            let measured =
                "\(run.reading.scale.litresText) L is \(reference(run).litresText) L, \(error(run).percent) %"
            let flaws = run.counts ? "" : ", does not count: \(run.flaws.map(\.words).joined(separator: "; "))"
            return "#\(index + 1)".padded(5) + name.padded(16) + "reading " + measured + flaws
        }
    }

    func words(of run: Run, _ number: Int) -> String {
        if run.counts {
            return "Run \(number) is taken: reference \(reference(run).litresText) L, error \(error(run).percent) %."
        }
        return "Run \(number) stays and does not count: \(run.flaws.map(\.words).joined(separator: "; "))."
    }
}

extension Judged {
    /// What stands against new factors, a line each: said while more runs can be made.
    var objections: [String] {
        guard running.equipped.assignment.purpose == .calibrate else { return [] }
        do throws(ProvingFault) {
            return try proposal().refusals.map { "New factors will need a reason: \($0.words)." }
        } catch {
            return ["No new factors come of these runs: \(error.reason)."]
        }
    }

    var words: String {
        var lines = ["", "Point              error        U (k)           spread      verdict"]
        for result in verdict.points {
            let expanded = RelativeError(billionths: Int((result.budget.expanded * 1e9).rounded()))
            let factor = Int((result.budget.factor * 100).rounded())
            let name = result.point.role == .leastQuantity ? "least quantity" : result.point.words
            let width = result.spread.percent.drop { $0 == "+" }
            let spread = "\(width) %\(result.isRepeatable == false ? " too large" : "")"
            let limit = result.point.errorLimit.percent.drop { $0 == "+" }
            var words =
                result.isPassed ? "passed" : result.isWithinError ? "runs differ" : "outside ±\(limit) %"
            if result.isCloseToLimit { words += ", U reaches the limit" }
            let uncertainty =
                "\(expanded.percent.drop { $0 == "+" }) % (\(factor / 100).\(factor % 100 / 10)\(factor % 10))"
            lines.append(
                [name.padded(16), "\(result.mean.percent) %", uncertainty, spread, words].joined(separator: "   ")
            )
        }
        return lines.joined(separator: "\n")
    }
}

extension String {
    func padded(_ count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}
