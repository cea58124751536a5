/// The settings of a service under test.
package enum ServiceConfiguration {
    /// - Parameters:
    ///   - journal: its path, and further keys as `, KEY = VALUE`.
    ///   - board: the keys of `[card]`, which all sides have in common.
    ///   - card: the keys of `[side.1.card]`.
    ///   - grace: seconds; nil for the default.
    ///   - pump: the keys of `[side.1.pump]` that are the pump's own, `kind` too, and what follows them.
    package static func text(
        journal: (path: String, more: String),
        board: String = "",
        card: String = #"kind = "virtual""#,
        pin: String = "fixed",
        grace: Int? = nil,
        language: String = "english",
        price: Int = 785,
        pump: String
    ) -> String {
        let side = side(1, card: card, pin: pin, price: price, pump: pump)
        return text(journal: journal, board: board, grace: grace, language: language, sides: [side])
    }

    /// - Parameter sides: of ``side(_:card:pin:price:pump:)``.
    package static func text(
        journal: (path: String, more: String),
        board: String = "",
        grace: Int? = nil,
        language: String = "english",
        sides: [String]
    ) -> String {
        """
        demonstration = true
        terminal = { id = "001122334455" }
        journal = { path = "\(journal.path)"\(journal.more) }
        card = { \(board) }
        timeouts = { \(grace.map { "grace = \($0)" } ?? "") }
        display = { language = "\(language)" }
        \(sides.joined(separator: "\n"))
        """
    }

    /// The side of a number, with the nozzle of the same number.
    package static func side(
        _ number: Int,
        card: String = #"kind = "virtual""#,
        pin: String = "fixed",
        price: Int = 785,
        pump: String
    ) -> String {
        """
        [side.\(number)]
        card = { \(card) }
        pin = { kind = "\(pin)" }
        [side.\(number).pump]
        nozzle = \(number)
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

    /// - Parameter lines: the keys of `[side.N.pump.gpio]`, one a line.
    package static func gpio(preset: Int? = nil, _ lines: String) -> String {
        """
        kind = "gpio"
        \(preset.map { "preset_centilitres = \($0)" } ?? "")
        gpio = { \(lines.split(separator: "\n").joined(separator: ", ")) }
        """
    }
}
