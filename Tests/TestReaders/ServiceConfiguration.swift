/// The settings of a service under test.
package enum ServiceConfiguration {
    /// - Parameters:
    ///   - journal: its path, and further keys as `, KEY = VALUE`.
    ///   - card: the keys of `[card]`.
    ///   - grace: seconds; nil for the default.
    ///   - pump: the keys of `[pump]` that are the pump's own, `kind` too, and what follows them.
    package static func text(
        journal: (path: String, more: String),
        card: String = #"kind = "virtual""#,
        pin: String = "fixed",
        grace: Int? = nil,
        language: String = "english",
        price: Int = 785,
        pump: String
    ) -> String {
        """
        demonstration = true
        terminal = { id = "001122334455", position = 1 }
        journal = { path = "\(journal.path)"\(journal.more) }
        card = { \(card) }
        pin = { kind = "\(pin)" }
        timeouts = { \(grace.map { "grace = \($0)" } ?? "") }
        display = { language = "\(language)" }
        [pump]
        nozzle = 1
        grade = "92"
        price = \(price)
        pulses_per_litre = 100
        channels = 2
        security = "alarm"
        \(pump)
        """
    }

    /// A card in the test's own reader.
    package static let reader = #"kind = "pcsc", reader = "Virtual PCD""#

    /// 40 litres a minute, `speed` times as fast.
    package static func simulated(centilitres: Int, speed: Int) -> String {
        """
        kind = "simulated"
        simulated = { centilitres = \(centilitres), litres_per_minute = 40, speed = \(speed) }
        """
    }

    /// - Parameter lines: the keys of `[pump.gpio]`.
    package static func gpio(preset: Int? = nil, _ lines: String) -> String {
        """
        kind = "gpio"
        \(preset.map { "preset_centilitres = \($0)" } ?? "")
        [pump.gpio]
        \(lines)
        """
    }
}
