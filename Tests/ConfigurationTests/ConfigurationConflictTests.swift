import Configuration
import KeyFiles
import Testing
import Tokens

/// One setting against another.
struct ConfigurationConflictTests {
    @Test(arguments: [
        ("terminal", "id", "'001122334455'", "an id other than the demonstration's", "\"001122334455\""),
        ("side.3.card", "kind", "'virtual'", "\"pcsc\"", "\"virtual\""),
        (
            "card", "aid", "'F0 50 45 54 52 4F 4C 01'", "an AID other than the demonstration's",
            "\"F0 50 45 54 52 4F 4C 01\""
        ),
        ("side.3.pin", "kind", "'fixed'", "\"terminal\" or \"keypad\"", "\"fixed\""),
    ])
    func aDemonstrationValueIsRefusedInService(
        table: String,
        key: String,
        value: String,
        expected: String,
        found: String
    ) {
        var sample = SampleConfiguration.service
        let line = sample.set(table, key, value)
        #expect(
            sample.verdict == "\(line): \(table).\(key): \(expected) while demonstration is not true (found \(found))"
        )
        sample.set("", "demonstration", "true")
        #expect(sample.verdict == "accepted")
    }

    /// A token is optional; one that is there has a module, a name and one PIN.
    @Test func aTokenIsWholeOrNotThere() throws {
        var sample = SampleConfiguration.service
        #expect(try sample.load().keys?.token == nil)
        sample.lines.append("[keys.token]")
        let table = sample.lines.count
        #expect(sample.verdict.contains("\(table): keys.token.module: a path that begins with / (found nothing)"))
        sample.set("keys.token", "module", "'/usr/lib/softhsm/libsofthsm2.so'")
        sample.set("keys.token", "label", "'greylock'")
        #expect(sample.verdict == "\(table): keys.token.pin_file: a path that begins with / (found nothing)")
        sample.set("keys.token", "pin_file", "'/etc/greylock/pin'")
        let place = TokenPlace(
            module: "/usr/lib/softhsm/libsofthsm2.so",
            label: "greylock",
            pin: .file("/etc/greylock/pin")
        )
        #expect(try sample.load().keys?.token == place)
        let line = sample.set("keys.token", "pin_credential", "'pin'")
        #expect(sample.verdict == "\(line): keys.token.pin_credential: nothing beside pin_file (found \"pin\")")
        sample.lines.removeAll { $0.hasPrefix("pin_file") }
        #expect(try sample.load().keys?.token?.pin == .credential("pin"))
        let long = sample.set("keys.token", "label", "'\(String(repeating: "x", count: 33))'")
        #expect(sample.verdict.hasPrefix("\(long): keys.token.label: "))
    }

    /// What opens the keys is named once; a demonstration needs none, and holds a table that is there to its rules.
    @Test func theStorageKeyIsNamedOnce() throws {
        var sample = SampleConfiguration.service
        let line = sample.set("keys", "credential", "'storage'")
        #expect(sample.verdict == "\(line): keys.credential: nothing beside storage_key (found \"storage\")")
        sample.lines.removeAll { $0.hasPrefix("storage_key") }
        #expect(try sample.load().keys?.storageKey == .credential("storage"))
        sample.lines.removeAll { $0.hasPrefix("credential") }
        let table = try #require(sample.lines.firstIndex(of: "[keys]")) + 1
        #expect(sample.verdict == "\(table): keys.storage_key: a path that begins with / (found nothing)")
        var demonstration = SampleConfiguration.demonstration
        #expect(try demonstration.load().keys == nil)
        demonstration.lines.append("[keys]")
        let wrong = demonstration.set("keys", "store", "'keys'")
        #expect(demonstration.verdict == "\(wrong): keys.store: a path that begins with / (found \"keys\")")
    }

    @Test func inServiceTheAIDMustBeGiven() {
        var sample = SampleConfiguration.service
        sample.remove("aid = 'A000000333'")
        #expect(
            sample.verdict
                == "5: card.aid: an AID other than the demonstration's while demonstration is not true (found nothing)"
        )
    }

    @Test func keysOfTheOtherKindAreRefused() {
        var sample = SampleConfiguration.service
        var line = sample.set("side.3.card", "state", "'/tmp/card'")
        #expect(
            sample.verdict
                == "\(line): side.3.card.state: nothing unless card.kind is \"virtual\" (found \"/tmp/card\")"
        )
        sample = .service
        sample.lines += ["[side.3.pump.simulated]", "sped = 1"]
        line = sample.lines.count - 1
        #expect(
            sample.verdict
                == "\(line): side.3.pump.simulated: nothing unless pump.kind is \"simulated\" (found a table)"
        )
        sample = .demonstration
        line = sample.set("side.3.card", "reader", "'Reader'")
        #expect(
            sample.verdict == "\(line): side.3.card.reader: nothing unless card.kind is \"pcsc\" (found \"Reader\")"
        )
        sample = .demonstration
        line = sample.set("side.3.card", "port", "'1-1'")
        #expect(sample.verdict == "\(line): side.3.card.port: nothing unless card.kind is \"pcsc\" (found \"1-1\")")
        sample = .demonstration
        sample.lines += ["[side.3.pump.gpio]", "a = 1"]
        #expect(
            sample.verdict
                == "\(sample.lines.count - 1): side.3.pump.gpio: nothing unless pump.kind is \"gpio\" (found a table)"
        )
    }

    @Test(arguments: [
        ("b", "17", "a"), ("nozzle", "27", "b"), ("motor", "22", "nozzle"), ("slow_valve", "6", "main_valve"),
    ])
    func noTwoLinesShareAnOffset(key: String, offset: String, other: String) {
        var sample = SampleConfiguration.service
        let line = sample.set("side.3.pump.gpio", key, offset)
        #expect(sample.verdict == "\(line): side.3.pump.gpio.\(key): another line than \(other)'s (found \(offset))")
    }

    @Test func onlyLinesThatAreWiredAreActiveLow() {
        var sample = SampleConfiguration.service
        let line = sample.set("side.3.pump.gpio", "active_low", "['a', 'slow_valve']")
        #expect(
            sample.verdict
                == "\(line): side.3.pump.gpio.active_low: lines that are wired, so not \"slow_valve\""
                + " (found an array of 2 values)"
        )
        sample.set("side.3.pump.gpio", "slow_valve", "13")
        #expect(sample.verdict == "accepted")
        let words = "\"a\" or \"b\" or \"nozzle\" or \"emergency\" or \"motor\" or \"main_valve\" or \"slow_valve\""
        let wrong = sample.set("side.3.pump.gpio", "active_low", "['a', 'valve']")
        #expect(sample.verdict == "\(wrong): side.3.pump.gpio.active_low[2]: \(words) (found \"valve\")")
    }

    @Test func onlyInputsThatAreWiredHaveABias() {
        var sample = SampleConfiguration.service
        let line = sample.set("side.3.pump.gpio", "emergency_bias", "'pull-up'")
        #expect(
            sample.verdict
                == "\(line): side.3.pump.gpio.emergency_bias: left out while emergency is not wired (found \"pull-up\")"
        )
        sample.set("side.3.pump.gpio", "emergency", "23")
        #expect(sample.verdict == "accepted")
    }

    @Test func aPresetStaysWithinTheLimit() {
        var sample = SampleConfiguration.service
        var line = sample.set("side.3.pump", "preset_fen", "100001")
        #expect(sample.verdict == "\(line): side.3.pump.preset_fen: at most limit_fen, 100000 (found 100001)")
        sample = .service
        sample.set("side.3.pump", "limit_centilitres", "1000")
        line = sample.set("side.3.pump", "preset_centilitres", "1001")
        #expect(
            sample.verdict == "\(line): side.3.pump.preset_centilitres: at most limit_centilitres, 1000 (found 1001)"
        )
    }

    @Test func aPrepaidPumpNeedsAPresetThatBuysSomething() {
        var sample = SampleConfiguration.service
        let line = sample.set("side.3.pump", "payment", "'prepaid'")
        #expect(
            sample.verdict
                == "\(line): side.3.pump.payment: \"grey-lock\" unless preset_fen or preset_centilitres is there"
                + " (found \"prepaid\")"
        )
        sample.set("side.3.pump", "preset_fen", "100")
        #expect(sample.verdict == "accepted")
        sample.set("side.3.pump", "price", "99999")
        let preset = sample.set("side.3.pump", "preset_fen", "999")
        #expect(
            sample.verdict
                == "\(preset): side.3.pump.preset_fen: at least the price of a centilitre, 1000, with payment \"prepaid\""
                + " (found 999)"
        )
    }
}
