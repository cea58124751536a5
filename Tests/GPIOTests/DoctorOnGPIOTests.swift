import Foundation
import GPIO
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// Faults of a pump's lines, each made on a chip of the kernel, found, mended as doctor says, and gone.
    @Suite("doctor: lines", .timeLimit(.minutes(10)))
    struct DoctorTests {
        private static let user = "nobody"
        private static let names = Dictionary(uniqueKeysWithValues: (0..<28).map { ($0, "GPIO\($0)") })
        private static let profile: String = {
            var folder = URL(fileURLWithPath: #filePath)
            for _ in 0..<3 { folder.deleteLastPathComponent() }
            return folder.appendingPathComponent("board/profiles/raspberry-pi-4.toml").path
        }()
        private static let label = "pinctrl-bcm2711"

        private let folder: TestFolder
        private let config: String

        init() throws {
            folder = try TestFolder()
            config = folder.path("greylock.toml")
            try configure()
        }

        private func chip(folder: String? = nil) throws -> SimulatedChip {
            try SimulatedChip(label: Self.label, lineCount: 28, folder: folder, names: Self.names)
        }

        private func configure(chip: String = label, nozzle: String = "\"GPIO22\"", more: String = "") throws {
            let lines = """
                chip = "\(chip)"
                a = "GPIO17"
                b = 27
                nozzle = \(nozzle)
                motor = "GPIO24"
                main_valve = "GPIO25"
                \(more)
                """
            _ = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal"), ""),
                    card: ServiceConfiguration.reader,
                    pump: ServiceConfiguration.gpio(lines)
                )
            )
        }

        private func look() throws -> Doctored { try Doctored(["--config", config]) }

        private func follow(_ script: String) throws {
            let run = try Run(script: script, [])
            #expect(run.status == 0, "\(run.error)")
        }

        @Test func aChipThatIsMissingForbiddenDoubleOrNamedByItsNumber() throws {
            var first: SimulatedChip? = try chip()
            try provoke("chip-missing", saw: "no GPIO chip \(Self.label)") {
                try look()
            } fault: {
                first = nil
            } mend: { _ in
                first = try chip()
            }
            let name = try #require(first?.name)
            var second: SimulatedChip?
            try provoke("chip-ambiguous") {
                try look()
            } fault: {
                second = try chip(folder: "another")
            } mend: { _ in
                second = nil
            }
            #expect(second == nil)
            try provoke("chip-by-number", saw: name) {
                try look()
            } fault: {
                try configure(chip: name)
            } mend: { finding in
                #expect(finding.mend == "name it by its label: chip = \"\(Self.label)\"")
                try configure()
            }
            let device = "/dev/\(name)"
            try follow("chgrp nogroup \(device) && chmod 660 \(device)")
            try provoke("chip-forbidden", saw: "nobody may not read and write \(device)") {
                try Doctored(["--config", config, "--user", Self.user])
            } fault: {
                try follow("chgrp root \(device)")
            } mend: { finding in
                #expect(finding.mend.contains("make the user a member of the chip's group"))
                try follow("chgrp nogroup \(device)")
            }
        }

        @Test func aLineThatIsMissingDoubleWiredTwiceOrHeld() throws {
            let names = Self.names.merging([26: "GPIO5"]) { $1 }
            let chip = try SimulatedChip(label: Self.label, lineCount: 28, names: names)
            try provoke("line-missing", saw: "perhaps GPIO22") {
                try look()
            } fault: {
                try configure(nozzle: "\"gpio_22\"")
            } mend: { _ in
                try configure()
            }
            try provoke("line-ambiguous", saw: "offsets 5, 26") {
                try look()
            } fault: {
                try configure(nozzle: "\"GPIO5\"")
            } mend: { _ in
                try configure(nozzle: "5")
            }
            try provoke("line-wired-twice", saw: "is the pulser A and the nozzle") {
                try look()
            } fault: {
                try configure(nozzle: "17")
            } mend: { _ in
                try configure()
            }
            var holder: TamperLine?
            try provoke("line-held", saw: "the nozzle, is held by \"greylock-tamper\", as an input") {
                try look()
            } fault: {
                holder = try TamperLine(TamperWiring(chip: chip.label, line: .init(.name("GPIO22"))))
            } mend: { finding in
                #expect(finding.mend.contains("end it"))
                holder = nil
            }
            #expect(holder == nil)
        }

        @Test func aPullThatTheProfileHas() throws {
            let chip = try chip()
            try configure(more: "nozzle_bias = \"pull-up\"\na_bias = \"pull-up\"\nb_bias = \"pull-up\"")
            try provoke("pull-other-than-profile", saw: "Raspberry Pi 4 Model B says pull-up") {
                try Doctored(["--config", config, "--profile", Self.profile])
            } fault: {
                try configure(more: "a_bias = \"pull-up\"\nb_bias = \"pull-up\"")
            } mend: { finding in
                #expect(finding.mend.hasPrefix("set its bias as the profile does"))
                try configure(more: "nozzle_bias = \"pull-up\"\na_bias = \"pull-up\"\nb_bias = \"pull-up\"")
            }
            #expect(chip.lineCount == 28)
        }

        /// The service has its lines and its card all the while.
        @Test func besideAServiceThatFuels() throws {
            let daemon = try CardDaemon(port: CardDaemon.freePorts())
            let chip = try chip()
            let socket = "\n[interface]\nread = \"\(folder.path("read.sock"))\"\n"
            func finish() throws {
                let file = try #require(FileHandle(forWritingAtPath: config))
                try file.seekToEnd()
                try file.write(contentsOf: Data(socket.utf8))
                try file.close()
            }
            try finish()
            let service = try Program("greylockd", ["--config", config])
            #expect(service.wait(for: "ready") != nil, "\(service.lines)")
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")]
            )
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chip.pull(22, up: true)
            #expect(service.wait(for: "valves open") != nil)
            let source = try PulseSource.turn(chip, a: 17, b: 27, cycles: 500, edgesPerSecond: 200)
            let own = Set(["chip-missing", "line-held", "reader-in-use", "side-out-of-order", "line-otherwise"])
            var rounds = 0
            while rounds < 3 {
                let beside = try look()
                #expect(own.isDisjoint(with: beside.findings.map(\.code)), "\(beside.findings)")
                rounds += 1
            }
            #expect(source.end(Patience(seconds: Patience.secondsOfRun)) == 0)
            try provoke("line-otherwise", saw: "the nozzle, is of bias as-is in the running service") {
                try look()
            } fault: {
                try configure(more: "nozzle_bias = \"pull-down\"")
                try finish()
            } mend: { finding in
                #expect(finding.mend.contains("let the service take the configuration over"))
                try configure()
                try finish()
            }
            try chip.pull(22, up: false)
            let paid = service.wait(for: "notice paid")
            // 2,000 edges of 400 a litre.
            #expect(paid?.contains("litres=5.00") == true, "\(paid ?? "")")
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            #expect(card.end() == 0)
        }
    }

    /// The same for a keypad, an input device of the kernel.
    @Suite("doctor: keypads", .timeLimit(.minutes(5)))
    struct DoctorKeypadTests {
        private let folder: TestFolder
        private let config: String

        init() throws {
            folder = try TestFolder()
            config = folder.path("greylock.toml")
        }

        private func configure(_ path: String) throws {
            _ = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal"), ""),
                    pin: ServiceConfiguration.keypad(path),
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 1)
                )
            )
        }

        private func look() throws -> Doctored { try Doctored(["--config", config, "--user", "nobody"]) }

        private func sh(_ script: String) throws {
            let run = try Run(script: script, [])
            #expect(run.status == 0, "\(run.error)")
        }

        @Test func aKeypadThatIsMissingNoneForbiddenOrHeld() throws {
            let pad = try SimulatedKeypad("doctor")
            try configure(pad.path)
            try pad.tell("plug")
            try provoke("keypad-missing", saw: "no keypad \(pad.path)") {
                try look()
            } fault: {
                try pad.tell("unplug")
            } mend: { finding in
                #expect(finding.mend.hasPrefix("plug it in"))
                try pad.tell("plug")
            }
            try provoke("keypad-unfit", saw: "is no input device") {
                try look()
            } fault: {
                try configure("/dev/null")
            } mend: { _ in
                try configure(pad.path)
            }
            try sh("chgrp nogroup \(pad.path) && chmod 640 \(pad.path)")
            try provoke("keypad-forbidden", saw: "nobody may not read") {
                try look()
            } fault: {
                try sh("chgrp root \(pad.path)")
            } mend: { finding in
                #expect(finding.mend.contains("62-greylock-keypad.rules"))
                try sh("chgrp nogroup \(pad.path)")
            }
            try provoke("keypad-held", saw: "python3 (") {
                try look()
            } fault: {
                try pad.tell("grab")
            } mend: { finding in
                #expect(finding.mend.hasPrefix("end that program"))
                try pad.tell("release")
            }
        }
    }
}
