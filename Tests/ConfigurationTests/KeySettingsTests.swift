import Configuration
import GPIO
import KeyFiles
import Testing

/// `[keys]` beyond the store: the board's memory, the tamper line, what a credential is sealed in.
struct KeySettingsTests {
    private static let tamper = ["[keys.tamper]", "chip = 'gpiochip0'", "line = 9", "active = 'low'"]

    private var sample: SampleConfiguration {
        var sample = SampleConfiguration.service
        sample.lines += Self.tamper
        return sample
    }

    @Test("what is left out has its default, and without the table there is no line")
    func defaults() throws {
        #expect(try SampleConfiguration.service.load().keys?.tamper == nil)
        #expect(try SampleConfiguration.service.load().keys?.memory == nil)
        var wiring = TamperWiring(chip: "gpiochip0", line: .init(offset: 9, isActiveLow: true))
        #expect(try sample.load().keys?.tamper == wiring)
        #expect(wiring.debounceMicroseconds == 10_000)

        var full = sample
        full.lines += ["bias = 'pull-up'", "debounce_milliseconds = 3"]
        wiring.line.bias = .pullUp
        wiring.debounceMicroseconds = 3_000
        #expect(try full.load().keys?.tamper == wiring)
        full.set("keys", "nvmem", "'/sys/bus/nvmem/devices/0-00501/nvmem'")
        #expect(try full.load().keys?.memory == BoardMemory("/sys/bus/nvmem/devices/0-00501/nvmem"))
        full.set("keys", "nvmem_offset", "64")
        #expect(try full.load().keys?.memory == BoardMemory("/sys/bus/nvmem/devices/0-00501/nvmem", offset: 64))
    }

    @Test(
        "each key with values that it must not have",
        arguments: [
            ("keys.tamper", "chip", "0", "a text of 1 to 255 characters (found 0)"),
            ("keys.tamper", "line", "512", "a line: its offset, 0 to 511, or its name in quotation marks (found 512)"),
            ("keys.tamper", "active", "'open'", "\"high\" or \"low\" (found \"open\")"),
            (
                "keys.tamper", "bias", "'up'",
                "\"as-is\" or \"disabled\" or \"pull-up\" or \"pull-down\" (found \"up\")"
            ),
            ("keys.tamper", "debounce_milliseconds", "101", "an integer from 0 to 100 (found 101)"),
            (
                "keys.tamper", "debounce", "1",
                "a known key, one of active, bias, chip, debounce_milliseconds, line (found unknown key \"debounce\")"
            ),
            ("keys.tamper", "line", "22", "another line than side 3's nozzle (found 22)"),
            ("keys", "nvmem", "'nvmem'", "a path that begins with / (found \"nvmem\")"),
            ("keys", "nvmem_offset", "0", "nothing unless nvmem is set (found 0)"),
            ("keys", "credential_file", "'/etc/x'", "nothing unless credential is set (found \"/etc/x\")"),
        ]
    )
    func refused(table: String, key: String, value: String, expected: String) {
        var sample = sample
        let line = sample.set(table, key, value)
        #expect(sample.verdict == "\(line): \(table).\(key): \(expected)")
    }

    @Test("a line that is not said whole is missing", arguments: ["chip", "line", "active"])
    func missing(key: String) {
        var sample = sample
        sample.lines.removeAll { $0.hasPrefix("\(key) = ") && Self.tamper.contains($0) }
        #expect(sample.verdict.contains("keys.tamper.\(key): ") && sample.verdict.hasSuffix("(found nothing)"))
    }

    @Test("the file that a credential is sealed in")
    func credential() throws {
        var sample = sample
        sample.lines.removeAll { $0.hasPrefix("storage_key") }
        sample.set("keys", "credential", "'storage'")
        sample.set("keys", "credential_file", "'/etc/greylock/storage.cred'")
        #expect(try sample.load().keys?.credentialFile == "/etc/greylock/storage.cred")
        sample.set("journal", "mark", "'/etc/greylock/storage.cred'")
        #expect(sample.verdict.contains("another file than the storage key's credential"))
    }
}
