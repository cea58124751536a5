import Dispenser
import FuelPassbook
import Metering
import Quantities

extension Configuration.PumpSettings {
    /// What a display of seven digits shows, 99,999.99 yuan.
    static let fenRange = 100...9_999_999
    /// 1 to 1,000 litres.
    static let centilitresRange = 100...100_000

    private enum Kind: String, CaseIterable {
        case gpio
        case simulated
    }

    init?(reading table: ConfigurationTable) {
        let kind = table.required("kind", Setting<Kind>.word)
        let nozzle = table.required("nozzle", .integer(1...99))
        let grade = table.required("grade", .text(1...8))
        let price = table.required("price", .integer(1...UnitPrice.fenMax, "fen per litre"))
        let pulser = Self.pulser(reading: table)
        let calibration = Self.calibration(reading: table, pulser)
        let slowFlow = table.value("slow_flow_centilitres", .integer(0...1_000), default: 50)
        let limits = Self.limits(reading: table)
        let payment = table.value("payment", Setting<Payment>.word, default: .greyLock)
        Self.check(payment, limits, price: price, table)
        let faultsMax = table.value("pulser_faults_max", .integer(0...1_000), default: 10)
        let flowMax = table.value("litres_per_minute_max", .integer(1...400), default: 200)
        let reverseMax = table.value("reverse_centilitres_max", .integer(1...1_000), default: 20)
        let edge = Self.edge(reading: table, kind, pulser)
        guard let nozzle, let grade, let price, let pulser, let calibration, let edge else { return nil }
        self.init(
            edge: edge,
            nozzle: nozzle,
            grade: grade,
            unitPrice: UnitPrice(fenPerLitre: price),
            pulser: pulser,
            calibration: calibration,
            slowFlow: Volume(centilitres: slowFlow),
            limit: limits.limit,
            payment: payment,
            preset: limits.preset,
            pulserFaultsMax: faultsMax,
            litresPerMinuteMax: flowMax,
            reverseCentilitresMax: reverseMax
        )
    }

    private static func pulser(reading table: ConfigurationTable) -> PulserKind? {
        switch table.required("channels", .integer(1...2)) {
        case 1:
            table.refuse("security", unless: "pump.channels is 2")
            return .single
        case .some: return table.required("security", Setting<PulserSecurity>.word).map { .quadrature($0) }
        case nil:
            table.skip("security")
            return nil
        }
    }

    private static func calibration(reading table: ConfigurationTable, _ pulser: PulserKind?) -> Calibration? {
        let pulsesPerLitre = table.required("pulses_per_litre", .integer(1...10_000))
        var points: [CalibrationPoint] = []
        for element in table.tables("calibration", 1...Calibration.pointsMax) {
            let rate = element.required("litres_per_minute", .integer(1...200))
            let factor = element.required("factor_millionths", .integer(Calibration.factorMillionthsRange))
            guard let rate, let factor else { continue }
            if let last = points.last, rate <= last.litresPerMinute {
                element.noteConflict("litres_per_minute", "more than \(last.litresPerMinute), the point before")
                continue
            }
            points.append(CalibrationPoint(litresPerMinute: rate, factorMillionths: factor))
        }
        // Alone, a point holds at every rate.
        if points.isEmpty { points = [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)] }
        guard let pulsesPerLitre, let pulser else { return nil }
        return Calibration(countsPerLitre: pulsesPerLitre * pulser.countsPerPulse, points: points)
    }

    /// A preset beyond the position's own limit would never be reached.
    private static func limits(reading table: ConfigurationTable) -> (limit: Preset, preset: Preset?) {
        let limitFen = table.value("limit_fen", .integer(fenRange), default: 100_000)
        let limitCentilitres = table.optional("limit_centilitres", .integer(centilitresRange))
        let presetFen = table.optional("preset_fen", .integer(fenRange))
        let presetCentilitres = table.optional("preset_centilitres", .integer(centilitresRange))
        if table.isSound, let presetFen, presetFen > limitFen {
            table.noteConflict("preset_fen", "at most limit_fen, \(limitFen)")
        }
        if table.isSound, let presetCentilitres, let limitCentilitres, presetCentilitres > limitCentilitres {
            table.noteConflict("preset_centilitres", "at most limit_centilitres, \(limitCentilitres)")
        }
        func target(_ fen: Int?, _ centilitres: Int?) -> Preset {
            Preset(amount: fen.map { Amount(fen: UInt32($0)) }, centilitres: centilitres)
        }
        let isPreset = presetFen != nil || presetCentilitres != nil
        return (target(limitFen, limitCentilitres), isPreset ? target(presetFen, presetCentilitres) : nil)
    }

    /// A prepaid sale needs to know what to debit: the price of a centilitre at least.
    private static func check(
        _ payment: Payment,
        _ limits: (limit: Preset, preset: Preset?),
        price: Int?,
        _ table: ConfigurationTable
    ) {
        guard table.isSound, payment == .prepaid else { return }
        guard let preset = limits.preset else {
            table.noteConflict("payment", "\"grey-lock\" unless preset_fen or preset_centilitres is there")
            return
        }
        guard let price else { return }
        let centilitre = UnitPrice(fenPerLitre: price).fen(forCentilitres: 1)
        for (key, amount) in [("preset_fen", preset.amount), ("limit_fen", limits.limit.amount)] {
            guard let amount, amount.fen < centilitre else { continue }
            table.noteConflict(key, "at least the price of a centilitre, \(centilitre), with payment \"prepaid\"")
        }
    }

    private static func edge(reading table: ConfigurationTable, _ kind: Kind?, _ pulser: PulserKind?) -> Edge? {
        switch kind {
        case .gpio:
            table.refuse("simulated", unless: "pump.kind is \"simulated\"")
            return Configuration.Wiring(reading: table.table("gpio"), pulser).map { .gpio($0) }
        case .simulated:
            table.refuse("gpio", unless: "pump.kind is \"gpio\"")
            return .simulated(Configuration.SimulatedPump(reading: table.table("simulated")))
        case nil:
            table.skip("gpio", "simulated")
            return nil
        }
    }
}

