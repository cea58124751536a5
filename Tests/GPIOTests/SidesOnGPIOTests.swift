import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// One service with three sides: a reader of one pcscd and a chip of lines each.
    @Suite(.timeLimit(.minutes(5)))
    struct SidesOnGPIOTests {
        private static let nozzle = 2
        private static let outputs = [4, 5, 6]

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chips: [SimulatedChip]

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts(), third: "Third PCD")
            chips = try (1...3).map { try SimulatedChip(label: "greylock-side-\($0)") }
        }

        private func configuration() throws -> String {
            let readers = ["Virtual PCD 00 00", "Virtual PCD 00 01", "Third PCD"]
            let sides = zip(chips, readers).enumerated().map { index, edges in
                ServiceConfiguration.side(
                    index + 1,
                    card: "kind = \"pcsc\", reader = \"\(edges.1)\"",
                    pump: ServiceConfiguration.gpio(
                        preset: 2_000,
                        """
                        chip = "\(edges.0.label)"
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
            }
            let text = ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), grace: 1, sides: sides)
            return try folder.file("greylock.toml", text)
        }

        /// A new card of the side's own number.
        private func makeCard(_ side: Int) throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let sample = try String(contentsOf: root.appendingPathComponent("board/card.toml"), encoding: .utf8)
            let profile = try folder.file("card-\(side).toml", sample.replacing("0000 0043", with: "0000 004\(side)"))
            let made = try Run(
                "greylock",
                ["card", "new", "--profile", profile, "--state", folder.path("card-\(side)")]
            )
            #expect(made.status == 0, "\(made.error)")
        }

        private func insertCard(_ side: Int) throws -> Program {
            try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(Int(daemon.port) + side - 1)", "--state", folder.path("card-\(side)")]
            )
        }

        /// Turns the pulsers at once and returns when they have stood still.
        private func turn(_ chips: [SimulatedChip], cycles: Int) throws {
            let sources = try chips.map { try PulseSource.turn($0, a: 0, b: 1, cycles: cycles, edgesPerSecond: 500) }
            for source in sources { #expect(source.end(Patience(seconds: Patience.secondsOfRun)) == 0) }
        }

        /// Three sales at once, each at 3 L of its preset of 20 L, 23.55 yuan of 157.00.
        private func begin() throws -> (service: Program, cards: [Program]) {
            let service = try Program("greylockd", ["--config", configuration()])
            #expect(service.wait(for: "ready") != nil)
            for side in 1...3 { try makeCard(side) }
            let cards = try (1...3).map(insertCard)
            for _ in 1...3 { #expect(service.wait(for: "lift the nozzle") != nil) }
            for chip in chips { try chip.pull(Self.nozzle, up: true) }
            for _ in 1...3 { #expect(service.wait(for: "valves open") != nil) }
            for chip in chips { #expect(try chip.levels(Self.outputs) == [true, true, true]) }
            try turn(chips, cycles: 300)
            return (service, cards)
        }

        /// The first side sells to its preset, whatever became of the others.
        private func sellOn(_ service: Program) throws {
            #expect(try chips[0].levels(Self.outputs) == [true, true, true])
            try turn([chips[0]], cycles: 1_700)
            #expect(service.wait(for: "notice paid")?.contains("yuan=157.00") == true)
        }

        private func takeOut(_ card: Program) throws -> String {
            card.signal(SIGTERM)
            return try #require(card.wait(for: "is out of the reader"))
        }

        private func expect(sales: [String], grey: [String]) throws {
            let report = try JournalReport(journal: folder.path("journal.sqlite"))
            #expect(report.sales.map { "\($0.phase) \($0.amountFen)" }.sorted() == sales)
            #expect(Set(report.sales.map(\.ttc)).count == sales.count)
            #expect(report.greyRecords.map { "\($0.state) \($0.amountFen)" }.sorted() == grey)
        }

        @Test("three sales at once: one card is pulled, one pump fails, and each amount is right to the fen")
        func three() throws {
            let (service, cards) = try begin()
            cards[2].signal(SIGKILL)
            #expect(service.wait(for: "is not paid: the card is locked")?.contains("23.55") == true)
            try chips[1].unplug()
            #expect(service.wait(for: "notice paid")?.contains("yuan=23.55") == true)
            try sellOn(service)
            service.signal(SIGTERM)
            // Nobody switched off the outputs of the chip that went.
            #expect(service.end() == 74)
            #expect(service.lines.contains { $0.contains("the pump's lines are waited for") })

            for (card, balance) in zip(cards, ["balance 343.00 yuan", "balance 476.45 yuan"]) {
                let out = try takeOut(card)
                #expect(out.contains(balance) && !out.contains("grey"))
            }
            let pulled = try insertCard(3)
            #expect(pulled.wait(for: "is in the reader")?.contains("balance 500.00 yuan, grey") == true)
            try expect(sales: ["escaped 2355", "settled 15700", "settled 2355"], grey: ["open 2355"])
        }

        @Test("three sales at once: one card is pulled, one reader goes and comes back: each amount is right")
        func readerGone() throws {
            let (service, cards) = try begin()
            try daemon.setThirdReaderGone(true)
            #expect(service.wait(for: #"the card reader "Third PCD 00 00" does not work"#) != nil)
            #expect(service.wait(for: "is not paid: the card is locked")?.contains("23.55") == true)
            #expect(try chips[2].levels(Self.outputs) == [false, false, false])
            cards[1].signal(SIGKILL)
            #expect(service.wait(for: "is not paid: the card is locked")?.contains("23.55") == true)
            #expect(try chips[1].levels(Self.outputs) == [false, false, false])
            try sellOn(service)

            try chips[2].pull(Self.nozzle, up: false)
            try daemon.setThirdReaderGone(false)
            #expect(service.wait(for: "notice paid")?.contains("yuan=23.55") == true)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            for (card, balance) in [(cards[0], "balance 343.00 yuan"), (cards[2], "balance 476.45 yuan")] {
                let out = try takeOut(card)
                #expect(out.contains(balance) && !out.contains("grey"))
            }
            let pulled = try insertCard(2)
            #expect(pulled.wait(for: "is in the reader")?.contains("balance 500.00 yuan, grey") == true)
            try expect(
                sales: ["escaped 2355", "escaped 2355", "settled 15700", "settled 2355"],
                grey: ["open 2355", "settled 2355"]
            )
        }

        /// - Parameter unit: the folder that systemd makes for the service.
        private func serveThree(unit: String = "") throws -> Program {
            let service = try Program(
                "greylockd",
                ["--config", configuration()],
                variables: unit.isEmpty ? [:] : ["RUNTIME_DIRECTORY": unit]
            )
            for _ in 1...3 { #expect(service.wait(for: "ready") != nil) }
            return service
        }

        private func sellAtFirst(_ service: Program) throws -> Program {
            try makeCard(1)
            let card = try insertCard(1)
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chips[0].pull(Self.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            try turn([chips[0]], cycles: 300)
            try chips[0].pull(Self.nozzle, up: false)
            #expect(service.wait(for: "notice paid")?.contains("yuan=23.55") == true)
            return card
        }

        /// The stop action could not switch them off.
        @Test("a side whose outputs cannot be noted closes, and the others sell")
        func outputsThatCannotBeNoted() throws {
            let unit = folder.path("unit")
            try FileManager.default.createDirectory(atPath: unit, withIntermediateDirectories: false)
            let service = try serveThree(unit: unit)
            try chips[1].unplug()
            #expect(service.wait(for: "out of order: the pump's lines are waited for") != nil)
            let noted = try String(contentsOfFile: "\(unit)/outputs", encoding: .utf8)

            let obstacle = "\(unit)/outputs.greylock-draft"
            try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
            let again = try SimulatedChip(label: chips[1].label, folder: "greylock-side-2-again")
            #expect(service.wait(for: "which outputs are held could not be noted")?.contains("position=2") == true)
            let card = try sellAtFirst(service)
            #expect(try again.levels(Self.outputs) == [false, false, false])
            #expect(try String(contentsOfFile: "\(unit)/outputs", encoding: .utf8) == noted)

            try FileManager.default.removeItem(atPath: obstacle)
            #expect(service.wait(for: "ready")?.contains("position=2") == true)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(try takeOut(card).contains("balance 476.45 yuan"))
        }

        @Test("a side whose chip's label two others have closes, and the others sell")
        func twoChipsOfOneLabel() throws {
            let service = try serveThree()
            let others = try (1...2).map { try SimulatedChip(label: chips[2].label, folder: "greylock-other-\($0)") }
            try chips[2].unplug()
            #expect(service.wait(for: "several GPIO chips have the label")?.contains("position=3") == true)
            let card = try sellAtFirst(service)

            try others[1].unplug()
            #expect(service.wait(for: "ready")?.contains("position=3") == true)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            #expect(try takeOut(card).contains("balance 476.45 yuan"))
        }
    }
}
