import Foundation
import Glibc
import Metering
import Parameters
import Quantities
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// `greylock calibrate` at the kernel's lines: a script answers, the nozzle and the pulser are moved from outside.
    @Suite(.timeLimit(.minutes(5)))
    struct CalibrateOnGPIOTests {
        private static let nozzle = 2
        private static let outputs = [4, 5, 6]
        /// So few that a busy board keeps the flow.
        private static let pulsesPerLitre = 5
        /// Of 2 L.
        private static let cycles = 10

        private let folder: TestFolder
        private let chip: SimulatedChip

        init() throws {
            folder = try TestFolder()
            chip = try SimulatedChip(label: "greylock-calibrate")
        }

        private func configuration(_ name: String = "greylock", card: String = #"kind = "virtual""#) throws -> String {
            try folder.file(
                "\(name).toml",
                ServiceConfiguration.text(
                    journal: (folder.path("\(name).sqlite"), ""),
                    card: card,
                    meter: Self.meter,
                    pump: ServiceConfiguration.gpio(
                        """
                        chip = "\(chip.label)"
                        a = 0
                        b = 1
                        nozzle = \(Self.nozzle)
                        motor = 4
                        main_valve = 5
                        slow_valve = 6
                        debounce_milliseconds = 1
                        """
                    )
                )
            )
        }

        /// So little slow flow that 2 L are a run.
        private static var meter: MeterParameters {
            MeterParameters(
                meterSerial: "M-1",
                pulserSerial: "P-1",
                pulser: .quadrature(.alarm),
                pulsesPerLitre: pulsesPerLitre,
                points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)],
                litresPerMinute: 5...200,
                minimumQuantity: Volume(centilitres: 200),
                reverseCentilitresMax: 20,
                pulserFaultsMax: 10,
                slowFlow: Volume(centilitres: 20)
            )
        }

        /// Each run fills 2.004 L, wherever it comes: one whose flow a busy board did not keep is run again.
        private func script(end: String) throws -> String {
            func prover(_ number: Int) -> String {
                """
                [prover.\(number)]
                volume = "2"
                serial = "V-\(number)"
                certificate = "C-\(number)"
                expires = "2099-12-31"
                wetting = 0
                drip = 0
                """
            }
            let readings = (1...90).map { _ in "\"2.004\"" }.joined(separator: ", ")
            return try folder.file(
                "script.toml",
                """
                technician = "Zhang"
                station = "North"
                rates = "50 25"
                pulses_per_litre = "4 6"
                end = "\(end)"
                reading = [\(readings)]
                apply = "yes"
                second = "Wang"
                confirmed = "yes"
                \(prover(1))
                \(prover(2))
                [conditions]
                air = "21"
                [temperature]
                meter = "20"
                prover = "20"
                [override]
                uncertainty-too-large = "2 L are little"
                """
            )
        }

        private var variables: [String: String] { ["RUNTIME_DIRECTORY": folder.path("")] }

        private func begin(_ config: String, end: String = "preset", _ more: String...) throws -> Program {
            let session = folder.path("session")
            let command = ["calibrate", "--config", config, "--session", session, "--script", try script(end: end)]
            return try Program("greylock", command + more, readsOutput: true, variables: variables)
        }

        /// The kernel tells nobody of an output's level; it is looked at until it is so, for ten seconds at most.
        private func comesToPass(_ levels: [Bool]) throws -> Bool {
            let patience = Patience(seconds: 10)
            while try chip.levels(Self.outputs) != levels {
                guard patience.milliseconds > 0 else { return false }
                sched_yield()
            }
            return true
        }

        /// Lifts the nozzle where the tool asks for it, and turns the pulser as fast as it asks for.
        ///
        /// - Returns: false at the tool's end.
        private func deliver(_ tool: Program, cycles: Int = Self.cycles) throws -> Bool {
            guard let line = tool.wait(for: "Lift the nozzle and deliver 2.000 L at ") else { return false }
            let asked = line.firstMatch(of: #/at (\d+) L/#)?.output.1
            let rate = try #require(asked.flatMap { Int($0) })
            #expect(try chip.levels(Self.outputs) == [false, false, false])
            try chip.pull(Self.nozzle, up: true)
            #expect(try comesToPass([true, true, true]))
            _ = try PulseSource.play(trace(cycles: cycles, litresPerMinute: rate), [chip], a: 0, b: 1)
            return true
        }

        /// Of the flow, as the pulse source plays it: each edge at its own time, so that a board that was late keeps the mean.
        private func trace(cycles: Int, litresPerMinute: Int) throws -> String {
            let step = 60_000_000_000 / (litresPerMinute * 4 * Self.pulsesPerLitre)
            let edges = (0..<4 * cycles).map { edge in
                "\(edge * step) \(edge % 2 == 0 ? "a" : "b")\(edge % 4 < 2 ? "+" : "-")\n"
            }
            return try folder.file("flow.trace", edges.joined())
        }

        private func hangUp() throws { try chip.pull(Self.nozzle, up: false) }

        private func runAll(_ tool: Program) throws {
            while try deliver(tool) {
                try hangUp()
                #expect(try comesToPass([false, false, false]))
            }
        }

        @Test("preset deliveries over the lines to new factors under seal")
        func calibrated() throws {
            let config = try configuration()
            let tool = try begin(config)
            try runAll(tool)
            #expect(tool.end() == 0)
            #expect(tool.lines.contains { $0.contains("under seal as version 2") }, "\(tool.lines)")
            let sales = try JournalReport(journal: folder.path("greylock.sqlite")).sales
            #expect(sales.count >= 9)
            #expect(sales.allSatisfy { $0.kind == "test" && $0.counts.reduce(0, +) == 4 * Self.cycles })
        }

        @Test("free deliveries over the lines, judged by the display, and nothing is changed")
        func verified() throws {
            let config = try configuration()
            let before = try folder.bytes("greylock.sqlite-parameters")
            let tool = try begin(config, end: "free", "--verify-only")
            try runAll(tool)
            #expect(tool.end() == 0)
            #expect(tool.lines.contains { $0.contains("nothing was changed") }, "\(tool.lines)")
            #expect(try folder.bytes("greylock.sqlite-parameters") == before)
        }

        @Test("killed in mid-flow: the valves close, and the next start says what is kept and opens nothing by itself")
        func killed() throws {
            let config = try configuration()
            let tool = try begin(config)
            #expect(try deliver(tool))
            try hangUp()
            #expect(tool.wait(for: "Run 1 ") != nil)
            #expect(try deliver(tool, cycles: Self.cycles / 4))
            #expect(try chip.levels(Self.outputs) == [true, true, true])
            tool.signal(SIGKILL)
            #expect(tool.end() == -SIGKILL)
            #expect(try chip.levels(Self.outputs) == [false, false, false])
            let closing = try Program(
                "greylockd",
                ["--config", folder.path("nothing"), "--close-valves"],
                variables: variables
            )
            #expect(closing.end() == 0)
            #expect(closing.lines.contains { $0.contains("closed, as the service noted: lines 4, 5, 6 of") })

            let next = try begin(config)
            #expect(next.wait(for: "1 run is kept") != nil)
            #expect(next.wait(for: "Hang up the nozzle first") != nil)
            #expect(try chip.levels(Self.outputs) == [false, false, false])
            try hangUp()
            #expect(next.wait(for: "Lift the nozzle") != nil)
            next.signal(SIGTERM)
            #expect(next.end() == 1)
            let counts = try JournalReport(journal: folder.path("greylock.sqlite")).sales.map { $0.counts.reduce(0, +) }
            #expect(counts.prefix(1) == [4 * Self.cycles])
            // Of the second the rows say what they could before the death.
            #expect((0...Self.cycles).contains(try #require(counts.dropFirst().first)))
        }

        @Test("a service on the same lines is named, with its journal and with another")
        func held() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            try withExtendedLifetime(daemon) {
                let config = try configuration(card: ServiceConfiguration.reader)
                let service = try Program("greylockd", ["--config", config])
                #expect(service.wait(for: "ready") != nil)
                let session = folder.path("session")
                for (config, status, words) in [
                    (config, 74, "if the service runs, stop it first"),
                    (try configuration("other"), 69, "is held by \"greylock"),
                ] {
                    let command = ["calibrate", "--config", config, "--session", session]
                    let run = try Run("greylock", command + ["--script", try script(end: "preset")])
                    #expect(run.status == status)
                    #expect(run.error.contains(words), "\(run.error)")
                }
                #expect(!FileManager.default.fileExists(atPath: session))
                service.signal(SIGTERM)
                #expect(service.end() == 0)
            }
        }
    }
}