extension Configuration.Wiring {
    /// - Parameter pulser: nil when it is not known whether there is a channel B.
    init?(reading table: ConfigurationTable, _ pulser: PulserKind?) {
        func offset(_ line: Line) -> Int? { table.required(line.rawValue, .integer(0...511)) }
        func optionalOffset(_ line: Line) -> Int? { table.optional(line.rawValue, .integer(0...511)) }
        let chip = table.required("chip", .text(1...255))
        let a = offset(.a)
        let b: Int?
        switch pulser {
        case .quadrature: b = offset(.b)
        case .single:
            b = nil
            table.refuse(Line.b.rawValue, unless: "pump.channels is 2")
        case nil: b = optionalOffset(.b)
        }
        let nozzle = offset(.nozzle)
        let emergency = optionalOffset(.emergency)
        let motor = offset(.motor)
        let mainValve = offset(.mainValve)
        let slowValve = optionalOffset(.slowValve)
        let activeLow = table.list("active_low", Setting<Line>.word, countMax: Line.allCases.count)
        let inputs: [Line] = [.a, .b, .nozzle, .emergency]
        let bias = inputs.map { table.value("\($0.rawValue)_bias", Setting<Bias>.word, default: .asIs) }
        let debounce = table.value("debounce_milliseconds", .integer(0...100), default: 10)
        guard let chip, let a, let nozzle, let motor, let mainValve else { return nil }
        self.init(
            chip: chip,
            a: a,
            b: b,
            nozzle: nozzle,
            emergency: emergency,
            motor: motor,
            mainValve: mainValve,
            slowValve: slowValve,
            activeLow: Set(activeLow),
            bias: Dictionary(uniqueKeysWithValues: zip(inputs, bias).filter { $0.1 != .asIs }),
            debounceMilliseconds: debounce
        )
        check(table)
    }

    /// Each line stands once, and only lines that are wired have a level.
    private func check(_ table: ConfigurationTable) {
        var lines: [Int: Line] = [:]
        for line in Line.allCases {
            guard let offset = offset(of: line) else {
                if table.isSound, activeLow.contains(line) {
                    table.noteConflict("active_low", "lines that are wired, so not \"\(line.rawValue)\"")
                }
                if table.isSound, bias[line] != nil {
                    table.noteConflict("\(line.rawValue)_bias", "left out while \(line.rawValue) is not wired")
                }
                continue
            }
            if let other = lines.updateValue(line, forKey: offset) {
                table.noteConflict(line.rawValue, "another line than \(other.rawValue)'s")
            }
        }
    }
}

extension Configuration.SimulatedPump {
    init(reading table: ConfigurationTable) {
        self.init(
            centilitres: table.value("centilitres", .integer(1...100_000), default: 2_000),
            litresPerMinute: table.value("litres_per_minute", .integer(1...200), default: 40),
            speed: table.value("speed", .integer(1...100), default: 1)
        )
    }
}
