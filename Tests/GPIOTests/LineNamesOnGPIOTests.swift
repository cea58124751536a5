import GPIO
import Metering
import Testing

extension OnGPIO {
    /// Lines that a configuration names as the board's device tree does.
    @Suite
    struct LineNamesTests {
        private static let names = [
            0: "GPIO17", 1: "GPIO27", 2: "GPIO22", 3: "SHARED", 4: "GPIO24", 5: "GPIO25", 6: "SHARED",
        ]

        private static func wiring(_ chip: String) -> GPIOWiring {
            GPIOWiring(
                chip: chip,
                pulserA: .init(.name("GPIO17")),
                pulserB: .init(.name("GPIO27")),
                nozzle: .init(.name("GPIO22")),
                motor: .init(.name("GPIO24")),
                mainValve: .init(offset: 5),
                debounceMicroseconds: 0
            )
        }

        private func fault(_ wiring: GPIOWiring) -> GPIOFault? {
            do throws(GPIOFault) {
                _ = try GPIOPumpLines(wiring)
                return nil
            } catch {
                return error
            }
        }

        @Test func aNamedLineIsTheOneThatMoves() throws {
            let chip = try SimulatedChip(label: "greylock-names", names: Self.names)
            let lines = try GPIOPumpLines(Self.wiring(chip.label))
            #expect(
                lines.wired.map { "\($0.role.rawValue) \($0.line)" } == [
                    "pulser A 0 (GPIO17)", "pulser B 1 (GPIO27)", "nozzle 2 (GPIO22)", "motor 4 (GPIO24)",
                    "main valve 5 (GPIO25)",
                ]
            )
            try chip.pull(2, up: true)
            var edges: [PumpEdge] = []
            try lines.wait(timeoutNanoseconds: 5_000_000_000, into: &edges)
            #expect(edges.map(\.input) == [.nozzle])
            try lines.set([.motor, .mainValve])
            #expect(try chip.levels([4, 5]) == [true, true])
            #expect(lines.held.lines.map(\.offset) == [4, 5])
        }

        @Test func aNameThatIsNotThereIsRefusedWithThoseNearIt() throws {
            let chip = try SimulatedChip(label: "greylock-near", names: Self.names)
            var wiring = Self.wiring(chip.label)
            wiring.nozzle.place = .name("gpio_22")
            let near = GPIOFault.noLineOfName("gpio_22", chip: chip.name, near: ["GPIO22", "GPIO24"], isNamed: true)
            guard case .noLineOfName("gpio_22", chip.name, let names, true) = fault(wiring) else {
                Issue.record("another fault, or none")
                return
            }
            #expect(names.first == "GPIO22")
            #expect(near.description == "\(chip.name) has no line \"gpio_22\": perhaps GPIO22, GPIO24")
            #expect(near.isInSettings)
            wiring.nozzle.place = .name("nozzle")
            #expect(fault(wiring) == .noLineOfName("nozzle", chip: chip.name, near: [], isNamed: true))
        }

        @Test func aChipWithoutNamesSaysSo() throws {
            let chip = try SimulatedChip(label: "greylock-nameless")
            let fault = fault(Self.wiring(chip.label))
            #expect(fault == .noLineOfName("GPIO17", chip: chip.name, near: [], isNamed: false))
            #expect(fault?.description.contains("none of its lines has a name, give the offset") == true)
        }

        @Test func aNameThatStandsTwiceIsRefused() throws {
            let chip = try SimulatedChip(label: "greylock-shared", names: Self.names)
            var wiring = Self.wiring(chip.label)
            wiring.emergency = .init(.name("SHARED"))
            let fault = fault(wiring)
            #expect(fault == .ambiguousLine("SHARED", chip: chip.name, offsets: [3, 6]))
            #expect(fault?.description.hasSuffix("give one of the offsets 3, 6") == true)
            wiring.emergency = .init(offset: 6)
            _ = try GPIOPumpLines(wiring)
        }

        /// The text of a configuration does not show it.
        @Test func aLineThatIsWiredByNameAndByOffsetIsRefused() throws {
            let chip = try SimulatedChip(label: "greylock-both", names: Self.names)
            var wiring = Self.wiring(chip.label)
            wiring.mainValve = .init(offset: 2)
            let fault = fault(wiring)
            #expect(fault == .wiredTwice(.nozzle, .mainValve, line: ChipLine(offset: 2, name: "GPIO22")))
            #expect(fault?.description == "line 2 (GPIO22) is wired twice, as nozzle and as main valve")
        }

        @Test func whoHoldsALineIsSaidWithItsName() throws {
            let chip = try SimulatedChip(label: "greylock-held", names: Self.names)
            let tamper = TamperWiring(chip: chip.label, line: .init(.name("GPIO22")))
            let line = try TamperLine(tamper)
            let fault = fault(Self.wiring(chip.label))
            #expect(
                fault?.description.hasPrefix(
                    "line 2 (GPIO22) of \(chip.name), the nozzle, is held by \"greylock-tamper\": "
                ) == true
            )
            #expect(try !line.isActive())
        }

        @Test func aSurveyTakesNoLine() throws {
            let chip = try SimulatedChip(label: "greylock-survey", names: Self.names)
            let lines = try GPIOPumpLines(Self.wiring(chip.label))
            let survey = try ChipSurvey(chip: chip.label)
            let holders = survey.lines.map { $0.holder?.name ?? "nobody" }
            #expect(holders.enumerated().filter { $0.element == "greylock" }.map(\.offset) == [0, 1, 2, 4, 5])
            #expect(holders.filter { $0 == "nobody" }.count == 3)
            #expect(survey.lines.map(\.isOutput) == [false, false, false, false, true, true, false, false])
            #expect(survey.lines.map(\.line.name) == (0..<8).map { Self.names[$0] })
            try lines.set([])
        }
    }
}
