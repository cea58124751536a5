package import FuelPassbook
package import Metering
import ParameterFiles
import Parameters
import Records
import SecurityModule

/// The settings of a service under test. Its meters are put under seal beside the journal, with the demonstration's record key.
package enum ServiceConfiguration {
    /// - Parameters:
    ///   - journal: its path, and further keys as `, KEY = VALUE`.
    ///   - board: the keys of `[card]`, which all sides have in common.
    ///   - card: the keys of `[side.1.card]`.
    ///   - pin: the kind of `[side.1.pin]`, or ``keypad(_:)``.
    ///   - grace: seconds; nil for the default.
    ///   - pump: the keys of `[side.1.pump]` that are the pump's own, `kind` too, and what follows them.
    ///   - isSealed: false for a terminal with keys of its own, whose meters are put under seal when it has them.
    package static func text(
        journal: (path: String, more: String),
        terminal: TerminalID = Demonstration.terminal,
        board: String = "",
        card: String = #"kind = "virtual""#,
        pin: String = "fixed",
        grace: Int? = nil,
        language: String = "english",
        price: Int = 785,
        meter: MeterParameters = .demonstration,
        pump: String,
        isSealed: Bool = true
    ) -> String {
        let side = side(1, card: card, pin: pin, price: price, pump: pump)
        return text(
            journal: journal,
            terminal: terminal,
            board: board,
            grace: grace,
            language: language,
            sides: [side],
            meter: meter,
            isSealed: isSealed
        )
    }

    /// - Parameter sides: of ``side(_:card:pin:price:pump:)``.
    package static func text(
        journal: (path: String, more: String),
        terminal: TerminalID = Demonstration.terminal,
        board: String = "",
        grace: Int? = nil,
        language: String = "english",
        sides: [String],
        meter: MeterParameters = .demonstration,
        isSealed: Bool = true
    ) -> String {
        let parameters = journal.path + "-parameters"
        if isSealed { seal(parameters, of: terminal, sides, meter) }
        let name = isSealed ? ", board = \"\(BoardSerial.demonstration)\"" : ""
        return """
            demonstration = true
            terminal = { id = "\(terminal)" }
            journal = { path = "\(journal.path)"\(journal.more) }
            parameters = { path = "\(parameters)"\(name) }
            card = { \(board) }
            timeouts = { \(grace.map { "grace = \($0)" } ?? "") }
            display = { language = "\(language)" }
            \(sides.joined(separator: "\n"))
            """
    }

    /// - Parameter sides: of ``side(_:card:pin:price:pump:)``.
    private static func seal(_ path: String, of terminal: TerminalID, _ sides: [String], _ meter: MeterParameters) {
        let numbers = sides.compactMap { text in
            text.split(separator: "\n").first { $0.hasPrefix("[side.") }.flatMap { Int($0.dropFirst(6).dropLast()) }
        }
        let key = RecordKey.demonstration
        do {
            guard let board = BoardSerial(BoardSerial.demonstration) else { fatalError("a name of letters") }
            let book = try ParameterBook.demonstration(
                of: terminal,
                sides: numbers,
                meter,
                on: board,
                at: 1_790_000_000,
                under: ParameterKey(key.parameterKey(), as: key.reference)
            )
            try ParameterFile(path).replace(with: book)
        } catch {
            fatalError("the meters of the test cannot be put under seal: \(error)")
        }
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
        \(pump)
        """
    }

    /// What `greylock parameters import` reads for a terminal with keys of its own.
    package static let meters = """
        [side.1.pump]
        meter_serial = "M-1"
        pulser_serial = "P-1"
        pulses_per_litre = 100
        channels = 2
        security = "alarm"
        """

    /// As `pin`: typed at this input device.
    package static func keypad(_ path: String) -> String { "keypad\", device = \"\(path)" }

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
