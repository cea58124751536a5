import Foundation
import GPIO
import Glibc
import Metering
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// `greylock lines` at the kernel's lines.
    @Suite(.timeLimit(.minutes(5)))
    struct LinesOnGPIOTests {
        private enum Line {
            static let a = 0
            static let nozzle = 2
            static let spare = 3
            static let motor = 4
            static let valve = 5
            static let driven = 6
        }

        private let folder: TestFolder
        private let chip: SimulatedChip

        init() throws {
            folder = try TestFolder()
            chip = try SimulatedChip(
                label: "greylock-lines",
                names: [0: "GPIO17", 2: "GPIO22", 3: "GPIO5", 4: "GPIO24", 5: "GPIO25"]
            )
        }

        private func configuration(_ lines: String = #"nozzle = "GPIO22""#) throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    pump: ServiceConfiguration.gpio(
                        """
                        chip = "\(chip.label)"
                        a = 0
                        b = 1
                        \(lines)
                        motor = "GPIO24"
                        main_valve = 5
                        active_low = ["nozzle"]
                        """
                    )
                )
            )
        }

        /// Holds line 6 as an output, high.
        private func driver() throws -> GPIOPumpLines {
            var wiring = GPIOWiring(chip: chip.label, pulserA: .init(offset: 7), pulserB: nil, nozzle: .init(offset: 1))
            wiring.motor = .init(offset: Line.driven)
            wiring.consumer = "heater"
            let lines = try GPIOPumpLines(wiring)
            try lines.set(.motor)
            return lines
        }

        private func rows(_ output: String) -> [[String]] {
            output.split(separator: "\n").map { line in
                line.components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
                    !$0.isEmpty
                }
            }
        }

        @Test func eachLineIsListedWithItsHolderAndItsRole() throws {
            let driver = try driver()
            let listed = try Run("greylock", ["lines", "--config", configuration()])
            #expect(listed.status == 0, "\(listed.error)")
            let rows = rows(listed.output)
            #expect(rows.first == ["\(chip.name) (\(chip.label)), 8 lines"])
            #expect(
                rows.dropFirst(2) == [
                    ["0", "GPIO17", "in", "-", "side 1 pulser A"],
                    ["1", "-", "in", "\"heater\"", "side 1 pulser B"],
                    ["2", "GPIO22", "in", "-", "side 1 nozzle, active low"],
                    ["3", "GPIO5", "in", "-", "-"],
                    ["4", "GPIO24", "in", "-", "side 1 motor"],
                    ["5", "GPIO25", "in", "-", "side 1 main valve"],
                    ["6", "-", "out", "\"heater\"", "-"],
                    ["7", "-", "in", "\"heater\"", "-"],
                ]
            )
            try driver.set([])
        }

        @Test(arguments: [
            (#"nozzle = "GPIO21""#, "has no line \"GPIO21\": perhaps GPIO22, GPIO24, GPIO25"),
            (#"nozzle = "GPIO25""#, "line 5 (GPIO25) is wired twice, as side 1 nozzle and as side 1 main valve"),
            ("nozzle = 9", "has no line 9: it has lines 0 to 7"),
        ])
        func whatDoesNotFitTheChipIsSaid(nozzle: String, reason: String) throws {
            let listed = try Run("greylock", ["lines", "--config", configuration(nozzle)])
            #expect(listed.status == 78)
            #expect(listed.error.contains(reason), "\(listed.error)")
            #expect(rows(listed.output).count == 10)
        }

        @Test func aChipThatIsNotThereIsSaidWithThoseThatAre() throws {
            let listed = try Run("greylock", ["lines", "--chip", "pinctrl-none"])
            #expect(listed.status == 69)
            #expect(listed.error.contains("name one of ") && listed.error.contains(chip.label))
        }

        @Test func theLineThatMovesIsNamedAndNoOutputIsTouched() throws {
            let driver = try driver()
            // A line that is free follows its pull: only one that somebody drives would be low.
            for line in [Line.motor, Line.valve] { try chip.pull(line, up: true) }
            try chip.pull(Line.nozzle, up: true)
            let search = try Program(
                "greylock",
                ["lines", "--config", configuration(), "--find", "--lines", "all"],
                readsOutput: true
            )
            #expect(search.wait(for: "looking at 3 lines") != nil)
            #expect(search.wait(for: "line 1: held by \"heater\"") != nil)
            #expect(search.wait(for: "line 4 (GPIO24): an output, side 1 motor") != nil)
            #expect(search.wait(for: "line 5 (GPIO25): an output, side 1 main valve") != nil)
            #expect(search.wait(for: "line 6: held by \"heater\"") != nil)
            #expect(search.wait(for: "Lift the nozzle") != nil)
            #expect(try chip.levels([Line.motor, Line.valve, Line.driven]) == [true, true, true])
            let survey = try ChipSurvey(chip: chip.label)
            #expect(survey.lines.filter { $0.holder?.name == LineWatch.consumer }.map(\.line.offset) == [0, 2, 3])

            try chip.pull(Line.nozzle, up: false)
            #expect(search.wait(for: "line 2 (GPIO22) fell: side 1 nozzle, now active") != nil)
            try chip.pull(Line.nozzle, up: true)
            #expect(search.wait(for: "line 2 (GPIO22) rose: side 1 nozzle, now inactive") != nil)
            try chip.pull(Line.spare, up: true)
            #expect(search.wait(for: "line 3 (GPIO5) rose: not wired in a configuration") != nil)
            for _ in 0..<20 {
                try chip.pull(Line.a, up: true)
                try chip.pull(Line.a, up: false)
            }
            let moved = search.wait(for: "line 0 (GPIO17) moved")
            #expect(moved?.contains("times and is low again: side 1 pulser A, now inactive") == true, "\(moved ?? "")")
            search.signal(SIGINT)
            #expect(search.end() == 0)
            #expect(try chip.level(Line.driven))
            try driver.set([])
        }

        @Test func whileSomebodyHoldsAllTheLinesHeIsNamed() throws {
            let held = GPIOWiring(
                chip: chip.label,
                pulserA: .init(offset: 0),
                pulserB: .init(offset: 1),
                nozzle: .init(offset: 2)
            )
            let lines = try GPIOPumpLines(held)
            let search = try Run("greylock", ["lines", "--config", configuration(), "--find"])
            #expect(search.status == 69)
            #expect(search.error.contains("line 2 (GPIO22): held by \"greylock\""))
            #expect(search.error.contains("systemctl stop greylockd"))
            try lines.set([])
        }

        /// Another program's output was let go, and still stands as one.
        @Test func anOutputThatNobodyHoldsIsLeftAlone() throws {
            do {
                let driver = try driver()
                try driver.set([])
            }
            let survey = try ChipSurvey(chip: chip.label)
            let state = survey.lines[Line.driven]
            #expect(state.holder == nil && state.isOutput)
            let search = try Run("greylock", ["lines", "--chip", chip.label, "--find", "--lines", "6"])
            #expect(search.status == 69)
            #expect(search.error.contains("line 6: an output"))
            #expect(try ChipSurvey(chip: chip.label).lines[Line.driven].isOutput)
        }

        @Test func aListNamesWhatIsLookedAt() throws {
            func refusal(_ list: String) throws -> String {
                let run = try Run("greylock", ["lines", "--chip", chip.label, "--find", "--lines", list])
                #expect(run.status == 64)
                return run.error
            }
            #expect(try refusal("0-8").contains("has no line 8"))
            #expect(try refusal("GPIO18").contains("perhaps GPIO17"))
            #expect(try refusal("3-1").contains("'3-1' is invalid"))
            #expect(try refusal("1,,2").contains("'1,,2' is invalid"))
            let search = try Program(
                "greylock",
                ["lines", "--chip", chip.label, "--find", "--lines", "GPIO22,3-3"],
                readsOutput: true
            )
            #expect(search.wait(for: "looking at 2 lines") != nil)
            search.signal(SIGTERM)
            #expect(search.end() == 0)
        }

        @Test func aProfileOfOtherChipsDoesNotHelp() throws {
            let profile = try folder.file(
                "other.toml",
                """
                board = "Other"
                compatible = "other"
                overlay = "other"
                [pins]
                [side.1]
                """
            )
            let wrong = try Run("greylock", ["lines", "--chip", chip.label, "--find", "--profile", profile])
            #expect(wrong.status == 78)
            #expect(wrong.error.contains("other.toml:5: side.1.chip: a text of 1 to 255 characters (found nothing)"))
        }
    }
}

