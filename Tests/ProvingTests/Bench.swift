import CardCryptography
import ISO7816
import Metering
import Proving
import Quantities

/// Numbers by seed (SplitMix64), and the distributions of a budget.
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In 0..<1.
    mutating func share() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    mutating func within(_ halfWidth: Double) -> Double { (2 * share() - 1) * halfWidth }

    /// Standard normal, by Marsaglia's polar method; the logarithm's series is the test's own.
    mutating func normal() -> Double {
        while true {
            let (x, y) = (2 * share() - 1, 2 * share() - 1)
            let square = x * x + y * y
            if square > 0, square < 1 { return x * (-2 * logarithm(square) / square).squareRoot() }
        }
    }

    private func logarithm(_ value: Double) -> Double {
        let exponent = Double(value.exponent)
        let ratio = (value.significand - 1) / (value.significand + 1)
        var power = ratio
        var sum = 0.0
        for odd in stride(from: 1.0, through: 39, by: 2) {
            sum += power / odd
            power *= ratio * ratio
        }
        return exponent * 0.693_147_180_559_945_3 + 2 * sum
    }
}

/// A meter with its true factors, provers with their errors, and a person who reads.
struct Bench {
    static let key = CodeKey(raw: LockedBuffer(hexadecimal: String(repeating: "5A", count: CodeKey.length)))
    static let software = software("1.2.0")
    static let liquid = Expansion.petrol

