package import GPIO

extension Configuration {
    package enum PumpEdge: Equatable, Sendable {
        case gpio(GPIOWiring)
        case simulated(SimulatedPump)

        enum Kind: String, CaseIterable {
            case gpio
            case simulated
        }

        /// Without one the main valve alone goes to the target.
        var hasSlowValve: Bool {
            switch self {
            case .gpio(let wiring): wiring.slowValve != nil
            case .simulated: true
            }
        }
    }

    /// What a simulated customer takes.
    package struct SimulatedPump: Equatable, Sendable {
        package var centilitres = 2_000
        package var litresPerMinute = 40
        /// How many times faster than real.
        package var speed = 1
    }
}

extension Configuration.PumpEdge {
    /// - Parameter kind: nil when it is not known.
    init(reading pump: ConfigurationTable, _ kind: Kind?) {
        switch kind {
        case .gpio:
            pump.refuse("simulated", unless: "pump.kind is \"simulated\"")
            self = .gpio(GPIOWiring(reading: pump.table("gpio")))
        case .simulated:
            pump.refuse("gpio", unless: "pump.kind is \"gpio\"")
            self = .simulated(Configuration.SimulatedPump(reading: pump.table("simulated")))
        case nil:
            pump.skip("gpio", "simulated")
            self = .simulated(Configuration.SimulatedPump())
        }
    }
}

extension Configuration.SimulatedPump {
    fileprivate init(reading table: ConfigurationTable) {
        self.init()
        table.read("centilitres", .integer(1...100_000), into: &centilitres)
        table.read("litres_per_minute", .integer(1...200), into: &litresPerMinute)
        table.read("speed", .integer(1...100), into: &speed)
    }
}

extension GPIORole {
    fileprivate static let inputs: [GPIORole] = [.pulserA, .pulserB, .nozzle, .emergency]

    /// As a configuration names it.
    package var key: String {
        switch self {
        case .pulserA: "a"
        case .pulserB: "b"
        case .nozzle: "nozzle"
        case .emergency: "emergency"
        case .motor: "motor"
        case .mainValve: "main_valve"
        case .slowValve: "slow_valve"
        }
    }

    package var biasKey: String { "\(key)_bias" }
}

extension GPIOWiring {
    init(reading table: ConfigurationTable) {
        let activeLow = Set(
            table.list("active_low", Setting<GPIORole>.word(\.key), countMax: GPIORole.allCases.count) ?? []
        )
        func input(_ role: GPIORole, _ place: LinePlace) -> Input {
            Input(
                place,
                isActiveLow: activeLow.contains(role),
                bias: table.value(role.biasKey, .word, default: .asIs)
            )
        }
        func output(_ role: GPIORole, _ place: LinePlace) -> Output {
            Output(place, isActiveLow: activeLow.contains(role))
        }
        func value(_ role: GPIORole) -> LinePlace { table.value(role.key, .line) }
        func optional(_ role: GPIORole) -> LinePlace? { table.optional(role.key, .line) }
        self.init(
            chip: table.value("chip", .text(1...255)),
            pulserA: input(.pulserA, value(.pulserA)),
            pulserB: optional(.pulserB).map { input(.pulserB, $0) },
            nozzle: input(.nozzle, value(.nozzle)),
            emergency: optional(.emergency).map { input(.emergency, $0) },
            motor: output(.motor, value(.motor)),
            mainValve: output(.mainValve, value(.mainValve)),
            slowValve: optional(.slowValve).map { output(.slowValve, $0) }
        )
        table.read("debounce_milliseconds", Setting.integer(0...100).map { $0 * 1_000 }, into: &debounceMicroseconds)
        check(table, activeLow)
    }

    /// Each line stands once, as far as the text tells, and only lines that are wired have a level and a bias.
    private func check(_ table: ConfigurationTable, _ activeLow: Set<GPIORole>) {
        let wired = places
        let unwired = GPIORole.allCases.filter { role in !wired.contains { $0.role == role } }
        let biased = unwired.filter { role in
            GPIORole.inputs.contains(role) && table.value(role.biasKey, .word, default: Bias.asIs) != .asIs
        }
        guard table.isSound else { return }
        for role in biased { table.noteConflict(role.biasKey, "left out while \(role.key) is not wired") }
        for role in unwired where activeLow.contains(role) {
            table.noteConflict("active_low", "lines that are wired, so not \"\(role.key)\"")
        }
        var roles: [LinePlace: GPIORole] = [:]
        for (role, place) in wired {
            guard let other = roles.updateValue(role, forKey: place) else { continue }
            table.noteConflict(role.key, "another line than \(other.key)'s")
        }
    }

    /// - Parameter owner: whose the other lines are.
    func requireOwnLines(beside other: GPIOWiring, _ owner: String, _ table: ConfigurationTable) {
        guard chipName == other.chipName else { return }
        for (role, place) in places {
            guard let taken = other.places.first(where: { $0.place == place }) else { continue }
            table.noteConflict(role.key, "another line than \(owner)'s \(taken.role.key)")
        }
    }

    var chipName: Substring { chip.hasPrefix("/dev/") ? chip.dropFirst(5) : chip[...] }
}

extension Setting where Value == LinePlace {
    /// The kernel keeps 31 bytes of a name. Digits in quotation marks are an offset that somebody quoted.
    static var line: Setting {
        Setting(
            expected: "a line: its offset, 0 to 511, or its name in quotation marks",
            standIn: .offset(0)
        ) { value in
            switch value {
            case .integer(let offset) where (0...511).contains(offset): .offset(offset)
            case .text(let name) where (1...31).contains(name.utf8.count) && !name.allSatisfy(\.isNumber): .name(name)
            case _: nil
            }
        }
    }
}
