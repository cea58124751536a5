import Configuration
import Metering
import Parameters
import Quantities
import Testing

/// Parameters in a file that is to be put under seal, and keys of theirs that a configuration still has.
struct ParameterSettingsTests {
    private static let lines = [
        "[side.3.pump]", "meter_serial = 'M 1'", "pulser_serial = 'P-1'", "pulses_per_litre = 100", "channels = 2",
        "security = 'correct'",
    ]

    private func verdict(_ lines: [String]) -> String {
        do throws(ConfigurationError) {
            let document = try ConfigurationDocument(file: "p", bytes: Array(lines.joined(separator: "\n").utf8))
            _ = try Configuration.meters(in: document)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let text = Self.lines.joined(separator: "\n")
        let document = try ConfigurationDocument(file: "p", bytes: Array(text.utf8))
        let meters = try Configuration.meters(in: document)
        #expect(meters.map(\.side) == [3])
        let meter = meters[0].meter
        #expect(meter.meterSerial == "M 1" && meter.pulserSerial == "P-1" && meter.pulser == .quadrature(.correct))
        #expect(meter.points == [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)])
        #expect(meter.litresPerMinute == 5...200 && meter.minimumQuantity == Volume(centilitres: 200))
        #expect(meter.reverseCentilitresMax == 20 && meter.pulserFaultsMax == 10)
        #expect(meter.slowFlow == Volume(centilitres: 50))
    }

    @Test(arguments: [
        (
            "meter_serial = ' M'", "meter_serial",
            "a text of 1 to 40 characters that can be seen, without blanks around it (found \" M\")"
        ),
        (
            "pulser_serial = 7", "pulser_serial",
            "a text of 1 to 40 characters that can be seen, without blanks around it (found 7)"
        ),
        ("pulses_per_litre = 10001", "pulses_per_litre", "an integer from 1 to 10000, pulses per litre (found 10001)"),
        ("channels = 3", "channels", "an integer from 1 to 2 (found 3)"),
        ("channels = 1", "security", "nothing unless channels is 2 (found \"correct\")"),
        ("security = 'A'", "security", "\"alarm\" or \"correct\" (found \"A\")"),
        (
            "litres_per_minute_max = 401", "litres_per_minute_max",
            "an integer from 1 to 400, litres per minute (found 401)"
        ),
        ("litres_per_minute_min = 200", "litres_per_minute_min", "less than litres_per_minute_max, 200 (found 200)"),
        ("minimum_centilitres = 0", "minimum_centilitres", "an integer from 1 to 10000, centilitres (found 0)"),
        (
            "slow_flow_centilitres = 1001", "slow_flow_centilitres",
            "an integer from 0 to 1000, centilitres (found 1001)"
        ),
        ("reverse_centilitres_max = 0", "reverse_centilitres_max", "an integer from 1 to 1000, centilitres (found 0)"),
        ("pulser_faults_max = -1", "pulser_faults_max", "an integer from 0 to 1000, faults (found -1)"),
        ("calibration = []", "calibration", "an array of 1 to 10 values (found an array of 0 values)"),
        (
            "calibration = [{ litres_per_minute = 201, factor_millionths = 1 }]", "calibration[1].litres_per_minute",
            "an integer from 1 to 200 (found 201)"
        ),
        (
            "calibration = [{ litres_per_minute = 5, factor = 1 }]", "calibration[1].factor",
            "a known key, one of factor_millionths, litres_per_minute"
        ),
    ])
    func aWrongValueIsNamedOnItsLine(line: String, key: String, expected: String) {
        var lines = Self.lines
        let name = line.prefix { $0 != " " }
        if let index = lines.firstIndex(where: { $0.hasPrefix("\(name) =") }) {
            lines[index] = line
        } else {
            lines.append(line)
        }
        let number = lines.firstIndex { $0.hasPrefix(key.prefix { $0 != "[" } + " =") }.map { $0 + 1 } ?? 0
        #expect(verdict(lines).hasPrefix("p:\(number): side.3.pump.\(key): \(expected)"), "\(verdict(lines))")
    }

    @Test func calibrationPointsRise() {
        let point = ["[[side.3.pump.calibration]]", "litres_per_minute = 40", "factor_millionths = 900_000"]
        let expected = "p:11: side.3.pump.calibration[2].litres_per_minute: more than 40, the point before (found 40)"
        #expect(verdict(Self.lines + point + point) == expected)
    }

    @Test(arguments: ["meter_serial", "pulser_serial", "channels", "pulses_per_litre"])
    func whatHasNoUsualValueIsAskedFor(key: String) {
        let verdict = verdict(Self.lines.filter { !$0.hasPrefix(key) })
        #expect(verdict.hasPrefix("p:1: side.3.pump.\(key): ") && verdict.hasSuffix("(found nothing)"))
    }

    @Test(arguments: ParameterField.allCases) func aConfigurationThatHasOneIsRefusedWithWhatImportsIt(
        field: ParameterField
    ) {
        var sample = SampleConfiguration.service
        let line = sample.set("side.3.pump", field.rawValue, "1")
        #expect(
            sample.verdict == """
                \(line): side.3.pump.\(field.rawValue): nothing here, for it stands under seal; this takes it there: greylock \
                parameters import board.toml --config board.toml --name NAME --second NAME --reason TEXT (found 1)
                """
        )
    }

    @Test func parametersAreTakenOutOfAConfigurationAndNothingElse() throws {
        let sample = SampleConfiguration.service.lines.joined(separator: "\n") + "\n"
        let parameters = [
            "pulses_per_litre = 100 # from the plate", "calibration = [",
            "  { litres_per_minute = 5, factor_millionths = 1000000 },",
            "  # at most", "  { litres_per_minute = 50, factor_millionths = 1000900 },", "]", "channels = 2",
            "'security' = 'alarm'",
            "minimum_centilitres = 500",
        ]
        var lines = sample.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex(of: "[side.3.pump]")) + 1
        lines.insert(contentsOf: parameters, at: start)
        let rest = Configuration.withoutParameters(Array(lines.joined(separator: "\n").utf8))
        #expect(rest.map { String(decoding: $0, as: UTF8.self) } == sample)
        #expect(Configuration.withoutParameters(Array(sample.utf8)) == Array(sample.utf8))
    }

    @Test func parametersWithinALineAreLeftToAPerson() {
        let text = "[side.3]\npump = { kind = 'gpio', pulses_per_litre = 100 }\n"
        #expect(Configuration.withoutParameters(Array(text.utf8)) == nil)
    }

    @Test func parametersAreNoOtherFile() {
        var sample = SampleConfiguration.service
        let line = sample.lines.count + 2
        sample.lines += ["[parameters]", "path = '/var/lib/greylock/keys'"]
        let expected = "\(line): parameters.path: another file than the keys (found \"/var/lib/greylock/keys\")"
        #expect(sample.verdict == expected)
        sample.lines[line - 1] = "board = 'x'"
        #expect(sample.verdict == "\(line): parameters.board: nothing unless demonstration is true (found \"x\")")
    }
}
