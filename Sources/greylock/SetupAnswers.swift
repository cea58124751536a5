import Configuration
import FuelPassbook
import GPIO
import ISO7816
import Quantities
import StationInterface

/// What a configuration is written from. Each answer stands as it was given: the configuration's own parser judges it.
struct SetupAnswers {
    /// The unit's folders and names (board/greylockd.service, board/storage-key).
    private static let credential = "greylock-storage-key"
    static let storageKey = "/etc/greylock/storage-key"

    struct Side {
        var nozzle: String
        var grade = "92"
        var price = "1"
        /// nil for the only reader there is.
        var reader: String?
        var pin: String
    }

    let profileName: String
    let profile: BoardProfile
    var isDemonstration = false
    var terminal = "310000000017"
    var aid = "F0 50 45 54 52 4F 4C 02"
    var language = "english"
    /// Where journal and keys lie.
    var folder = "/var/lib/greylock"
    /// Whether the storage key is a credential of the unit.
    var hasCredential = false
    /// Whether this machine has the groups of both sockets, as the package makes them.
    var hasGroups = false
    /// Optional lines that are not wired.
    var unwired: Set<GPIORole> = []
    /// By their numbers, from 1 on.
    var sides: [Side] = []

    init(_ profileName: String, _ profile: BoardProfile) {
        self.profileName = profileName
        self.profile = profile
    }

    mutating func beDemonstration() {
        isDemonstration = true
        terminal = "\(Demonstration.terminal)"
    }

    /// The lines of a side that are wired.
    func wiring(_ number: Int) -> GPIOWiring {
        var wiring = profile.sides[number - 1]
        if unwired.contains(.pulserB) { wiring.pulserB = nil }
        if unwired.contains(.emergency) { wiring.emergency = nil }
        if unwired.contains(.slowValve) { wiring.slowValve = nil }
        return wiring
    }

    /// The configuration.
    var text: String {
        let custody =
            isDemonstration
            ? """
            [parameters]
            # In place of the board's own serial number.
            board = "demonstration"


            """
            : """
            [keys]
            store = \(quoted("\(folder)/keys"))
            \(hasCredential
                ? "credential = \"\(Self.credential)\"\ncredential_file = \"\(Self.storageKey).cred\""
                : "storage_key = \"\(Self.storageKey)\"")


            """
        return """
            # Written by greylock setup from the profile \(profileName.printable): \(profile.board).
            # \(BoardProfile.examples)/greylock.toml explains every key, also those that are not here.
            demonstration = \(isDemonstration)

            [terminal]
            id = \(quoted(terminal))

            [journal]
            path = \(quoted("\(folder)/journal.sqlite"))

            \(custody)[card]
            \(isDemonstration ? "# The demonstration's application is selected." : "aid = \(quoted(aid))")

            [display]
            language = \(quoted(language))

            \(interface)
            \(sides.indices.map { text(of: $0 + 1) }.joined())
            """
    }

    private var interface: String {
        let lines = SocketKind.allCases.flatMap { kind in
            [
                "\(kind.rawValue) = \"/run/greylock-\(kind.rawValue)/socket\"",
                "\(kind.rawValue)_group = \"\(Self.group(of: kind))\"",
            ]
        }
        let table = ["[interface]"] + lines
        return hasGroups
            ? table.joined(separator: "\n")
            : "# Off: the package makes these groups, and this machine has them not.\n"
                + table.map { "#\($0)" }.joined(separator: "\n")
    }

    /// Whose members may use a socket (board/debian/greylock.sysusers).
    static func group(of kind: SocketKind) -> String { "greylock-\(kind.rawValue)" }

    private func text(of number: Int) -> String {
        let side = sides[number - 1]
        return """

            [side.\(number).card]
            kind = "pcsc"
            \(side.reader.map { "reader = \(quoted($0))\n" } ?? "")
            [side.\(number).pin]
            \(side.pin.hasPrefix("/") ? "kind = \"keypad\"\ndevice = \(quoted(side.pin))" : "kind = \(quoted(side.pin))")

            [side.\(number).pump]
            kind = "gpio"
            nozzle = \(numeral(side.nozzle))
            grade = \(quoted(side.grade))
            price = \(numeral(side.price))

            [side.\(number).pump.gpio]
            \(lines(wiring(number)).joined(separator: "\n"))

            """
    }

    private func lines(_ wiring: GPIOWiring) -> [String] {
        func line(_ role: GPIORole, _ place: LinePlace) -> String {
            "\(role.key) = \(place)" + (profile.pins[place].map { "  # \($0)" } ?? "")
        }
        let activeLow =
            wiring.inputs.filter(\.line.isActiveLow).map(\.role) + wiring.outputs.filter(\.line.isActiveLow).map(\.role)
        return ["chip = \(quoted(wiring.chip))"]
            + wiring.inputs.map { line($0.role, $0.line.place) }
            + wiring.inputs.filter { $0.line.bias != .asIs }.map { "\($0.role.biasKey) = \"\($0.line.bias.rawValue)\"" }
            + wiring.outputs.map { line($0.role, $0.line.place) }
            + (activeLow.isEmpty ? [] : ["active_low = [\(activeLow.map { quoted($0.key) }.joined(separator: ", "))]"])
    }

    /// A whole number as it stands; anything else as a text, which the parser refuses by its own words.
    private func numeral(_ answer: String) -> String { Int(answer).map(String.init) ?? quoted(answer) }

    private func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                "\\u00\(scalar.value < 0x10 ? "0" : "")\(String(scalar.value, radix: 16))"
            case _: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
