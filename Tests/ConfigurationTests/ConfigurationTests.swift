import Configuration
import Dispenser
import Foundation
import FuelPassbook
import GPIO
import ISO7816
import KeyFiles
import Metering
import Parameters
import Quantities
import Testing
import Words

/// A configuration in lines, of which a test replaces or adds one.
struct SampleConfiguration {
    var lines: [String]

    /// A card reader and a wired pump; every optional key is left out.
    static let service = SampleConfiguration(
        lines: [
            "[terminal]", "id = '310000000017'",
            "[journal]", "path = '/var/lib/greylock/journal.sqlite'",
            "[card]", "aid = 'A000000333'",
            "[side.3.card]", "kind = 'pcsc'",
            "[side.3.pin]", "kind = 'terminal'",
            "[side.3.pump]", "kind = 'gpio'", "nozzle = 7", "grade = '92号'", "price = 721",
            "[side.3.pump.gpio]", "chip = '/dev/gpiochip0'", "a = 17", "b = 27", "nozzle = 22", "motor = 5",
            "main_valve = 6",
            "[display]", "[timeouts]",
            "[keys]", "store = '/var/lib/greylock/keys'", "storage_key = '/etc/greylock/storage-key'",
        ])

    /// Nothing but this process.
    static let demonstration = SampleConfiguration(
        lines: [
            "demonstration = true",
            "[terminal]", "id = '001122334455'",
            "[journal]", "path = '/tmp/journal.sqlite'",
            "[side.3.card]", "kind = 'virtual'",
            "[side.3.pin]", "kind = 'fixed'",
            "[side.3.pump]", "kind = 'simulated'", "nozzle = 1", "grade = '92'", "price = 721",
            "[side.3.pump.simulated]",
        ])

    /// - Returns: the line's number, from 1.
    @discardableResult
    mutating func set(_ table: String, _ key: String, _ value: String) -> Int {
        let start = table.isEmpty ? 0 : (lines.firstIndex(of: "[\(table)]") ?? lines.endIndex - 1) + 1
        let end = lines[start...].firstIndex { $0.hasPrefix("[") } ?? lines.endIndex
        if let index = lines[start..<end].firstIndex(where: { $0.hasPrefix("\(key) = ") }) {
            lines[index] = "\(key) = \(value)"
            return index + 1
        }
        lines.insert("\(key) = \(value)", at: start)
        return start + 1
    }

    mutating func remove(_ line: String) {
        lines.removeAll { $0 == line }
    }

    func load() throws(ConfigurationError) -> Configuration {
        try Configuration(toml: Array(lines.joined(separator: "\n").utf8), file: "board.toml")
    }

    var verdict: String { verdictOn(lines.joined(separator: "\n")) }
}

/// The error's line without the file's name, or `accepted`.
func verdictOn(_ text: String) -> String { verdictOn(Array(text.utf8)) }

func verdictOn(_ bytes: [UInt8]) -> String {
    do throws(ConfigurationError) {
        _ = try Configuration(toml: bytes, file: "board.toml")
        return "accepted"
    } catch {
        let text = error.description
        return text.hasPrefix("board.toml:") ? String(text.dropFirst("board.toml:".count)) : text
    }
}

