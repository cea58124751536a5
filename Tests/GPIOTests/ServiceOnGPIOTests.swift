import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// The service with both real edges: pcscd with the virtual card in it, and the kernel's GPIO lines.
    @Suite(.timeLimit(.minutes(5)))
    struct ServiceOnGPIOTests {
        private enum Line {
            static let a = 0
            static let b = 1
            static let nozzle = 2
            static let motor = 4
            static let mainValve = 5
            static let slowValve = 6
            static let outputs = [motor, mainValve, slowValve]
        }

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chip: SimulatedChip
        private var journal: String { folder.path("journal.sqlite") }

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            chip = try SimulatedChip(label: "greylock-service")
        }

        private func configuration(chip: String? = nil, _ further: String = "") throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (journal, ""),
                    card: ServiceConfiguration.reader,
                    pump: ServiceConfiguration.gpio(
                        preset: 2_000,
                        """
                        chip = "\(chip ?? self.chip.label)"
                        a = \(Line.a)
                        b = \(Line.b)
                        nozzle = \(Line.nozzle)
                        motor = \(Line.motor)
                        main_valve = \(Line.mainValve)
                        slow_valve = \(Line.slowValve)
                        debounce_milliseconds = 1
                        \(further)
                        """
                    )
                )
            )
        }

        private func card() throws -> Program {
            try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")]
            )
        }

        /// Turns the pulser and returns when it has stood still.
        private func turn(cycles: Int) throws {
            let source = try PulseSource.turn(chip, a: Line.a, b: Line.b, cycles: cycles, edgesPerSecond: 1_500)
            #expect(source.end(Patience(seconds: Patience.secondsOfRun)) == 0)
        }

        /// The kernel tells nobody of an output's level; it is looked at until it is so, for ten seconds at most.
        private func comesToPass(_ condition: () throws -> Bool) throws -> Bool {
            let deadline = Date(timeIntervalSinceNow: 10)
            while try !condition() {
                guard Date() < deadline else { return false }
                sched_yield()
            }
            return true
        }

        @Test("20 L at 100 pulses per litre: litres exact, slow flow before the preset, valve closed at it")
        func refuel() throws {
            let service = try Program("greylockd", ["--config", configuration()])
            #expect(service.wait(for: "ready") != nil)
            #expect(try chip.levels(Line.outputs) == [false, false, false])
            let card = try card()
            #expect(service.wait(for: "lift the nozzle") != nil)
            #expect(try chip.levels(Line.outputs) == [false, false, false])
            try chip.pull(Line.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            #expect(try chip.levels(Line.outputs) == [true, true, true])

            // 19.6 L: past the slow-flow point, short of the preset.
            try turn(cycles: 1_960)
            #expect(try comesToPass { try chip.levels(Line.outputs) == [true, false, true] })
            try turn(cycles: 40)
            let paid = service.wait(for: "notice paid")
            #expect(try chip.levels(Line.outputs) == [false, false, false])
            #expect(paid?.contains("litres=20.00") == true)
            #expect(paid?.contains("yuan=157.00") == true)
            #expect(paid?.contains("mac4=valid") == true)

            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader")?.contains("balance 343.00 yuan") == true)
            let report = try JournalReport(journal: journal)
            #expect(report.sales.map(\.counts) == [[8_000]])
            // What time alone shows is this board's processor, away for some edges; it is judged on a board with a clock of
            // its own (PulsePathOnGPIOTests).
            let ofTime = ["gaps in the flow", "noise", "too fast", "both channels together"]
            #expect(try faults().filter { fault in !ofTime.contains { fault.key.hasPrefix($0) } } == [:])
            #expect(report.sales.map(\.volumeMicrolitres) == [20_000_000])
        }

        @Test("a chip's number is warned of; its label is in the log, and each input has its bias")
        func chipAndBias() throws {
            let settings = try configuration(
                chip: "/dev/\(chip.name)",
                "a_bias = \"pull-up\"\nb_bias = \"pull-up\"\nemergency = 3\nemergency_bias = \"pull-up\""
            )
            let service = try Program("greylockd", ["--config", settings])
            #expect(service.wait(for: "pump on \(chip.name)")?.contains("label=\(chip.label)") == true)
            #expect(service.wait(for: "may be another chip")?.contains(chip.label) == true)
            // Nothing is at the emergency line's other end: its wire is cut.
            #expect(service.wait(for: "EMERGENCY STOP") != nil)
            #expect(try chip.levels([Line.a, Line.b, 3, Line.nozzle]) == [true, true, true, false])
            try chip.pull(3, up: false)
            #expect(service.wait(for: "the emergency stop is released") != nil)
            #expect(service.wait(for: "insert your card") != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }

        /// The queue holds 1,024 edges: of 3,000 that come meanwhile the last ones are counted, and the numbers of the
        /// others show that they are missing.
        @Test(
            "stopped by a signal for longer than the queue holds: closed at once, and the record says from when to when"
        )
        func frozen() throws {
            let settings = try configuration()
            let service = try Program("greylockd", ["--config", settings])
            let card = try card()
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chip.pull(Line.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            try turn(cycles: 50)
            service.signal(SIGSTOP)
            // 3,000 edges at 1,500 a second take two seconds.
            try turn(cycles: 750)
            #expect(try chip.levels(Line.outputs) == [true, true, true])
            service.signal(SIGCONT)
            #expect(service.wait(for: "stood still for") != nil)
            #expect(try comesToPass { try chip.levels(Line.outputs) == [false, false, false] })
            #expect(service.wait(for: "notice paid") != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            let report = try JournalReport(journal: journal)
            let counts = try #require(report.sales.first?.counts.first)
            // Around the gap one count of each line may be missing.
            #expect((1_220...1_224).contains(counts))
            // Where this board's processor was away between two of them, edges of both lines come closer than a shaft turns.
            let faults = try #require(report.sales.first?.pulserFaults)
            #expect((1_976...1_980).contains(faults))
            #expect(try lostEdges() == 1_976)
        }

        /// As the kernel's numbers show them, since the journal was begun.
        private func lostEdges() throws -> Int {
            try faults().filter { $0.key.hasPrefix("sequence gaps") }.values.reduce(0, +)
        }

        /// By kind, since the journal was begun.
        private func faults() throws -> [String: Int] {
            struct Report: Decodable {
                struct Position: Decodable { let pulserFaults: Faults }
                struct Faults: Decodable { let kinds: [String: Int] }
                let positions: [Position]
            }
            let run = try Run("greylock", ["position", "--config", folder.path("greylock.toml"), "--json"])
            let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
            return try #require(report.positions.first).pulserFaults.kinds
        }

        @Test("killed in mid-fuelling: the valves close, and the sale is settled from the journal")
        func killed() throws {
            let settings = try configuration()
            let service = try Program("greylockd", ["--config", settings])
            let card = try card()
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chip.pull(Line.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            try turn(cycles: 500)
            #expect(service.wait(litres: 4) != nil)
            #expect(try chip.levels(Line.outputs) == [true, true, true])
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            #expect(try chip.levels(Line.outputs) == [false, false, false])

            let restarted = try Program("greylockd", ["--config", settings])
            #expect(restarted.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            restarted.signal(SIGTERM)
            #expect(restarted.end() == 0)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader")?.contains("grey") == false)
            let counts = try #require(try JournalReport(journal: journal).sales.first?.counts.first)
            #expect((1_800...2_000).contains(counts))
        }
    }
}
