import ISO7816
import Metering
import Quantities

/// Reads a session's lines in their order, by the steps that wrote them.
struct SessionReader {
    private var rest: ArraySlice<String>
    private var number = 1

    init(_ lines: ArraySlice<String>) { rest = lines }

    mutating func session() throws(ProvingFault) -> CalibrationSession {
        let session = try unended()
        guard next(is: "abandoned") else {
            try end()
            return session
        }
        var words = try words("abandoned", 3)
        let time = try words.time()
        let person = try words.text()
        let reason = try words.text()
        try end()
        return try session.abandoned(reason: reason, person: person, at: time)
    }

    private mutating func unended() throws(ProvingFault) -> CalibrationSession {
        let assignment = try assignment()
        guard next(is: "prover") else { return .begun(assignment) }
        var provers: [Prover] = []
        while next(is: "prover") { provers.append(try prover()) }
        let equipped = try assignment.equipped(with: provers, overrides: overrides())
        guard next(is: "conditions") else { return .equipped(equipped) }
        let running = try running(equipped)
        guard next(is: "judged") else { return .running(running) }
        _ = try words("judged", 0)
        let judged = try running.judged()
        guard next(is: "proposed") else { return .judged(judged) }
        _ = try words("proposed", 0)
        let proposed = try judged.proposed(overrides: overrides())
        guard next(is: "confirmed") else { return .proposed(proposed) }
        var words = try words("confirmed", 2)
        let time = try words.time()
        let confirmed = try proposed.confirmed(by: words.text(), at: time)
        guard next(is: "applied") else { return .confirmed(confirmed) }
        return .applied(try applied(confirmed))
    }

    private mutating func assignment() throws(ProvingFault) -> Assignment {
        var begun = try words("begun", 10)
        var oldWords = try words("old", 5)
        var planWords = try words("plan", 5)
        let time = try begun.time()
        guard let purpose = Assignment.Purpose(rawValue: begun.next()) else { throw begun.fault }
        let side = try begun.number()
        let texts = [try begun.text(), try begun.text(), try begun.text(), try begun.text(), try begun.text()]
        let software = MeasuringProgram(version: try begun.text(), sha256: try begun.text())
        return Assignment(
            purpose: purpose,
            technician: texts[0],
            station: texts[1],
            board: texts[2],
            side: side,
            meterSerial: texts[3],
            pulserSerial: texts[4],
            software: software,
            old: try Self.set(&oldWords),
            plan: try Self.plan(&planWords),
            begun: time
        )
    }

    private static func set(_ words: inout LineWords) throws(ProvingFault) -> SealedSet {
        let version = try words.number()
        let checksum = try words.text()
        let pulses = try words.number()
        let countsPerPulse = try words.number()
        let points = try words.list { parts, fault throws(ProvingFault) in
            guard parts.count == 2, let flow = Int(parts[0]), let factor = Int(parts[1]) else { throw fault }
            return CalibrationPoint(litresPerMinute: flow, factorMillionths: factor)
        }
        return try SealedSet(
            version: version,
            checksum: checksum,
            pulsesPerLitre: pulses,
            countsPerPulse: countsPerPulse,
            points: points
        )
    }

    private static func plan(_ words: inout LineWords) throws(ProvingFault) -> Plan {
        let runs = try words.number()
        let least = try words.volume()
        let pulses = (try words.number(), try words.number())
        let points = try words.list { parts, fault throws(ProvingFault) in
            guard parts.count == 3, let role = TestPoint.Role(rawValue: parts[0]), let flow = Int(parts[1]),
                let prover = Int(parts[2])
            else { throw fault }
            return TestPoint(role, litresPerMinute: flow, prover: prover)
        }
        guard pulses.0 <= pulses.1 else { throw words.fault }
        return try Plan(points: points, runsMin: runs, leastQuantity: least, pulsesPerLitre: pulses.0...pulses.1)
    }

