import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// One thread of the service held in mid-flow, as in `FrozenLoopsTests`; the valves are looked at from outside.
    @Suite(.timeLimit(.minutes(10)), .enabled(if: HeldThread.isPossible, Comment(rawValue: HeldThread.reasonToSkip)))
    struct FrozenLoopsOnGPIOTests {
        private enum Line {
            static let (a, b, nozzle) = (0, 1, 2)
            static let outputs = [4, 5, 6]
        }

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chip: SimulatedChip
        private let socket: NotifySocket

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            chip = try SimulatedChip(label: "greylock-frozen")
            socket = try NotifySocket(path: folder.path("notify"))
        }

        private func service(_ program: String = "greylockd", pin: String = "fixed", pump: String) throws -> Program {
            let text = ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                card: ServiceConfiguration.reader,
                pin: pin,
                pump: pump
            )
            let settings = try folder.file("greylock.toml", text)
            let verb = program == "greylock" ? ["run"] : []
            return try Program(program, verb + ["--config", settings], variables: socket.variables)
        }

        private func service() throws -> Program {
            let lines = """
                chip = "\(chip.label)"
                a = \(Line.a)
                b = \(Line.b)
                nozzle = \(Line.nozzle)
                motor = \(Line.outputs[0])
                main_valve = \(Line.outputs[1])
                slow_valve = \(Line.outputs[2])
                debounce_milliseconds = 1
                """
            return try service(pump: ServiceConfiguration.gpio(preset: 5_000, lines))
        }

        private func card() throws -> Program {
            try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")])
        }

        /// Looked at until the outputs are off.
        private func outputsGoOff() throws -> Bool {
            let patience = Patience()
            while try chip.levels(Line.outputs).contains(true) {
                guard patience.milliseconds > 0 else { return false }
                sched_yield()
            }
            return true
        }

        /// - Returns: the service, 2 L after the valves opened, with one thread held and 3 L more on their way; the chip's levels.
        private func sell(holding thread: String) throws -> (Program, HeldThread, StartedProcess) {
            let service = try service()
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chip.pull(Line.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            let first = try PulseSource.turn(chip, a: Line.a, b: Line.b, cycles: 200, edgesPerSecond: 400)
            #expect(first.end() == 0)
            #expect(service.wait(litres: 1) != nil)
            #expect(try chip.levels(Line.outputs) == [true, true, true])
            socket.drain()
            let held = try HeldThread(thread, of: service.id)
            return (service, held, try PulseSource.turn(chip, a: Line.a, b: Line.b, cycles: 300, edgesPerSecond: 400))
        }

        private func settled(_ service: Program, _ card: Program) throws {
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            #expect(try outputsGoOff())
            try chip.pull(Line.nozzle, up: false)
            let next = try self.service()
            #expect(next.wait(for: "notice paid")?.contains("settles-ttc=1") == true)
            next.signal(SIGTERM)
            #expect(next.end() == 0)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader")?.contains("grey") == false)
            let report = try JournalReport(journal: folder.path("journal.sqlite"))
            #expect(report.sales.map(\.phase) == ["escaped", "settled"])
            #expect(report.sales.first?.amountFen == report.sales.last?.amountFen)
            #expect(report.sales.first.map { $0.volumeMicrolitres >= 1_500_000 } == true)
        }

        @Test("the side's thread held: the pump closes by itself at the checkpoint that does not come")
        func side() throws {
            let card = try card()
            let (service, held, fuel) = try sell(holding: "side-1")
            #expect(try outputsGoOff())
            // It was no stop action: the unit has not missed anything yet.
            #expect(socket.next(milliseconds: 1_000) == "WATCHDOG=1")
            let waited = try #require(socket.awaitEndOfSigns(seconds: 30))
            print(
                "side-1 held: outputs off by the pump itself, no sign of life after \(String(format: "%.1f", waited)) s"
            )
            withExtendedLifetime(held) {}
            #expect(fuel.end() == 0)
            try settled(service, card)
        }

        @Test("the pump's thread held: nobody in the process can close, and the unit is told at once")
        func pump() throws {
            let card = try card()
            let (service, held, fuel) = try sell(holding: "pump-1")
            let waited = try #require(socket.awaitEndOfSigns(seconds: 10))
            print("pump-1 held: no sign of life after \(String(format: "%.1f", waited)) s")
            #expect(waited < 2.5)
            #expect(try chip.levels(Line.outputs) == [true, true, true])
            // What flows on is the next start's, and no part of the sale.
            fuel.signal(SIGKILL)
            #expect(fuel.end() == -SIGKILL)
            try settled(service, card)
            withExtendedLifetime(held) {}
        }

        @Test("the keypad's thread held")
        func keypad() throws {
            let pad = try SimulatedKeypad("frozen")
            try pad.tell("plug")
            let service = try service(
                "greylock",
                pin: ServiceConfiguration.keypad(pad.path),
                pump: ServiceConfiguration.simulated(centilitres: 500, speed: 4)
            )
            #expect(service.wait(for: "insert your card") != nil)
            socket.drain()
            let held = try HeldThread("keypad", of: service.id)
            let waited = try #require(socket.awaitEndOfSigns(seconds: 30))
            print("keypad held: no sign of life after \(String(format: "%.1f", waited)) s")
            #expect(waited < 11)
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            withExtendedLifetime(held) {}
        }
    }
}
