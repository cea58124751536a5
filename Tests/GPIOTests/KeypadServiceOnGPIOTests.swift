import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// The service with a card in a reader of pcscd, and PINs typed at a keypad of the kernel's uinput.
    @Suite(.timeLimit(.minutes(10)))
    struct KeypadServiceOnGPIOTests {
        private static let prompt = "your PIN, then Enter: "
        /// Not the card's; as long as a PIN may be.
        private static let wrong = "824671935026"

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let pad: SimulatedKeypad

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            pad = try SimulatedKeypad("service")
            try pad.tell("plug")
        }

        private func service() throws -> ProgramAtTerminal {
            let settings = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    card: ServiceConfiguration.reader,
                    pin: ServiceConfiguration.keypad(pad.path),
                    grace: 1,
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 4)
                )
            )
            return try ProgramAtTerminal("greylock", ["run", "--config", settings])
        }

        private func card() throws -> Program {
            try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")])
        }

        @Test("a sale; before it a wrong PIN, a short one, one too long, and the console's keys, which are no PIN")
        func sale() throws {
            let service = try service()
            try service.wait(for: "Insert your card.", on: .screen)
            let card = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try service.type("123456\r")
            try pad.tell("type 1234n")
            try service.wait(for: "****", on: .screen)
            try service.wait(for: "2 tries left", on: .screen)
            for (keys, answer) in [
                ("1234567890123n", "Type again: too long"), ("12n", "Type again: a PIN"), ("12xr", "only digits"),
            ] {
                try service.wait(for: Self.prompt, on: .screen)
                try pad.tell("type \(keys)")
                try service.wait(for: answer, on: .screen)
            }
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 12DEFGr")
            try service.wait(for: "notice paid", on: .log)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(!service.screen.contains("1234") && !service.log.contains("1234"))
            card.signal(SIGTERM)
            #expect(try JournalReport(journal: folder.path("journal.sqlite")).sales.map(\.phase) == ["settled"])
            // It is anybody's again.
            try pad.tell("grab")
        }

        @Test("cancelled, unplugged between two digits, missing for a card, and plugged in again: a sale")
        func unplugged() throws {
            let service = try service()
            try service.wait(for: "Insert your card.", on: .screen)
            let first = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 12e")
            try service.wait(for: "Cancelled. Take your card.", on: .screen)
            first.signal(SIGTERM)
            try service.wait(for: "Insert your card.", on: .screen)
            let second = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 123")
            try service.wait(for: "***", on: .screen)
            try pad.tell("unplug")
            try service.wait(for: "Out of order: the keypad. No PIN can be typed.", on: .screen)
            try service.wait(for: "Take your card.", on: .screen)
            second.signal(SIGTERM)
            try service.wait(for: "state=inoperative", on: .log)
            let third = try card()
            try service.wait(for: "Reading your card...", on: .screen)
            try service.wait(for: "Take your card.", on: .screen)
            third.signal(SIGTERM)
            try service.wait(for: "state=inoperative", on: .log)
            try pad.tell("plug")
            try service.wait(for: "Insert your card.", on: .screen)
            let fourth = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 123456n")
            try service.wait(for: "notice paid", on: .log)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(service.log.contains("the keypad \(pad.path) was unplugged: plug it in again"))
            fourth.signal(SIGTERM)
            #expect(try JournalReport(journal: folder.path("journal.sqlite")).sales.map(\.phase) == ["settled"])
        }

        @Test("a service that stood still has missed keys: the PIN is refused as a whole, and no try is lost")
        func stoodStill() throws {
            let service = try service()
            try service.wait(for: "Insert your card.", on: .screen)
            let card = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 12")
            try service.wait(for: "**", on: .screen)
            service.signal(SIGSTOP)
            while !ProcessReport.isStopped(service.id) { sched_yield() }
            try pad.tell("burst 2500 3")
            service.signal(SIGCONT)
            try pad.tell("type 3456n")
            try service.wait(for: "Type again: keys were lost on the way", on: .screen)
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type 123456n")
            try service.wait(for: "notice paid", on: .log)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(!service.log.contains("wrong PIN"))
            card.signal(SIGTERM)
        }

        @Test("two sides with a keypad each: what is typed at one is no other's")
        func twoSides() throws {
            let pads = [pad, try SimulatedKeypad("second")]
            try pads[1].tell("plug")
            let sides = pads.enumerated().map { index, pad in
                ServiceConfiguration.side(
                    index + 1,
                    pin: ServiceConfiguration.keypad(pad.path),
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 4)
                )
            }
            let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), sides: sides)
            let service = try Program("greylock", ["run", "--config", folder.file("greylock.toml", text)])
            var asked: Set<Substring> = []
            while asked.count < 2, let line = service.wait(for: "type your PIN") {
                asked.formUnion(["position=1", "position=2"].filter { line.contains($0) })
            }
            try pads[1].tell("type 123456")
            try pads[0].tell("type 12e")
            #expect(service.wait(for: "the customer cancelled")?.contains("position=1") == true)
            try pads[1].tell("type n")
            #expect(service.wait(for: "notice paid")?.contains("position=2") == true)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }

        @Test("killed, it has let the keypad go") func killed() throws {
            let service = try service()
            try service.wait(for: "Insert your card.", on: .screen)
            #expect(throws: (any Error).self) { try SimulatedKeypad.requireFree(pad.path) }
            service.signal(SIGKILL)
            #expect(service.end() == -SIGKILL)
            try SimulatedKeypad.requireFree(pad.path)
        }

        @Test("while it is typed the PIN is in locked memory alone, and taken, cancelled or unplugged it is nowhere")
        func traces() throws {
            let pin = SecretPatterns(pin: Self.wrong)
            let service = try service()
            try service.wait(for: "Insert your card.", on: .screen)
            let card = try card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type \(Self.wrong)")
            try service.wait(for: "************", on: .screen)
            try ProcessReport.awaitSleep(of: service.id)
            let hits = try ProcessMemory(of: service.id).search(for: [pin])
            #expect(!hits.isEmpty)
            #expect(hits.allSatisfy { $0.isInArena && $0.mapping.isLocked && $0.mapping.isLeftOutOfDumps }, "\(hits)")
            try pad.tell("type n")
            try service.wait(for: "2 tries left", on: .screen)
            try service.wait(for: Self.prompt, on: .screen)
            try expectNowhere(pin, service)
            try pad.tell("type \(Self.wrong)e")
            try service.wait(for: "Cancelled. Take your card.", on: .screen)
            try expectNowhere(pin, service)
            card.signal(SIGTERM)
            try service.wait(for: "Insert your card.", on: .screen)
            let second = try self.card()
            try service.wait(for: Self.prompt, on: .screen)
            try pad.tell("type \(Self.wrong)")
            try service.wait(for: "************", on: .screen)
            try pad.tell("unplug")
            try service.wait(for: "Out of order: the keypad.", on: .screen)
            try expectNowhere(pin, service)
            second.signal(SIGTERM)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }

        private func expectNowhere(_ pin: SecretPatterns, _ service: ProgramAtTerminal) throws {
            try ProcessReport.awaitSleep(of: service.id)
            let hits = try ProcessMemory(of: service.id).search(for: [pin])
            #expect(hits.isEmpty, "\(hits)")
        }
    }
}
