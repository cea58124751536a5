import Configuration
import Console
import Metering
import Proving
import Quantities
import Threads

/// A script that answers, as board/calibration.toml explains.
final class ScriptedVoice: CalibrationVoice {
    /// How often the same may be asked; what is not here once.
    private static let repeats = [
        "next": 100, "wet": 100, "empty": 100, "temperature.meter": 100, "temperature.prover": 100, "override": 100,
        "reading": 2,
    ]
    /// What a person would have to say, and a script need not.
    private static let understood = ["accept": "yes"]
    private static let proverKeys = [
        "volume", "serial", "certificate", "expires", "accuracy", "correction", "expansion", "division", "wetting",
        "drip",
    ]
    private static let keys = Set(
        [
            "technician", "station", "rates", "runs", "least_quantity", "pulses_per_litre", "conditions.air",
            "conditions.liquid", "conditions.expansion", "conditions.thermometer", "temperature.meter",
            "temperature.prover", "reading", "true_factor", "end", "accept", "apply", "second", "confirmed", "abandon",
        ] + proverKeys.map { "prover.N.\($0)" } + Rule.allCases.map { "override.\($0.rawValue)" }
    )

    private let sheet: AnswerSheet
    private let signals: HeldSignals
    private var asked: [String: Int] = [:]
    private var last = ""

    init(_ path: String) throws(ServiceFailure) {
        do throws(ConfigurationError) { sheet = try AnswerSheet(path: path, keys: Self.keys) } catch {
            throw ServiceFailure(error)
        }
        signals = try HeldSignals()
    }

    /// What a simulated prover shows; nil where the script has the readings.
    func reading(_ calibration: Calibration) throws(ServiceFailure) -> SimulatedProver? {
        var factors: [Int] = []
        while let answer = sheet.answer("true_factor.\(factors.count + 1)") {
            guard let factor = exactNumber(answer.text, decimals: 6), Calibration.factorMillionthsRange.contains(factor)
            else {
                throw ServiceFailure(
                    sheet.error("true_factor.\(factors.count + 1)", "a factor from 0.9 to 1.1, as 1.002")
                )
            }
            factors.append(factor)
        }
        return factors.isEmpty ? nil : SimulatedProver(countsPerLitre: calibration.countsPerLitre, factors: factors)
    }

    /// A free delivery, or a preset one without it.
    func kind() throws(ServiceFailure) -> DeliveryKind {
        guard let answer = sheet.answer("end") else { return .preset }
        guard let kind = DeliveryKind(rawValue: answer.text) else {
            throw ServiceFailure(sheet.error("end", "\"preset\" or \"free\""))
        }
        return kind
    }

    func say(_ text: String) {
        last = text
        writeLine(text)
    }

    func show(_ line: String) {}

    func ask<Value>(
        _ key: String,
        _ question: String,
        usual: String?,
        isFresh: Bool,
        use: (String) throws(CalibrationRefusal) -> Value
    ) throws(ServiceFailure) -> Value {
        let name = key.split(separator: ".").first.map(String.init) ?? key
        asked[key, default: 0] += 1
        guard asked[key, default: 0] <= Self.repeats[key] ?? Self.repeats[name] ?? 1 else {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "the answer \(key) is not enough: \(last)")
        }
        guard let text = sheet.answer(key)?.text ?? usual ?? Self.understood[key] else {
            throw ServiceFailure(sheet.error(key, "an answer to \"\(question)\""))
        }
        do throws(CalibrationRefusal) { return try use(text) } catch {
            throw ServiceFailure(sheet.error(key, error.words))
        }
    }

    func key(withinMilliseconds limit: Int32) throws(ServiceFailure) -> UInt8? {
        // No file, and so the time alone.
        _ = try signals.isReadable(-1, withinMilliseconds: limit)
        return nil
    }
}

/// A prover that knows what flowed: counts over counts per litre and a true factor of each point.
struct SimulatedProver {
    let countsPerLitre: Int
    /// In millionths; the last one holds for all points behind it.
    let factors: [Int]

    /// What its scale shows, when the reference volume is the true one.
    func scale(
        _ delivery: Proving.Delivery,
        at point: Int,
        _ prover: Prover,
        _ liquid: Expansion,
        meter: Temperature,
        _ temperature: Temperature
    ) -> Volume {
        let factor = factors[min(point, factors.count - 1)]
        let calibration = Calibration(
            countsPerLitre: countsPerLitre,
            points: [CalibrationPoint(litresPerMinute: 1, factorMillionths: factor)]
        )
        let truth = calibration.volume(of: [delivery.totalCounts])
        let whole = ProverReading(scale: truth, meter: meter, prover: temperature)
        let excess = prover.reference(whole, liquid: liquid) - truth
        return truth - excess
    }
}
