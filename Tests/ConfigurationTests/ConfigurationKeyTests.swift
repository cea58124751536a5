import Configuration
import Testing

/// Each key with values that it must not have, and with a neighbour that does not exist.
struct ConfigurationKeyTests {
    struct Key: Sendable, CustomTestStringConvertible {
        let table: String
        let name: String
        let expected: String
        /// As written, and as found; the first is of a wrong type, the rest out of range.
        let wrong: [(value: String, found: String)]
        let misspelling: String

        init(_ path: String, _ expected: String, _ misspelling: String, _ wrong: (String, String)...) {
            let parts = path.split(separator: ".").map(String.init)
            table = parts.dropLast().joined(separator: ".")
            name = parts.last ?? ""
            self.expected = expected
            self.wrong = wrong.map { (value: $0.0, found: $0.1) }
            self.misspelling = misspelling
        }

        var path: String { table.isEmpty ? name : "\(table).\(name)" }
        var testDescription: String { path }
    }

    private static let offset = "a line: its offset, 0 to 511, or its name in quotation marks"
    private static let bias = "\"as-is\" or \"disabled\" or \"pull-up\" or \"pull-down\""

    static let serviceKeys = [
        Key("demonstration", "true or false", "demonstation", ("1", "1"), ("'true'", "\"true\"")),
        Key(
            "terminal.id",
            "12 hexadecimal digits in quotation marks",
            "di",
            ("310000000017", "310000000017"),
            ("'31000000001'", "\"31000000001\""),
            ("'31000000001G'", "\"31000000001G\"")
        ),
        Key(
            "journal.path",
            "a path that begins with /",
            "paht",
            ("5", "5"),
            ("''", "\"\""),
            ("':memory:'", "\":memory:\""),
            ("'journal.sqlite'", "\"journal.sqlite\"")
        ),
        Key(
            "journal.capacity",
            "an integer from 64 to 10000000",
            "capcity",
            ("1e5", "100000.0"),
            ("63", "63"),
            ("10000001", "10000001")
        ),
        Key("side.3.card.kind", "\"pcsc\" or \"virtual\"", "kin", ("true", "true"), ("'PCSC'", "\"PCSC\"")),
        Key("side.3.card.reader", "a text of 1 to 127 characters", "raeder", ("0", "0"), ("''", "\"\"")),
        Key(
            "side.3.card.port",
            "a USB port as its folder in /sys/bus/usb/devices is called, such as \"1-1.4\"",
            "prot",
            ("1", "1"),
            ("1.4", "1.4"),
            ("''", "\"\""),
            ("'1'", "\"1\""),
            ("'1-'", "\"1-\""),
            ("'-1'", "\"-1\""),
            ("'usb1'", "\"usb1\""),
            ("'1-1.'", "\"1-1.\""),
            ("'1-.1'", "\"1-.1\""),
            ("'1-1..4'", "\"1-1..4\""),
            ("'1-1.4:1.0'", "\"1-1.4:1.0\""),
            ("'1-1-4'", "\"1-1-4\""),
            ("'1.1-4'", "\"1.1-4\""),
            ("'0-1'", "\"0-1\""),
            ("'1-0'", "\"1-0\""),
            ("'01-1'", "\"01-1\""),
            ("'1-+1'", "\"1-+1\""),
            ("'1-256'", "\"1-256\""),
            ("'1-1.1.1.1.1.1.1'", "\"1-1.1.1.1.1.1.1\""),
            ("' 1-1'", "\" 1-1\""),
            ("'/sys/bus/usb/devices/1-1'", "\"/sys/bus/usb/devices/1-1\"")
        ),
        Key(
            "card.aid",
            "10 to 32 hexadecimal digits in quotation marks",
            "aids",
            ("0xF050", "61520"),
            ("'F0504554'", "\"F0504554\""),
            ("'0011223344556677889900112233445566'", "\"0011223344556677889900112233445566\"")
        ),
        Key("card.key_index", "an integer from 0 to 255", "keyindex", ("'1'", "\"1\""), ("-1", "-1"), ("256", "256")),
        Key("card.close_valve_on_removal", "true or false", "close_valve_at_removal", ("'yes'", "\"yes\"")),
        Key("card.blacklist", "an array of 0 to 1000 values", "black_list", ("'0001'", "\"0001\"")),
        Key(
            "side.3.pin.kind",
            "\"terminal\" or \"keypad\" or \"fixed\"",
            "kinds",
            ("1234", "1234"),
            ("'none'", "\"none\"")
        ),
        Key(
            "side.3.pump.kind",
            "\"gpio\" or \"simulated\"",
            "knid",
            ("[]", "an array of 0 values"),
            ("'GPIO'", "\"GPIO\"")
        ),
        Key("side.3.pump.nozzle", "an integer from 1 to 99", "nozle", ("1.0", "1.0"), ("0", "0"), ("100", "100")),
        Key(
            "side.3.pump.grade",
            "a text of 1 to 8 characters",
            "grad",
            ("92", "92"),
            ("''", "\"\""),
            ("'123456789'", "\"123456789\"")
        ),
        Key(
            "side.3.pump.price",
            "an integer from 1 to 99999, fen per litre",
            "prise",
            ("7.21", "7.21"),
            ("0", "0"),
            ("100000", "100000")
        ),
        Key(
            "side.3.pump.limit_fen",
            "an integer from 100 to 9999999",
            "limit_fan",
            ("1000.00", "1000.0"),
            ("99", "99"),
            ("10000000", "10000000")
        ),
        Key(
            "side.3.pump.limit_centilitres",
            "an integer from 100 to 100000",
            "limit_centilitre",
            ("true", "true"),
            ("99", "99"),
            ("100001", "100001")
        ),
        Key(
            "side.3.pump.payment",
            "\"grey-lock\" or \"prepaid\"",
            "paiment",
            ("1", "1"),
            ("'postpaid'", "\"postpaid\"")
        ),
        Key(
            "side.3.pump.preset_fen",
            "an integer from 100 to 9999999",
            "preset_fens",
            ("nan", "nan"),
            ("99", "99"),
            ("10000000", "10000000")
        ),
        Key(
            "side.3.pump.preset_centilitres",
            "an integer from 100 to 100000",
            "preset_centiliters",
            ("2024-01-01", "a date"),
            ("99", "99"),
            ("100001", "100001")
        ),
        Key(
            "side.3.pump.gpio.chip",
            "a text of 1 to 255 characters",
            "chips",
            ("0", "0"),
            ("''", "\"\"")
        ),
        Key("side.3.pump.gpio.a", offset, "aa", ("'17'", "\"17\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.b", offset, "bb", ("'27'", "\"27\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.nozzle", offset, "nozzles", ("'22'", "\"22\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.emergency", offset, "emergncy", ("'23'", "\"23\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.motor", offset, "moter", ("'5'", "\"5\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.main_valve", offset, "mainvalve", ("'6'", "\"6\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.slow_valve", offset, "slow_vavle", ("'13'", "\"13\""), ("-1", "-1"), ("512", "512")),
        Key("side.3.pump.gpio.active_low", "an array of 0 to 7 values", "activelow", ("'nozzle'", "\"nozzle\"")),
        Key("side.3.pump.gpio.a_bias", bias, "a_bais", ("1", "1"), ("'up'", "\"up\"")),
        Key("side.3.pump.gpio.b_bias", bias, "b_bais", ("1", "1"), ("'up'", "\"up\"")),
        Key("side.3.pump.gpio.nozzle_bias", bias, "nozzle_bais", ("1", "1"), ("'up'", "\"up\"")),
        Key("side.3.pump.gpio.emergency_bias", bias, "emergency_bais", ("1", "1"), ("'up'", "\"up\"")),
        Key(
            "side.3.pump.gpio.debounce_milliseconds",
            "an integer from 0 to 100",
            "debounce_millisecond",
            ("'5'", "\"5\""),
            ("-1", "-1"),
            ("101", "101")
        ),
        Key(
            "timeouts.first_flow",
            "an integer from 1 to 600, seconds",
            "firstflow",
            ("'30 s'", "\"30 s\""),
            ("0", "0"),
            ("601", "601")
        ),
        Key(
            "timeouts.no_flow",
            "an integer from 1 to 600, seconds",
            "noflow",
            ("00:01:00", "a time"),
            ("0", "0"),
            ("601", "601")
        ),
        Key(
            "timeouts.grace",
            "an integer from 0 to 300, seconds",
            "grase",
            ("1.5", "1.5"),
            ("-1", "-1"),
            ("301", "301")
        ),
        Key("display.language", "\"english\" or \"chinese\"", "langage", ("1", "1"), ("'zh'", "\"zh\"")),
        Key("keys.store", "a path that begins with /", "stroe", ("1", "1"), ("'keys'", "\"keys\"")),
        Key("keys.storage_key", "a path that begins with /", "storagekey", ("true", "true"), ("'key'", "\"key\"")),
        Key(
            "keys.credential",
            "the name of a credential of the unit",
            "credentials",
            ("1", "1"),
            ("''", "\"\""),
            ("'a/b'", "\"a/b\""),
            ("'..'", "\"..\"")
        ),
        Key("timeouts.pin", "an integer from 5 to 300, seconds", "pni", ("false", "false"), ("4", "4"), ("301", "301")),
    ]

    static let demonstrationKeys = [
        Key("side.3.card.state", "a path that begins with /", "sate", ("1", "1"), ("'card'", "\"card\"")),
        Key(
            "side.3.pump.simulated.centilitres",
            "an integer from 1 to 100000",
            "centiliters",
            ("20.0", "20.0"),
            ("0", "0"),
            ("100001", "100001")
        ),
        Key(
            "side.3.pump.simulated.litres_per_minute",
            "an integer from 1 to 200",
            "liters_per_minute",
            ("'40'", "\"40\""),
            ("0", "0"),
            ("201", "201")
        ),
        Key(
            "side.3.pump.simulated.speed",
            "an integer from 1 to 100",
            "sped",
            ("2.5", "2.5"),
            ("0", "0"),
            ("101", "101")
        ),
    ]

    @Test(arguments: serviceKeys)
    func aServiceKeyRefusesWhatItMustNotBe(key: Key) {
        check(key, in: .service)
    }

    @Test(arguments: demonstrationKeys)
    func aDemonstrationKeyRefusesWhatItMustNotBe(key: Key) {
        check(key, in: .demonstration)
    }

    private func check(_ key: Key, in base: SampleConfiguration) {
        for (value, found) in key.wrong {
            var sample = base
            let line = sample.set(key.table, key.name, value)
            #expect(sample.verdict == "\(line): \(key.path): \(key.expected) (found \(found))")
        }
        var sample = base
        let line = sample.set(key.table, key.misspelling, "1")
        let path = key.table.isEmpty ? key.misspelling : "\(key.table).\(key.misspelling)"
        #expect(
            sample.verdict
                == "\(line): \(path): a known key, perhaps \(key.name) (found unknown key \"\(key.misspelling)\")"
        )
    }

    @Test(arguments: ["terminal", "journal", "card", "side", "display", "timeouts"])
    func aTableThatIsAValueIsRefused(name: String) {
        #expect(verdictOn("\n\(name) = 1\n") == "2: \(name): a table (found 1)")
    }
}
