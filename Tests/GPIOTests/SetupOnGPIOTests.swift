import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// From `greylock setup` to a paid sale, on a chip with the label and the names of a Raspberry Pi's.
    @Suite(.timeLimit(.minutes(5)))
    struct SetupOnGPIOTests {
        private static let profile: String = {
            var folder = URL(fileURLWithPath: #filePath)
            for _ in 0..<3 { folder.deleteLastPathComponent() }
            return folder.appendingPathComponent("board/profiles/raspberry-pi-4.toml").path
        }()

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chip: SimulatedChip
        private let config: String

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            let names = Dictionary(uniqueKeysWithValues: (0..<28).map { ($0, "GPIO\($0)") })
            chip = try SimulatedChip(label: "pinctrl-bcm2711", lineCount: 28, names: names)
            config = folder.path("greylock.toml")
        }

        private func greylock(_ arguments: [String]) throws -> Run {
            let run = try Run("greylock", arguments)
            try #require(run.status == 0, "\(run.error)")
            return run
        }

        private func setUp() throws {
            let board = ["--config", config, "--profile", Self.profile, "--folder", folder.path(".")]
            let side = ["--grade", "92", "--price", "785", "--pin", "fixed", "--reader", "Virtual PCD"]
            let written = try greylock(["setup", "--demonstration", "--without", "emergency"] + board + side)
            #expect(
                written.output.contains("motor            GPIO24    J8 pin 18   out, active high, 10 kilohm to ground")
            )
            #expect(!written.output.contains("emergency"))
            let meter = try folder.file(
                "meter.toml",
                """
                [side.1.pump]
                meter_serial = "M-1"
                pulser_serial = "P-1"
                pulses_per_litre = 100
                channels = 2
                security = "alarm"
                """
            )
            let people = ["--name", "Li", "--second", "Wang", "--reason", "first"]
            _ = try greylock(["parameters", "import", meter, "--config", config] + people)
        }

        @Test func itsFileSellsByTheLinesOfTheProfile() throws {
            try setUp()
            let valves = [24, 25, 16]
            let service = try Program("greylockd", ["--config", config])
            #expect(
                service.wait(for: "pump on \(chip.name)")?.contains(
                    "pulser A 17 (GPIO17), pulser B 27 (GPIO27), nozzle 22 (GPIO22), motor 24 (GPIO24), main valve 25 (GPIO25), slow-flow valve 16 (GPIO16)"
                ) == true
            )
            #expect(service.wait(for: "ready") != nil)
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")]
            )
            #expect(service.wait(for: "lift the nozzle") != nil)
            let listed = try greylock(["lines", "--config", config])
            #expect(listed.output.contains("22  GPIO22  in         \"greylock\"  side 1 nozzle, active low, pull-up"))
            #expect(try chip.levels(valves) == [false, false, false])
            try chip.pull(22, up: false)
            #expect(service.wait(for: "valves open") != nil)
            #expect(try chip.levels(valves) == [true, true, true])
            // It counts on what the pull-ups of the profile left.
            let source = try PulseSource.turn(chip, a: 17, b: 27, cycles: 200, edgesPerSecond: 500)
            #expect(source.end(Patience(seconds: Patience.secondsOfRun)) == 0)
            try chip.pull(22, up: true)
            let paid = service.wait(for: "notice paid")
            #expect(paid?.contains("litres=2.00") == true, "\(paid ?? "")")
            #expect(try chip.levels(valves) == [false, false, false])
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            #expect(card.end() == 0)
        }
    }
}