    var old = set(points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)])
    /// The true meter factor at a flow rate.
    var factor: (Double) -> Double = { _ in 1 }
    var meter = 21.3
    var prover = 20.8
    var chance = Chance(seed: 1)
    /// Relative, of one run.
    var scatter = 0.0
    /// Relative: the prover holds so much more than its scale says.
    var proverError = 0.0
    /// Kelvin, that each thermometer shows too much.
    var thermometers = (meter: 0.0, prover: 0.0)

    static func text(_ text: String) -> TypedText {
        do { return try TypedText(text, "text") } catch { preconditionFailure("\(error)") }
    }

    static func software(_ version: String) -> MeasuringProgram {
        MeasuringProgram(version: text(version), sha256: text(String(repeating: "3f", count: 32)))
    }

    static func set(version: Int = 4, points: [CalibrationPoint]) -> SealedSet {
        do {
            return try SealedSet(
                version: version,
                checksum: text("A1B2-C3D4-\(version)"),
                pulsesPerLitre: 100,
                countsPerPulse: 4,
                points: points
            )
        } catch { preconditionFailure("\(error)") }
    }

    static func time(_ minute: Int, day: Int = 12, year: Int = 2026) throws -> TransactionTime {
        try TransactionTime(
            date: CalendarDate(year: year, month: 3, day: day),
            hour: 9 + minute / 60,
            minute: minute % 60,
            second: 0
        )
    }

    static func vessel(
        litres: Int = 20,
        serial: String = "JL-20-117",
        accuracy: ProverAccuracy? = nil,
        expires: Int = 2027,
        correction: Int = 0
    ) throws -> Prover {
        try Prover(
            serial: text(serial),
            nominal: Volume(microlitres: litres * 1_000_000),
            correction: Volume(microlitres: correction),
            accuracy: accuracy ?? .certificate(Volume(microlitres: litres * 200), factorThousandths: 2_000),
            certificate: text("JZ2026-0815"),
            expires: CalendarDate(year: expires, month: 1, day: 31),
            expansion: .stainlessSteel,
            wettingSeconds: 30,
            dripSeconds: 30,
            scaleDivision: Volume(microlitres: litres * 100)
        )
    }

    static let points = [
        TestPoint(.largestFlow, litresPerMinute: 50, prover: 0),
        TestPoint(.lowerFlow, litresPerMinute: 20, prover: 0),
        TestPoint(.leastQuantity, litresPerMinute: 20, prover: 1),
    ]

    func assignment(
        _ purpose: Assignment.Purpose = .calibrate,
        points: [TestPoint] = points,
        station: String = "中石化第七加油站",
        pulsesPerLitre: ClosedRange<Int> = 90...110
    ) throws -> Assignment {
        Assignment(
            purpose: purpose,
            technician: Self.text("王小明"),
            station: Self.text(station),
            board: Self.text("GL-2208"),
            side: 1,
            meterSerial: Self.text("M-77120"),
            pulserSerial: Self.text("P-5531"),
            software: Self.software,
            old: old,
            plan: try Plan(
                points: points,
                runsMin: 3,
                leastQuantity: Volume(microlitres: 5_000_000),
                pulsesPerLitre: pulsesPerLitre
            ),
            begun: try Self.time(0)
        )
    }

    static func conditions(thermometerMilliKelvin: Int = 200) throws -> Conditions {
        try Conditions(
            air: Temperature(milliCelsius: 22_100),
            liquid: text("92# 汽油 petrol"),
            expansion: liquid,
            expansionThousandths: 100,
            thermometerMilliKelvin: thermometerMilliKelvin
        )
    }

    func running(
        _ purpose: Assignment.Purpose = .calibrate,
        points: [TestPoint] = points,
        provers: [Prover]? = nil,
        thermometerMilliKelvin: Int = 200
    ) throws -> Running {
        let vessels = try provers ?? [Self.vessel(), Self.vessel(litres: 5, serial: "JL-5-009")]
        return try assignment(purpose, points: points).equipped(with: vessels).starting(
            Self.conditions(thermometerMilliKelvin: thermometerMilliKelvin)
        )
    }

    /// With the counts that the meter makes of `litres`, and with what is read of it.
    mutating func run(
        _ running: Running,
        at point: Int,
        kind: DeliveryKind = .free,
        flow: Double? = nil,
        faults: Int = 0,
        minute: Int = 0
    ) throws -> Running {
        let (delivery, reading) = try delivered(
            running,
            at: point,
            kind: kind,
            flow: flow,
            faults: faults,
            minute: minute
        )
        return try running.adding(delivery, at: point, reading: reading)
    }

    mutating func delivered(
        _ running: Running,
        at point: Int,
        kind: DeliveryKind = .free,
        flow: Double? = nil,
        faults: Int = 0,
        minute: Int = 0,
        year: Int = 2026
    ) throws -> (Delivery, ProverReading) {
        let planned = running.equipped.assignment.plan.points[point]
        let vessel = running.equipped.provers[planned.prover]
        let flow = flow ?? Double(planned.litresPerMinute)
        let litres = Double(vessel.nominal.microlitres) / 1e6 * (1 + chance.within(0.004))
        let calibration = old.calibration
        let exact = litres * Double(calibration.countsPerLitre) * factor(flow) * (1 + scatter * chance.normal())
        // The wheel stands anywhere at the start, and so at the end.
        let total = Int((exact + chance.share()).rounded(.down))
        let nanoseconds = UInt64(Double(total) / Double(calibration.countsPerLitre) / flow * 60e9)
        let delivery = try Delivery(
            kind: kind,
            counts: shared(total, flow),
            nanoseconds: nanoseconds,
            ratedCounts: total,
            ratedNanoseconds: nanoseconds,
            faults: faults,
            displayedCentilitres: calibration.volume(of: shared(total, flow)).shownCentilitres,
            record: UInt64(100 + running.runs.count),
            begun: Self.time(5 + minute, year: year)
        )
        return (delivery, reading(of: litres, in: vessel))
    }

    /// Counts at a flow between two points of the curve are shared between them.
    func shared(_ total: Int, _ flow: Double) -> [Int] {
        let points = old.points
        var counts = points.map { _ in 0 }
        let above = points.firstIndex { Double($0.litresPerMinute) > flow } ?? points.count
        // Before a rate is measured, fuel flows slowly: 50 ms, and 10 mL or four counts.
        let perLitre = Double(old.calibration.countsPerLitre)
        let begin = min(total, Int(max(4, perLitre / 100, flow * perLitre / 60 * 0.05)) + 1)
        counts[0] = begin
        let total = total - begin
        guard above > 0, above < points.count else {
            counts[min(above, points.count - 1)] += total
            return counts
        }
        let (low, high) = (Double(points[above - 1].litresPerMinute), Double(points[above].litresPerMinute))
        let upper = Int((Double(total) * (flow - low) / (high - low)).rounded())
        counts[above] += upper
        counts[above - 1] += total - upper
        return counts
    }

    private mutating func reading(of litres: Double, in vessel: Prover) -> ProverReading {
        let walls = Double(vessel.expansion.billionthsPerKelvin) / 1e9 * (prover - 20)
        let contents = Double(Self.liquid.billionthsPerKelvin) / 1e9 * (meter - prover)
        let scale = litres * 1e6 / (1 + walls + contents) / (1 + proverError) - Double(vessel.correction.microlitres)
        let division = Double(vessel.scaleDivision.microlitres)
        return ProverReading(
            scale: Volume(microlitres: Int((scale / division).rounded() * division)),
            meter: Temperature(milliCelsius: Int(((meter + thermometers.meter) * 1_000).rounded())),
            prover: Temperature(milliCelsius: Int(((prover + thermometers.prover) * 1_000).rounded()))
        )
    }

    /// So many runs at each point.
    mutating func complete(_ running: Running, runs: Int = 3) throws -> Running {
        var running = running
        for point in running.equipped.assignment.plan.points.indices {
            for _ in 0..<runs { running = try run(running, at: point, minute: running.runs.count) }
        }
        return running
    }
}
