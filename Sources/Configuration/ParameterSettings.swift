package import FuelPassbook
package import Metering
package import Parameters
import Quantities

extension Configuration {
    /// Where the parameters of the meters are kept under seal: `[parameters]`.
    package struct ParameterSettings: Equatable, Sendable {
        package let path: String
        /// What a demonstration's board is called; nil for this machine's own serial number.
        package let board: BoardSerial?

        /// - Parameter journal: in whose folder they are where nobody says otherwise.
        init(reading root: ConfigurationTable, journal: String, demonstration: Bool) {
            let table = root.table("parameters")
            let folder = journal.lastIndex(of: "/").map { journal[...$0] } ?? "/"
            path = table.value("path", .path, default: folder + "parameters")
            guard demonstration else {
                table.refuse("board", unless: "demonstration is true")
                board = nil
                return
            }
            board = table.optional("board", Setting<BoardSerial?>.board) ?? nil
        }
    }

    /// What a configuration says of the parameters' place, their key and the sides: anything else may be wrong in it.
    package struct Seal: Sendable {
        package let terminal: TerminalID
        /// nil where the demonstration's keys serve.
        package let keys: KeySettings?
        package let journal: JournalFile
        package let parameters: ParameterSettings
        /// By their numbers.
        package let sides: [Int]

        fileprivate init(reading root: ConfigurationTable) {
            let demonstration = root.value("demonstration", .truth, default: false)
            terminal = root.table("terminal").value("id", .terminal)
            journal = JournalFile(reading: root.table("journal"))
            keys = KeySettings.read(root, demonstration: demonstration)
            parameters = ParameterSettings(reading: root, journal: journal.path, demonstration: demonstration)
            let sides = root.sides
            self.sides = sides.map(\.number)
            for side in sides { side.table.skipOthers() }
            root.table("terminal").skipOthers()
            root.table("journal").skipOthers()
            root.skipOthers()
        }
    }

    /// Blocks while the file is read.
    ///
    /// - Throws: the first thing that is wrong with what is asked for, as one line.
    package static func seal(path: String) throws(ConfigurationError) -> Seal {
        try ConfigurationDocument(file: path, bytes: ConfigurationDocument.contents(of: path)).read(Seal.init)
    }

    /// The parameters of each side's meter in a text of any configuration's form, by the sides' numbers; whatever else stands in it
    /// is not looked at.
    ///
    /// - Throws: the first thing that is wrong with them, as one line.
    package static func meters(
        in document: ConfigurationDocument
    ) throws(ConfigurationError) -> [(side: Int, meter: MeterParameters)] {
        try document.read { root in
            let meters = root.sides.map { side in
                let pump = side.table.table("pump")
                let meter = MeterParameters(reading: pump)
                pump.skipOthers()
                side.table.skipOthers()
                return (side: side.number, meter: meter)
            }
            root.skipOthers()
            return meters
        }
    }
}

extension ConfigurationTable {
    /// Of meters under seal, whose keys a configuration does not have.
    func refuseParameters() {
        for field in ParameterField.allCases {
            refuse(
                field.rawValue,
                """
                nothing here, for it stands under seal; this takes it there: greylock parameters import \(file) \
                --config \(file) --name NAME --second NAME --reason TEXT
                """
            )
        }
    }
}

extension MeterParameters {
    /// Of which nothing is ever counted: for what is missing or wrong until that is thrown, and for a side that may not sell.
    static let standIn = MeterParameters(
        meterSerial: "-",
        pulserSerial: "-",
        pulser: .single,
        pulsesPerLitre: 1,
        points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)],
        litresPerMinute: 1...400,
        minimumQuantity: .zero,
        reverseCentilitresMax: 1,
        pulserFaultsMax: 0,
        slowFlow: .zero
    )

    fileprivate init(reading pump: ConfigurationTable) {
        var values: [ParameterField: ParameterValue] = [:]
        let isSingle = pump.optional("channels", .integer(1...2)) == 1
        for field in ParameterField.allCases {
            if field == .security, isSingle {
                pump.refuse(field.rawValue, unless: "channels is 2")
                continue
            }
            values[field] = ParameterValue(of: field, pump)
        }
        do throws(ParameterFieldFault) { self = try MeterParameters(values) } catch {
            if pump.isSound { pump.noteConflict(error.field.rawValue, error.expected) }
            self = .standIn
        }
    }
}

extension ParameterValue {
    /// nil where there is none, which is noted unless the field has a usual value.
    fileprivate init?(of field: ParameterField, _ pump: ConfigurationTable) {
        func read<Value>(_ setting: Setting<Value>, _ value: (Value) -> ParameterValue) -> ParameterValue? {
            guard let usual = field.usual else { return pump.required(field.rawValue, setting).map(value) }
            return pump.optional(field.rawValue, setting).map(value) ?? usual
        }
        let value: ParameterValue? =
            switch field.kind {
            case .text: read(.parameter(field)) { .text($0) }
            case .word: read(.parameter(field)) { .text($0) }
            case .integer(let range, let unit): read(.integer(range, unit.isEmpty ? nil : unit)) { .integer($0) }
            case .points: .points(Calibration.points(reading: pump, field))
            }
        guard let value else { return nil }
        self = value
    }
}

extension Calibration {
    /// Empty where there is none.
    fileprivate static func points(reading pump: ConfigurationTable, _ field: ParameterField) -> [CalibrationPoint] {
        var points: [CalibrationPoint] = []
        for element in pump.tables(field.rawValue, 1...Self.pointsMax) {
            let rate = element.required("litres_per_minute", .integer(ParameterField.rateRange))
            let factor = element.required("factor_millionths", .integer(Self.factorMillionthsRange))
            guard let rate, let factor else { continue }
            if let last = points.last, rate <= last.litresPerMinute {
                element.noteConflict("litres_per_minute", "more than \(last.litresPerMinute), the point before")
                continue
            }
            points.append(CalibrationPoint(litresPerMinute: rate, factorMillionths: factor))
        }
        guard pump.entry(field.rawValue) == nil else { return points }
        // Of a meter that was never calibrated: alone, a point holds at every rate.
        return [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)]
    }
}

extension Setting where Value == String {
    fileprivate static func parameter(_ field: ParameterField) -> Setting {
        Setting(expected: field.expected, standIn: "-") { value in
            guard case .text(let text) = value, field.accepts(.text(text)) else { return nil }
            return text
        }
    }
}

extension Setting where Value == BoardSerial? {
    fileprivate static var board: Setting {
        Setting(
            expected: "1 to \(BoardSerial.countMax) letters, digits, dots, dashes and underscores in quotation marks",
            standIn: nil
        ) { value in
            guard case .text(let text) = value, let board = BoardSerial(text) else { return nil }
            return board
        }
    }
}
