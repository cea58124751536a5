import Foundation
import GPIO
import Glibc
import TestFolders
import TestPrograms
import Testing

struct HeldOutputsTests {
    private static let held = HeldOutputs(
        chip: "gpiochip4",
        label: "pinctrl-rp1 of the board",
        lines: [
            HeldOutputs.Line(offset: 5, isActiveLow: false), HeldOutputs.Line(offset: 6, isActiveLow: true),
            HeldOutputs.Line(offset: 511, isActiveLow: false),
        ]
    )

    @Test func whatIsNotedIsReadBack() {
        #expect(HeldOutputs(parsing: Self.held.text) == Self.held)
        let none = HeldOutputs(chip: "gpiochip0", label: "", lines: [])
        #expect(HeldOutputs(parsing: none.text) == none)
    }

    @Test func notesOfSeveralPumpsAreReadBack() {
        let other = HeldOutputs(chip: "gpiochip0", label: "x", lines: [HeldOutputs.Line(offset: 7, isActiveLow: false)])
        #expect(HeldOutputs.all(parsing: Self.held.text + other.text) == [Self.held, other])
        #expect(HeldOutputs.all(parsing: Self.held.text) == [Self.held])
        for wrong in ["", "end\n", Self.held.text + "greylock", Self.held.text + other.text.dropLast()] {
            #expect(HeldOutputs.all(parsing: wrong) == nil)
        }
    }

    @Test func aNoteThatIsCutShortIsNone() {
        let text = Self.held.text
        for count in 0..<text.count { #expect(HeldOutputs(parsing: String(text.prefix(count))) == nil) }
        #expect(HeldOutputs(parsing: text + "x") == nil)
    }

    @Test(arguments: [
        ("chip gpiochip4", "chip ../sda"), ("line 5", "line -5"), ("line 5", "line 70000"), ("active-low", "low"),
        ("greylock outputs 1", "greylock outputs 2"), ("label ", "name "), ("line 511 active-high", "line 511"),
    ])
    func aNoteOfAnotherHandIsNone(of: String, with: String) {
        #expect(HeldOutputs(parsing: Self.held.text.replacingOccurrences(of: of, with: with)) == nil)
    }
}

extension OnGPIO {
    /// The unit's stop action (decision record 0024). What pulls an output up stands for a chip that keeps the last level.
    @Suite(.timeLimit(.minutes(5)))
    struct StopActionTests {
        private static let outputs = [4, 5, 6]
        private let folder: TestFolder
        private let chip: SimulatedChip

        init() throws {
            folder = try TestFolder()
            chip = try SimulatedChip(label: "greylock-stop")
            for line in Self.outputs { try chip.pull(line, up: true) }
        }

        private func configuration(_ chip: String, motor: String = "4", nozzle: Int = 2) throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    card: ServiceConfiguration.reader,
                    pump: ServiceConfiguration.gpio(
                        """
                        chip = "\(chip)"
                        a = 0
                        b = 1
                        nozzle = \(nozzle)
                        motor = \(motor)
                        main_valve = 5
                        slow_valve = 6
                        """
                    )
                )
            )
        }

        private var variables: [String: String] { ["RUNTIME_DIRECTORY": folder.path("")] }

        private func closing() throws -> (status: Int32, lines: [String]) {
            let program = try Program(
                "greylockd",
                ["--config", folder.path("greylock.toml"), "--close-valves"],
                variables: variables
            )
            let status = program.end()
            return (status, program.lines)
        }

        @Test func linesAreOffWhileTheyAreClosedEachByItself() throws {
            let held = HeldOutputs(
                chip: chip.name,
                label: chip.label,
                lines: Self.outputs.map { HeldOutputs.Line(offset: $0, isActiveLow: $0 == 6) }
            )
            #expect(try chip.levels(Self.outputs) == [true, true, true])
            let (closed, faults) = held.close()
            #expect(faults.isEmpty)
            #expect(closed.map(\.line.offset) == Self.outputs)
            #expect(try chip.levels(Self.outputs) == [false, false, true])
            // They are another's now: none is taken from it, and each is named.
            let again = held.close()
            #expect(again.closed.isEmpty && again.faults.count == 3)
            withExtendedLifetime(closed) {}
        }

        @Test func aChipThatHasAnotherNumberNowIsFoundByItsLabel() throws {
            let held = HeldOutputs(
                chip: "gpiochip250",
                label: chip.label,
                lines: [HeldOutputs.Line(offset: 4, isActiveLow: false)]
            )
            let (closed, faults) = held.close()
            #expect(faults.isEmpty && closed.map(\.chip) == [chip.name])
            #expect(try chip.level(4) == false)
            withExtendedLifetime(closed) {}
        }

        @Test func aKilledServiceIsClosedWithoutItsConfiguration() throws {
            let path = try configuration(chip.label)
            let service = try Program("greylockd", ["--config", path], variables: variables)
            #expect(service.wait(for: "ready") != nil)
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            _ = try configuration(chip.label, motor: "four")
            let slip = try closing()
            #expect(slip.status == 0)
            #expect(slip.lines.contains { $0.contains("closed, as the service noted: lines 4, 5, 6 of \(chip.name)") })
            #expect(slip.lines.contains { $0.contains("the configuration cannot be followed: \(path):") })
            try FileManager.default.removeItem(atPath: path)
            let missing = try closing()
            #expect(missing.status == 0 && missing.lines.contains { $0.contains("lines 4, 5, 6") })
        }

        @Test func bothAreClosedWhereNoteAndConfigurationDiffer() throws {
            let held = HeldOutputs(
                chip: chip.name,
                label: chip.label,
                lines: [4, 7].map { HeldOutputs.Line(offset: $0, isActiveLow: false) }
            )
            _ = try folder.file("outputs", held.text)
            _ = try configuration(chip.label)
            let both = try closing()
            #expect(both.status == 0)
            #expect(both.lines.contains { $0.contains("as the service noted: lines 4, 7 of") })
            #expect(both.lines.contains { $0.contains("as the configuration says: lines 5, 6 of") })
        }

        @Test func nothingKnownAndAWrongConfigurationIsA78() throws {
            _ = try configuration(chip.label, motor: "four")
            #expect(try closing().status == 78)
            _ = try folder.file("outputs", "greylock outputs 1\nchip gpio")
            let torn = try closing()
            #expect(torn.status == 78 && torn.lines.contains { $0.contains("not what the service wrote") })
        }

        @Test func aChipThatComesLateIsTakenWithoutANewStart() throws {
            let path = try configuration("greylock-late")
            let service = try Program("greylockd", ["--config", path], variables: variables)
            #expect(service.wait(for: "the pump's lines are waited for: no GPIO chip greylock-late") != nil)
            let late = try SimulatedChip(label: "greylock-late")
            #expect(service.wait(for: "pump on ")?.contains("label=greylock-late") == true)
            #expect(service.wait(for: "ready") != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            withExtendedLifetime(late) {}
        }

        @Test func aLineThatTheChipDoesNotHaveIsAWrongSetting() throws {
            let path = try configuration(chip.label, nozzle: 8)
            let service = try Program("greylockd", ["--config", path], variables: variables)
            #expect(service.end() == 78)
            #expect(service.lines.contains { $0.contains("line 8") }, "\(service.lines)")
        }
    }
}