struct ConfigurationTests {
    private static let example: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("board/greylock.toml")
    }()

    @Test func theExampleOnTheBoardLoads() throws {
        let configuration = try Configuration.load(path: Self.example.path)
        #expect(!configuration.demonstration && configuration.sides[0].pin == .terminal)
        #expect(configuration.sides[0].card == .pcsc(reader: nil, port: nil))
        // A cut wire reads high: a hung-up nozzle, and an emergency.
        let wiring = GPIOWiring(
            chip: "pinctrl-bcm2711",
            pulserA: GPIOWiring.Input(.name("GPIO17")),
            pulserB: GPIOWiring.Input(.name("GPIO27")),
            nozzle: GPIOWiring.Input(.name("GPIO22"), isActiveLow: true, bias: .pullUp),
            emergency: GPIOWiring.Input(.name("GPIO23"), bias: .pullUp),
            motor: GPIOWiring.Output(.name("GPIO24")),
            mainValve: GPIOWiring.Output(.name("GPIO25")),
            slowValve: GPIOWiring.Output(.name("GPIO16"))
        )
        #expect(configuration.sides[0].pump == .gpio(wiring))
    }

    /// Each commented-out default of the example is the value that holds without it.
    @Test func theExampleShowsTheDefaultsThatHold() throws {
        let text = try String(contentsOf: Self.example, encoding: .utf8)
        let defaults = [
            "#capacity = 100000", "#key_index = 1", "#close_valve_on_removal = true",
            "#payment = \"grey-lock\"", "#limit_fen = 100000",
            "#a_bias = \"as-is\"",
            "#b_bias = \"as-is\"",
            "#debounce_milliseconds = 10", "#first_flow = 30",
            "#no_flow = 60", "#grace = 15", "#pin = 30", "#language = \"english\"",
        ]
        var uncommented = text
        for line in defaults {
            #expect(text.contains("\n\(line)\n"))
            uncommented = uncommented.replacingOccurrences(of: "\n\(line)\n", with: "\n\(line.dropFirst())\n")
        }
        let commented = try Configuration(toml: Array(text.utf8), file: "commented")
        let explicit = try Configuration(toml: Array(uncommented.utf8), file: "explicit")
        #expect(commented.journal == explicit.journal && commented.sides[0].card == explicit.sides[0].card)
        #expect(commented.sides[0].pump == explicit.sides[0].pump && commented.parameters == explicit.parameters)
        #expect(commented.language == explicit.language)
        #expect("\(commented.sides[0].settings(under: nil))" == "\(explicit.sides[0].settings(under: nil))")
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let configuration = try SampleConfiguration.service.load()
        let side = configuration.sides[0]
        let settings = side.settings(under: .demonstration)
        #expect(configuration.terminal == TerminalID(0x3100_0000_0017) && settings.number == 3)
        #expect(configuration.keys?.store == "/var/lib/greylock/keys")
        #expect(configuration.keys?.storageKey == .file("/etc/greylock/storage-key"))
        #expect(configuration.journal.capacity == 100_000)
        #expect(settings.closesValveOnCardRemoval && settings.blacklist.isEmpty)
        #expect(
            configuration.parameters.path == "/var/lib/greylock/parameters" && configuration.parameters.board == nil
        )
        let point = CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)
        #expect(settings.calibration == Calibration(countsPerLitre: 400, points: [point]))
        #expect(settings.limit == Preset(amount: Amount(fen: 100_000)) && settings.preset == nil)
        #expect(settings.payment == .greyLock)
        #expect(settings.nozzle == 7 && settings.grade == "92号" && settings.aid == [0xA0, 0, 0, 3, 0x33])
        // No slow-flow valve is wired.
        #expect(settings.slowFlow == .zero && settings.pulserFaultsMax == 10)
        let meter = MeterLimits(
            calibration: settings.calibration,
            litresPerMinuteMax: 200,
            reverseCentilitresMax: 20
        )
        #expect(side.limits(under: .demonstration) == meter)
        #expect(side.hasLines(of: .quadrature(.alarm)) && !side.hasLines(of: .single))
        #expect(settings.timeouts.grace == 15_000_000_000)
    }

    @Test func theDemonstrationNeedsNoHardware() throws {
        var sample = SampleConfiguration.demonstration
        sample.set("side.3.card", "state", "'/tmp/card'")
        sample.set("side.3.pump.simulated", "speed", "10")
        let configuration = try sample.load()
        #expect(configuration.demonstration && configuration.sides[0].pin == .fixed)
        #expect(configuration.sides[0].card == .virtual(state: "/tmp/card"))
        #expect(configuration.sides[0].settings(under: nil).aid == Demonstration.aid)
        // At ten times the real speed the simulated meter makes more than a real one does.
        let limits = configuration.sides[0].limits(under: .demonstration)
        #expect(limits.edgesPerSecondMax == (2 * 40 * 10 * 400 + 59) / 60)
        #expect(
            configuration.sides[0].hasLines(of: .single) && configuration.sides[0].hasLines(of: .quadrature(.alarm))
        )
        guard case .simulated(let flow) = configuration.sides[0].pump else {
            Issue.record("the demonstration's pump is simulated")
            return
        }
        #expect(flow.centilitres == 2_000 && flow.litresPerMinute == 40 && flow.speed == 10)
    }

    @Test func everySettingArrives() throws {
        var sample = SampleConfiguration.service
        sample.set("card", "blacklist", "['0001 0000 0000 0000 0042', '00010000000000000043']")
        sample.set("side.3.card", "reader", "'Reader 00 00'")
        sample.set("card", "key_index", "255")
        sample.set("card", "close_valve_on_removal", "false")
        sample.set("side.3.pump", "limit_centilitres", "100_000")
        sample.set("side.3.pump", "preset_fen", "100000")
        sample.set("side.3.pump.gpio", "slow_valve", "7")
        sample.lines += ["[parameters]", "path = '/media/p'"]
        sample.set("timeouts", "first_flow", "1")
        sample.set("timeouts", "no_flow", "600")
        sample.set("timeouts", "pin", "300")
        sample.set("display", "language", "'chinese'")
        let configuration = try sample.load()
        #expect(configuration.language == .chinese)
        #expect(configuration.parameters.path == "/media/p")
        var meter = MeterParameters.demonstration
        (meter.slowFlow, meter.pulserFaultsMax) = (Volume(centilitres: 70), 3)
        let settings = configuration.sides[0].settings(under: meter)
        #expect(settings.blacklist.map(\.description).sorted() == ["00010000000000000042", "00010000000000000043"])
        #expect(settings.keyIndex == KeyIndex(255) && !settings.closesValveOnCardRemoval)
        #expect(settings.limit == Preset(amount: Amount(fen: 100_000), centilitres: 100_000))
        #expect(settings.preset == Preset(amount: Amount(fen: 100_000)))
        #expect(settings.slowFlow == Volume(centilitres: 70) && settings.pulserFaultsMax == 3)
        #expect(settings.timeouts.firstFlow == 1_000_000_000 && settings.timeouts.noFlow == 600_000_000_000)
        #expect(settings.timeouts.pin == 300_000_000_000)
    }

    @Test func aPrepaidPumpDebitsItsPreset() throws {
        var sample = SampleConfiguration.service
        sample.set("side.3.pump", "payment", "'prepaid'")
        sample.set("side.3.pump", "preset_centilitres", "2000")
        let settings = try sample.load().sides[0].settings(under: nil)
        #expect(settings.payment == .prepaid(Preset(centilitres: 2_000)) && settings.preset == nil)
    }

    @Test(arguments: [
        ("[terminal]", "1: terminal.id: 12 hexadecimal digits in quotation marks"),
        ("[journal]", "1: journal.path: a path that begins with /"),
        ("[side.3.pin]", "7: side.3.pin.kind: \"terminal\" or \"keypad\" or \"fixed\""),
    ])
    func aTableThatIsMissingIsMissedByItsFirstKey(header: String, expected: String) {
        var sample = SampleConfiguration.service
        guard let start = sample.lines.firstIndex(of: header) else {
            Issue.record("the sample has \(header)")
            return
        }
        let rest = sample.lines[(start + 1)...]
        let end = rest.firstIndex { $0.hasPrefix("[") } ?? sample.lines.endIndex
        sample.lines.removeSubrange(start..<end)
        #expect(sample.verdict == "\(expected) (found nothing)")
    }

    @Test(arguments: ["", "\u{FEFF}", "# nothing\n\n"])
    func anEmptyFileLacksTheFirstRequiredKey(text: String) {
        #expect(verdictOn(text) == "1: terminal.id: 12 hexadecimal digits in quotation marks (found nothing)")
    }

    @Test(arguments: [
        ("kind = 'gpio'", "11: side.3.pump.kind: \"gpio\" or \"simulated\""),
        ("price = 721", "11: side.3.pump.price: an integer from 1 to 99999, fen per litre"),
        ("a = 17", "16: side.3.pump.gpio.a: a line: its offset, 0 to 511, or its name in quotation marks"),
        (
            "main_valve = 6",
            "16: side.3.pump.gpio.main_valve: a line: its offset, 0 to 511, or its name in quotation marks"
        ),
    ])
    func aMissingKeyIsSoughtAtItsTable(line: String, expected: String) {
        var sample = SampleConfiguration.service
        sample.remove(line)
        #expect(sample.verdict == "\(expected) (found nothing)")
    }

    /// A misspelt key is missing as well; the misspelling is what helps.
    @Test func aMisspeltKeyComesBeforeTheOneThatIsMissing() {
        var sample = SampleConfiguration.service
        sample.remove("nozzle = 7")
        let line = sample.set("side.3.pump", "nozzel", "7")
        #expect(
            sample.verdict == "\(line): side.3.pump.nozzel: a known key, perhaps nozzle (found unknown key \"nozzel\")"
        )
    }

    @Test func theFirstOfSeveralErrorsIsTheOneOnTheFirstLine() {
        var sample = SampleConfiguration.service
        sample.set("timeouts", "grace", "301")
        sample.set("side.3.pump.gpio", "motor", "512")
        let line = sample.set("journal", "capacity", "0")
        #expect(sample.verdict == "\(line): journal.capacity: an integer from 64 to 10000000 (found 0)")
    }

    @Test func unknownKeysAreReportedOnTheirOwnLines() {
        var sample = SampleConfiguration.service
        let elsewhere = sample.set("card", "price", "1")
        #expect(
            sample.verdict
                == "\(elsewhere): card.price: a known key, perhaps side.3.pump.price (found unknown key \"price\")"
        )
        sample = .service
        let none = sample.set("journal", "flavour", "1")
        #expect(
            sample.verdict
                == "\(none): journal.flavour: a known key, one of capacity, mark, path (found unknown key \"flavour\")"
        )
        sample = .service
        sample.lines.append("[side.3.pupm]")
        #expect(
            sample.verdict
                == "\(sample.lines.count): side.3.pupm: a known key, perhaps pump (found unknown key \"pupm\")"
        )
    }
}