    private mutating func prover() throws(ProvingFault) -> Prover {
        var words = try words("prover", 10)
        let serial = try words.text()
        let nominal = try words.volume()
        let correction = try words.volume()
        let parts = words.next().split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let numbers = parts.dropFirst().compactMap { Int($0) }
        let accuracy: ProverAccuracy
        switch (parts[0], parts.count, numbers.count) {
        case ("certificate", 3, 2):
            accuracy = .certificate(Volume(microlitres: numbers[0]), factorThousandths: numbers[1])
        case ("limit", 2, 1): accuracy = .limit(millionths: numbers[0])
        case _: throw words.fault
        }
        return try Prover(
            serial: serial,
            nominal: nominal,
            correction: correction,
            accuracy: accuracy,
            certificate: words.text(),
            expires: words.day(),
            expansion: Expansion(billionthsPerKelvin: words.number()),
            wettingSeconds: words.number(),
            dripSeconds: words.number(),
            scaleDivision: words.volume()
        )
    }

    private mutating func running(_ equipped: Equipped) throws(ProvingFault) -> Running {
        var words = try words("conditions", 5)
        let conditions = try Conditions(
            air: words.temperature(),
            liquid: words.text(),
            expansion: Expansion(billionthsPerKelvin: words.number()),
            expansionThousandths: words.number(),
            thermometerMilliKelvin: words.number()
        )
        var runs: [Run] = []
        while next(is: "run") { runs.append(try run(equipped)) }
        guard runs.count <= Running.runsMax else { throw fault }
        var running = Running(equipped: equipped, conditions: conditions, runs: runs, spoilt: [])
        while next(is: "spoilt") { running = try running.beginning(spoilt()) }
        return running
    }

    private mutating func spoilt() throws(ProvingFault) -> SpoiltDelivery {
        var words = try words("spoilt", 5)
        let (point, kind) = (words.next(), DeliveryKind(rawValue: words.next()))
        let begun = try words.time()
        let record: UInt64 = try words.number()
        let parts = words.next().split(separator: ":", omittingEmptySubsequences: false)
        if parts == ["elsewhere"] { return SpoiltDelivery(foundInJournal: record, begun: begun) }
        guard let point = Int(point), let kind else { throw words.fault }
        let cause: SpoiltDelivery.Cause
        switch (parts[0], parts.count) {
        case ("interrupted", 1): cause = .interrupted
        case ("unread", 1): cause = .unread
        case ("reason", 2):
            guard let reason = SessionWords.decoded(parts[1]) else { throw words.fault }
            cause = .notWhole(reason: reason)
        case _: throw words.fault
        }
        return SpoiltDelivery(point: point, kind: kind, record: record, begun: begun, cause: cause)
    }

    private mutating func run(_ equipped: Equipped) throws(ProvingFault) -> Run {
        var words = try words("run", 15)
        let point = try words.number()
        guard let kind = DeliveryKind(rawValue: words.next()) else { throw words.fault }
        let begun = try words.time()
        let (record, nanoseconds): (UInt64, UInt64) = (try words.number(), try words.number())
        let (ratedCounts, ratedNanoseconds): (Int, UInt64) = (try words.number(), try words.number())
        let (faults, displayed) = (try words.number(), try words.number())
        let reading = ProverReading(
            scale: try words.volume(),
            meter: try words.temperature(),
            prover: try words.temperature()
        )
        let numbers = { (parts: [String], fault: ProvingFault) throws(ProvingFault) -> Int in
            guard parts.count == 1, let number = Int(parts[0]) else { throw fault }
            return number
        }
        let counts = try words.list(numbers)
        let refused = try words.list(numbers).map { Volume(microlitres: $0) }
        let flaws = try words.list(Self.flaw)
        let assignment = equipped.assignment
        guard assignment.plan.points.indices.contains(point), counts.count == assignment.old.points.count,
            refused.count <= ReadingCheck.refusedMax,
            equipped.provers[assignment.plan.points[point].prover].isOnScale(reading.scale)
        else { throw words.fault }
        return Run(
            point: point,
            delivery: try Delivery(
                kind: kind,
                counts: counts,
                nanoseconds: nanoseconds,
                ratedCounts: ratedCounts,
                ratedNanoseconds: ratedNanoseconds,
                faults: faults,
                displayedCentilitres: displayed,
                record: record,
                begun: begun
            ),
            reading: reading,
            refusedReadings: refused,
            flaws: flaws,
            overrides: try overrides()
        )
    }

