import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// `greylock pulses` at the kernel's lines.
    @Suite(.timeLimit(.minutes(5)))
    struct PulsesOnGPIOTests {
        private enum Line {
            static let a = 0
            static let b = 1
            static let motor = 4
        }

        private let folder: TestFolder
        private let chip: SimulatedChip

        init() throws {
            folder = try TestFolder()
            chip = try SimulatedChip(label: "greylock-pulses")
        }

        private func configuration() throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    pump: ServiceConfiguration.gpio(
                        """
                        chip = "\(chip.label)"
                        a = \(Line.a)
                        b = \(Line.b)
                        nozzle = 2
                        motor = \(Line.motor)
                        main_valve = 5
                        """
                    )
                )
            )
        }

        private func generate(_ kind: String, edges: Int, rate: Int) throws -> String {
            let trace = folder.path("\(kind).trace")
            let made = try Run(
                "greylock",
                ["pulses", "generate", "--kind", kind, "--edges", "\(edges)", "--rate", "\(rate)", "--into", trace]
            )
            #expect(made.status == 0, "\(made.error)")
            return trace
        }

        private func replay(_ trace: String) throws -> [String] {
            let replayed = try Run("greylock", ["pulses", "replay", trace])
            #expect(replayed.status == 0, "\(replayed.error)")
            return replayed.output.split(separator: "\n").map(String.init)
        }

        /// Which line went which way, one edge a word.
        private func course(_ trace: String) throws -> [Substring] {
            let text = try String(contentsOfFile: trace, encoding: .utf8)
            var edges: [Substring] = []
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count == 3, let channel = fields[1].first, channel == "a" || channel == "b" else {
                    continue
                }
                edges.append(fields[1])
            }
            return edges
        }

        @Test("what the lines did is kept, and a replay of it names the fault that was put in")
        func recorded() throws {
            let generated = try generate("dead-leg", edges: 400, rate: 250)
            // Nobody's: an output that is looked at would be driven low.
            try chip.pull(Line.motor, up: true)
            let recorded = folder.path("recorded.trace")
            let recorder = try Program(
                "greylock",
                ["pulses", "record", "--config", configuration(), "--into", recorded]
            )
            #expect(recorder.wait(for: "recording side 1")?.contains(chip.label) == true)
            #expect(try chip.level(Line.motor))
            let played = try PulseSource.play(generated, [chip], a: Line.a, b: Line.b)
            #expect(played.edges == 400)
            recorder.signal(SIGINT)
            #expect(recorder.end() == 0)
            // A line that is driven to the level that it has makes no edge.
            var levels: [Character: Character] = ["a": "-", "b": "-"]
            let driven = try course(generated).filter { edge in
                guard let line = edge.first, let level = edge.last else { return false }
                return levels.updateValue(level, forKey: line) != level
            }
            #expect(try course(recorded) == driven)
            #expect(try replay(recorded).contains { $0.contains("dead-leg on") })
        }

        @Test("who has the lines is named, and a trace that is there is left as it is")
        func held() throws {
            let settings = try configuration()
            let trace = folder.path("first.trace")
            let recorder = try Program("greylock", ["pulses", "record", "--config", settings, "--into", trace])
            #expect(recorder.wait(for: "recording") != nil)
            let watch = try Run("greylock", ["pulses", "watch", "--config", settings])
            #expect(watch.status == 69)
            #expect(watch.error.contains("held by \"greylock pulses\""))
            recorder.signal(SIGTERM)
            #expect(recorder.end() == 0)
            let again = try Run("greylock", ["pulses", "record", "--config", settings, "--into", trace])
            #expect(again.status == 74)
            #expect(again.error.contains("is there already"))
        }

        @Test("a watch without a terminal says each second what turned")
        func watched() throws {
            let watch = try Program("greylock", ["pulses", "watch", "--config", configuration()], readsOutput: true)
            #expect(watch.wait(for: "still, 0 counts; margin not known yet") != nil)
            _ = try PulseSource.play(generate("clean", edges: 400, rate: 100), [chip], a: Line.a, b: Line.b)
            #expect(watch.wait(for: "forward, 400 counts; margin not known yet") != nil)
            try chip.pull(2, up: true)
            #expect(watch.wait(for: "nozzle lifted, 0 edges/s, still, 400 counts") != nil)
            watch.signal(SIGINT)
            #expect(watch.wait(for: "400 counts, 0 reverse; ")?.hasSuffix("; no faults") == true)
            #expect(watch.end() == 0)
        }
    }
}
