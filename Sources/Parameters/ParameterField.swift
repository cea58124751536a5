package import Metering
import Quantities

/// The fields of a set, by the names that they have in a book and in TOML, in the order in which they stand there.
package enum ParameterField: String, CaseIterable, Sendable {
    case meterSerial = "meter_serial"
    case pulserSerial = "pulser_serial"
    case channels
    /// With two channels only.
    case security
    case pulsesPerLitre = "pulses_per_litre"
    case calibration
    case litresPerMinuteMin = "litres_per_minute_min"
    case litresPerMinuteMax = "litres_per_minute_max"
    case minimumCentilitres = "minimum_centilitres"
    case slowFlowCentilitres = "slow_flow_centilitres"
    case reverseCentilitresMax = "reverse_centilitres_max"
    case pulserFaultsMax = "pulser_faults_max"

    package static let serialCountMax = 40
    package static let rateRange = 1...200

    /// What a field must be.
    package enum Kind: Sendable {
        case text(countMax: Int)
        case word([String])
        case integer(ClosedRange<Int>, unit: String)
        case points
    }

    package var kind: Kind {
        switch self {
        case .meterSerial, .pulserSerial: .text(countMax: Self.serialCountMax)
        case .channels: .integer(1...2, unit: "")
        case .security: .word(PulserSecurity.allCases.map(\.rawValue))
        case .pulsesPerLitre: .integer(1...10_000, unit: "pulses per litre")
        case .calibration: .points
        case .litresPerMinuteMin, .litresPerMinuteMax: .integer(1...400, unit: "litres per minute")
        case .minimumCentilitres: .integer(1...10_000, unit: "centilitres")
        case .slowFlowCentilitres: .integer(0...1_000, unit: "centilitres")
        case .reverseCentilitresMax: .integer(1...1_000, unit: "centilitres")
        case .pulserFaultsMax: .integer(0...1_000, unit: "faults")
        }
    }

    /// "an integer from 1 to 2"
    package var expected: String {
        switch kind {
        case .text(let countMax): "a text of 1 to \(countMax) characters that can be seen, without blanks around it"
        case .word(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .integer(let range, let unit):
            "an integer from \(range.lowerBound) to \(range.upperBound)\(unit.isEmpty ? "" : ", \(unit)")"
        case .points:
            """
            1 to \(Calibration.pointsMax) points by rising flow rate, each of \(Self.rateRange.lowerBound) to \
            \(Self.rateRange.upperBound) litres per minute and a factor of \(Self.factors.lowerBound) to \
            \(Self.factors.upperBound) millionths
            """
        }
    }

    private static var factors: ClosedRange<Int> { Calibration.factorMillionthsRange }

    /// What holds where nobody says otherwise; nil where somebody has to.
    package var usual: ParameterValue? {
        switch self {
        case .litresPerMinuteMin: .integer(5)
        case .litresPerMinuteMax: .integer(200)
        case .minimumCentilitres: .integer(200)
        case .slowFlowCentilitres: .integer(50)
        case .reverseCentilitresMax: .integer(20)
        case .pulserFaultsMax: .integer(10)
        case .meterSerial, .pulserSerial, .channels, .security, .pulsesPerLitre, .calibration: nil
        }
    }

    package func accepts(_ value: ParameterValue) -> Bool {
        switch (kind, value) {
        case (.text(let countMax), .text(let text)):
            (1...countMax).contains(text.count) && text.utf8.count <= 4 * countMax && text.printable == text
                && PersonName.trimmed(text) == text
        case (.word(let words), .text(let word)): words.contains(word)
        case (.integer(let range, _), .integer(let number)): range.contains(number)
        case (.points, .points(let points)): Self.areLegal(points)
        case (.text, _), (.word, _), (.integer, _), (.points, _): false
        }
    }

    private static func areLegal(_ points: [CalibrationPoint]) -> Bool {
        (1...Calibration.pointsMax).contains(points.count)
            && points.allSatisfy {
                rateRange.contains($0.litresPerMinute) && factors.contains($0.factorMillionths)
            }
            && zip(points, points.dropFirst()).allSatisfy { $0.litresPerMinute < $1.litresPerMinute }
    }
}

/// What a field says.
package enum ParameterValue: Hashable, Sendable {
    case text(String)
    case integer(Int)
    case points([CalibrationPoint])

    /// As it stands in a book: points are "5:1000000 50:1001200".
    package var text: String {
        switch self {
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        case .points(let points):
            points.map { "\($0.litresPerMinute):\($0.factorMillionths)" }.joined(separator: " ")
        }
    }

    /// nil where the text is none of that kind, or would be written otherwise.
    package init?(_ text: String, of field: ParameterField) {
        switch field.kind {
        case .text, .word: self = .text(text)
        case .integer:
            guard let integer = Int(text) else { return nil }
            self = .integer(integer)
        case .points:
            var points: [CalibrationPoint] = []
            for part in text.split(separator: " ", omittingEmptySubsequences: false) {
                let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
                guard numbers.count == 2, let rate = numbers[0], let factor = numbers[1] else { return nil }
                points.append(CalibrationPoint(litresPerMinute: rate, factorMillionths: factor))
            }
            self = .points(points)
        }
        guard self.text == text else { return nil }
    }
}

/// A field that says what it may not.
package struct ParameterFieldFault: Error, Equatable, Sendable {
    package let field: ParameterField
    /// "an integer from 1 to 2"
    package let expected: String
    /// "3"; nil where nothing is there.
    package let found: String?

    package init(_ field: ParameterField, _ expected: String? = nil, found: String?) {
        self.field = field
        self.expected = expected ?? field.expected
        self.found = found
    }

    /// "channels: an integer from 1 to 2 (found 3)"
    package var words: String { "\(field.rawValue): \(expected) (found \(found ?? "nothing"))" }
}

extension MeterParameters {
    /// What each field says; `security` is not there with one channel.
    package var values: [ParameterField: ParameterValue] {
        var values: [ParameterField: ParameterValue] = [
            .meterSerial: .text(meterSerial), .pulserSerial: .text(pulserSerial),
            .pulsesPerLitre: .integer(pulsesPerLitre), .calibration: .points(points),
            .litresPerMinuteMin: .integer(litresPerMinute.lowerBound),
            .litresPerMinuteMax: .integer(litresPerMinute.upperBound),
            .minimumCentilitres: .integer(minimumQuantity.microlitres / Self.microlitresPerCentilitre),
            .slowFlowCentilitres: .integer(slowFlow.microlitres / Self.microlitresPerCentilitre),
            .reverseCentilitresMax: .integer(reverseCentilitresMax), .pulserFaultsMax: .integer(pulserFaultsMax),
        ]
        switch pulser {
        case .single: values[.channels] = .integer(1)
        case .quadrature(let security):
            values[.channels] = .integer(2)
            values[.security] = .text(security.rawValue)
        }
        return values
    }

    private static let microlitresPerCentilitre = Volume(centilitres: 1).microlitres

    /// - Throws: the first field, in their order, that is missing, is not what it must be or does not fit another.
    package init(_ values: [ParameterField: ParameterValue]) throws(ParameterFieldFault) {
        let isSingle = values[.channels] == .integer(1)
        for field in ParameterField.allCases {
            if field == .security, isSingle {
                guard values[field] == nil else {
                    throw ParameterFieldFault(field, "nothing with one channel", found: values[field]?.text)
                }
                continue
            }
            guard let value = values[field], field.accepts(value) else {
                throw ParameterFieldFault(field, found: values[field]?.text)
            }
        }
        func integer(_ field: ParameterField) -> Int {
            guard case .integer(let integer) = values[field] else { preconditionFailure("accepted above") }
            return integer
        }
        func text(_ field: ParameterField) -> String {
            guard case .text(let text) = values[field] else { preconditionFailure("accepted above") }
            return text
        }
        guard case .points(let points) = values[.calibration] else { preconditionFailure("accepted above") }
        let (least, most) = (integer(.litresPerMinuteMin), integer(.litresPerMinuteMax))
        guard least < most else {
            throw ParameterFieldFault(
                .litresPerMinuteMin,
                "less than litres_per_minute_max, \(most)",
                found: "\(least)"
            )
        }
        let security = isSingle ? nil : PulserSecurity(rawValue: text(.security))
        self.init(
            meterSerial: text(.meterSerial),
            pulserSerial: text(.pulserSerial),
            pulser: security.map(PulserKind.quadrature) ?? .single,
            pulsesPerLitre: integer(.pulsesPerLitre),
            points: points,
            litresPerMinute: least...most,
            minimumQuantity: Volume(centilitres: integer(.minimumCentilitres)),
            reverseCentilitresMax: integer(.reverseCentilitresMax),
            pulserFaultsMax: integer(.pulserFaultsMax),
            slowFlow: Volume(centilitres: integer(.slowFlowCentilitres))
        )
    }
}