    private static func flaw(_ parts: [String], _ fault: ProvingFault) throws(ProvingFault) -> RunFlaw {
        func text(_ part: String) throws(ProvingFault) -> TypedText {
            guard let text = SessionWords.decoded(part) else { throw fault }
            return try TypedText(text, "the reason")
        }
        switch (parts[0], parts.count) {
        case ("little", 1): return .littleAtRate
        case ("mixed", 1): return .mixed
        case ("person", 3): return .byPerson(reason: try text(parts[1]), person: try text(parts[2]))
        case ("flow", 2):
            guard let flow = Int(parts[1]) else { throw fault }
            return .flow(millilitresPerMinute: flow)
        case ("faults", 2):
            guard let count = Int(parts[1]) else { throw fault }
            return .pulserFaults(count)
        case _: throw fault
        }
    }

    private mutating func overrides() throws(ProvingFault) -> [Override] {
        var overrides: [Override] = []
        while next(is: "override") {
            var words = try words("override", 4)
            guard let rule = Rule(rawValue: words.next()), let found = SessionWords.decoded(words.next()) else {
                throw words.fault
            }
            overrides.append(Override(rule: rule, found: found, reason: try words.text(), person: try words.text()))
        }
        return overrides
    }

    private mutating func applied(_ confirmed: Confirmed) throws(ProvingFault) -> Applied {
        var words = try words("applied", 3)
        let time = try words.time()
        let checksum = try words.text()
        let old = confirmed.proposed.judged.running.equipped.assignment.old
        let set = try SealedSet(
            version: words.number(),
            checksum: checksum,
            pulsesPerLitre: old.pulsesPerLitre,
            countsPerPulse: old.countsPerPulse,
            points: confirmed.proposed.proposal.points
        )
        return try confirmed.applied(set, at: time)
    }

    private func next(is name: String) -> Bool { rest.first?.split(separator: " ").first == name[...] }

    private mutating func words(_ name: String, _ count: Int) throws(ProvingFault) -> LineWords {
        number += 1
        let words = rest.popFirst()?.split(separator: " ", omittingEmptySubsequences: false).map(String.init) ?? []
        guard words.count == count + 1, words[0] == name else { throw fault }
        return LineWords(words.dropFirst(), fault: fault)
    }

    private func end() throws(ProvingFault) {
        guard rest.isEmpty else { throw ProvingFault("line \(number + 1) of the session does not belong there") }
    }

    private var fault: ProvingFault { ProvingFault("line \(number) of the session cannot be read") }
}

/// The words of one line, each in its place; there are as many as are asked for.
struct LineWords {
    private var rest: ArraySlice<String>
    let fault: ProvingFault

    init(_ words: ArraySlice<String>, fault: ProvingFault) {
        rest = words
        self.fault = fault
    }

    mutating func next() -> String {
        guard let word = rest.popFirst() else { preconditionFailure("the line's words were counted") }
        return word
    }

    mutating func text() throws(ProvingFault) -> TypedText {
        guard let text = SessionWords.decoded(next()) else { throw fault }
        return try TypedText(text, "a text")
    }

    mutating func number<Number: FixedWidthInteger>() throws(ProvingFault) -> Number {
        guard let number = Number(next()) else { throw fault }
        return number
    }

    mutating func number() throws(ProvingFault) -> Int {
        guard let number = Int(next()), number.magnitude <= 1 << 50 else { throw fault }
        return number
    }

    mutating func volume() throws(ProvingFault) -> Volume { Volume(microlitres: try number()) }

    mutating func temperature() throws(ProvingFault) -> Temperature {
        let temperature = Temperature(milliCelsius: try number())
        guard Temperature.typedRange.contains(temperature) else { throw fault }
        return temperature
    }

    mutating func time() throws(ProvingFault) -> TransactionTime {
        do { return try TransactionTime(digits: Hex.bytes(next())) } catch { throw fault }
    }

    mutating func day() throws(ProvingFault) -> CalendarDate {
        do { return try CalendarDate(parsing: Hex.bytes(next())) } catch { throw fault }
    }

    /// Parts joined by ":", joined by ","; "-" for none.
    mutating func list<Element>(
        _ element: ([String], ProvingFault) throws(ProvingFault) -> Element
    ) throws(ProvingFault) -> [Element] {
        let word = next()
        guard word != "-" else { return [] }
        var elements: [Element] = []
        for item in word.split(separator: ",", omittingEmptySubsequences: false) {
            elements.append(
                try element(item.split(separator: ":", omittingEmptySubsequences: false).map(String.init), fault)
            )
        }
        return elements
    }
}
