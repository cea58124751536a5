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

    fileprivate var key: String {
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

    fileprivate var biasKey: String { "\(key)_bias" }
}

extension GPIOWiring {
    fileprivate init(reading table: ConfigurationTable) {
        let activeLow = Set(
            table.list("active_low", Setting<GPIORole>.word(\.key), countMax: GPIORole.allCases.count) ?? []
        )
        let offsets = Setting.integer(0...511)
        func input(_ role: GPIORole, _ offset: Int) -> Input {
            Input(
                offset: offset,
                isActiveLow: activeLow.contains(role),
                bias: table.value(role.biasKey, .word, default: .asIs)
            )
        }
        func output(_ role: GPIORole, _ offset: Int) -> Output {
            Output(offset: offset, isActiveLow: activeLow.contains(role))
        }
        func value(_ role: GPIORole) -> Int { table.value(role.key, offsets) }
        func optional(_ role: GPIORole) -> Int? { table.optional(role.key, offsets) }
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

    /// Each line stands once, and only lines that are wired have a level and a bias.
    private func check(_ table: ConfigurationTable, _ activeLow: Set<GPIORole>) {
        let wired = offsets
        let unwired = GPIORole.allCases.filter { role in !wired.contains { $0.role == role } }
        let biased = unwired.filter { role in
            GPIORole.inputs.contains(role) && table.value(role.biasKey, .word, default: Bias.asIs) != .asIs
        }
        guard table.isSound else { return }
        for role in biased { table.noteConflict(role.biasKey, "left out while \(role.key) is not wired") }
        for role in unwired where activeLow.contains(role) {
            table.noteConflict("active_low", "lines that are wired, so not \"\(role.key)\"")
        }
        var roles: [Int: GPIORole] = [:]
        for (role, offset) in wired {
            guard let other = roles.updateValue(role, forKey: offset) else { continue }
            table.noteConflict(role.key, "another line than \(other.key)'s")
        }
    }

    /// - Parameter owner: whose the other lines are.
    func requireOwnLines(beside other: GPIOWiring, _ owner: String, _ table: ConfigurationTable) {
        guard chipName == other.chipName else { return }
        for (role, offset) in offsets {
            guard let taken = other.offsets.first(where: { $0.offset == offset }) else { continue }
            table.noteConflict(role.key, "another line than \(owner)'s \(taken.role.key)")
        }
    }

    var chipName: Substring { chip.hasPrefix("/dev/") ? chip.dropFirst(5) : chip[...] }
}
