package import Dispenser
import GPIO
package import Metering
import Quantities

extension Configuration.Side {
    init(reading side: ConfigurationTable, _ number: Int, _ common: CommonSettings) {
        card = Configuration.CardEdge(reading: side.table("card"))
        pin = Configuration.PINSource(reading: side.table("pin"))
        let table = side.table("pump")
        let kind = table.required("kind", Setting<Configuration.PumpEdge.Kind>.word)
        pump = Configuration.PumpEdge(reading: table, kind)
        terms = SideSettings(reading: table, number, common)
        table.refuseParameters()
    }

    package var number: Int { terms.number }
    package var nozzle: Int { terms.nozzle }

    /// How it sells with a meter of these parameters.
    ///
    /// - Parameter meter: nil where none may sell: what a crash left is then finished from its records alone.
    package func settings(under meter: MeterParameters?) -> SideSettings {
        var settings = terms
        guard let meter else { return settings }
        settings.calibration = meter.calibration
        settings.pulserFaultsMax = meter.pulserFaultsMax
        settings.minimumQuantity = meter.minimumQuantity
        settings.slowFlow = pump.hasSlowValve ? meter.slowFlow : .zero
        return settings
    }

    package func limits(under meter: MeterParameters) -> MeterLimits {
        switch pump {
        case .gpio: return meter.limits
        // A simulated meter makes what its script says.
        case .simulated(let customer):
            return MeterLimits(
                calibration: meter.calibration,
                litresPerMinuteMax: max(
                    meter.litresPerMinute.upperBound,
                    2 * customer.litresPerMinute * customer.speed
                ),
                reverseCentilitresMax: meter.reverseCentilitresMax
            )
        }
    }

    /// Whether the lines are those of such a pulser.
    package func hasLines(of pulser: PulserKind) -> Bool {
        switch pump {
        case .gpio(let wiring): (wiring.pulserB != nil) == (pulser != .single)
        case .simulated: true
        }
    }

    /// What one side has is no other's.
    static func requireOwnEdges(_ sides: [(side: Self, table: ConfigurationTable)]) {
        let readers = sides.filter { $0.side.card.isRealReader }
        if readers.count > 1 {
            for (side, table) in readers where table.isSound && side.card == .pcsc(reader: nil, port: nil) {
                table.table("card").noteConflict(
                    "reader",
                    "the reader's name, or its port, because more sides than one have a reader"
                )
            }
        }
        for (index, (side, table)) in sides.enumerated() {
            for (other, _) in sides[..<index] where table.isSound { side.requireOwnEdges(beside: other, table) }
        }
    }

    private func requireOwnEdges(beside other: Self, _ table: ConfigurationTable) {
        if nozzle == other.nozzle {
            table.table("pump").noteConflict("nozzle", "another nozzle than side \(other.number)'s")
        }
        switch (pin, other.pin) {
        case (.terminal, .terminal):
            table.table("pin").noteConflict("kind", "another kind than side \(other.number)'s, which has the console")
        case (.keypad(let device), .keypad(let theirs)) where FilePlace(device).isSame(as: FilePlace(theirs)):
            table.table("pin").noteConflict("device", "another keypad than side \(other.number)'s")
        case _: break
        }
        switch (card, other.card) {
        case (.pcsc(_, .some(let port)), .pcsc(_, .some(let theirs))):
            if port == theirs { table.table("card").noteConflict("port", "another port than side \(other.number)'s") }
        case (.pcsc(.some(let name), _), .pcsc(.some(let theirs), _))
        where name.contains(theirs) || theirs.contains(name):
            table.table("card").noteConflict(
                "reader",
                "a name that cannot mean side \(other.number)'s reader, \(quoted(theirs)), too, or a port for each"
            )
        case (.virtual(.some(let file)), .virtual(.some(let theirs)))
        where FilePlace(file).isSame(as: FilePlace(theirs)):
            table.table("card").noteConflict("state", "another file than side \(other.number)'s")
        case _: break
        }
        if case .gpio(let wiring) = pump, case .gpio(let theirs) = other.pump {
            wiring.requireOwnLines(beside: theirs, "side \(other.number)", table.table("pump").table("gpio"))
        }
    }
}

extension Configuration.CardEdge {
    private enum Kind: String, CaseIterable {
        case pcsc
        case virtual
    }

    init(reading table: ConfigurationTable) {
        switch table.required("kind", Setting<Kind>.word) {
        case .pcsc:
            table.refuse("state", unless: "card.kind is \"virtual\"")
            // MAX_READERNAME of pcsc-lite with the closing NUL is 128.
            self = .pcsc(reader: table.optional("reader", .text(1...127)), port: table.optional("port", .usbPort))
        case .virtual:
            for key in ["reader", "port"] { table.refuse(key, unless: "card.kind is \"pcsc\"") }
            self = .virtual(state: table.optional("state", .path))
        case nil:
            table.skip("reader", "port", "state")
            self = .pcsc(reader: nil, port: nil)
        }
    }

    fileprivate var isRealReader: Bool {
        switch self {
        case .pcsc: true
        case .virtual: false
        }
    }

    /// The file of a virtual card; nil where there is none.
    var state: String? {
        switch self {
        case .pcsc: nil
        case .virtual(let state): state
        }
    }
}

extension Configuration.PINSource {
    private enum Kind: String, CaseIterable {
        case terminal
        case keypad
        case fixed
    }

    init(reading table: ConfigurationTable) {
        let kind = table.required("kind", Setting<Kind>.word)
        switch kind {
        case .keypad: self = .keypad(device: table.value("device", .lastingDevice))
        case .terminal, .fixed, nil:
            if kind == nil { table.skip("device") } else { table.refuse("device", unless: "pin.kind is \"keypad\"") }
            self = kind == .fixed ? .fixed : .terminal
        }
    }
}

extension Setting where Value == String {
    /// The number of a USB bus, then of the port at each hub on the way, from the board's own on: at most six (USB 2.0, 4.1.1).
    fileprivate static var usbPort: Setting {
        Setting(
            expected: "a USB port as its folder in /sys/bus/usb/devices is called, such as \"1-1.4\"",
            standIn: "1-1"
        ) { value in
            guard case .text(let text) = value else { return nil }
            let numbers = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard numbers.count == 2 else { return nil }
            let ports = numbers[1].split(separator: ".", omittingEmptySubsequences: false)
            return (1...6).contains(ports.count) && (numbers.prefix(1) + ports).allSatisfy(isCounted) ? text : nil
        }
    }

    /// Whether this is a number from 1 to 255, as the kernel writes it.
    private static func isCounted(_ digits: Substring) -> Bool {
        UInt8(digits).map { $0 > 0 && String($0) == digits } ?? false
    }

    /// An input device by a name that stays its own.
    fileprivate static var lastingDevice: Setting {
        let folder = "/dev/input/"
        return Setting(
            expected: "a path that stays the same, under /dev/input/by-path",
            standIn: "/dev/null"
        ) { value in
            guard let path = Setting.path.read(value), path.hasPrefix("/dev/") else { return nil }
            // The kernel numbers them as it finds them.
            return path.hasPrefix(folder) && !path.dropFirst(folder.count).contains("/") ? nil : path
        }
    }
}