/// What is told of edges, by their times alone.
struct LineMovementsTests {
    private static let nozzle = ChipLine(offset: 22, name: "GPIO22")
    private static let pulser = ChipLine(offset: 17)
    private static let millisecond: UInt64 = 1_000_000

    private func edge(_ line: ChipLine, _ rising: Bool, at milliseconds: UInt64) -> LineWatch.Edge {
        LineWatch.Edge(line: line, rising: rising, nanoseconds: milliseconds * Self.millisecond)
    }

    @Test func aSwitchThatBouncesMovesOnce() {
        var movements = LineMovements()
        for (index, time) in [10, 11, 13].enumerated() {
            movements.take(edge(Self.nozzle, !index.isMultiple(of: 2), at: UInt64(time)))
        }
        #expect(movements.told(at: 112 * Self.millisecond).isEmpty)
        let told = movements.told(at: 113 * Self.millisecond)
        #expect(told == [LineMovements.Movement(line: Self.nozzle, count: 3, isHigh: false)])
        #expect(movements.told(at: 500 * Self.millisecond).isEmpty)
    }

    @Test func aPulserThatTurnsIsToldOfEachSecond() {
        var movements = LineMovements()
        var told: [LineMovements.Movement] = []
        for time in 0..<2_500 {
            if time.isMultiple(of: 10) {
                movements.take(edge(Self.pulser, time.isMultiple(of: 20), at: UInt64(time)))
            }
            told += movements.told(at: UInt64(time) * Self.millisecond)
        }
        told += movements.told(at: 3_000 * Self.millisecond)
        #expect(told.map(\.count) == [101, 101, 48])
    }

    @Test func linesAreToldInTheOrderInWhichTheyMoved() {
        var movements = LineMovements()
        movements.take(edge(Self.pulser, true, at: 5))
        movements.take(edge(Self.nozzle, false, at: 6))
        #expect(movements.told(at: 200 * Self.millisecond).map(\.line) == [Self.pulser, Self.nozzle])
    }
}
