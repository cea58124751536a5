import CardApplication
import Dispatch
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Records
import Synchronization
import TestFolders
import TestPrograms
import Testing
import VirtualCards

/// A demonstration card that takes a command of one kind and never answers it.
private final class MuteCard: Sendable {
    private let connection: VirtualReaderConnection
    private let isMute = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(port: UInt16, at instruction: Instruction?) throws {
        let image = DemonstrationCard.image()
        let card = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image))
        let connection = try VirtualReaderConnection.connect(port: port)
        self.connection = connection
        let slot = Slot(card, instruction, isMute, released)
        Thread.detachNewThread { [ended] in
            // A reader that the service has left in mid-command breaks off, as it does for a pulled card.
            do { try connection.serve(slot, over: .t1) } catch {}
            ended.signal()
        }
    }

    /// Returns when the card has been asked what it does not answer.
    func waitUntilMute() throws { try isMute.wait(for: "the command that the card does not answer") }

    /// Takes the card out.
    func pull() throws {
        connection.stop()
        released.signal()
        try ended.wait(for: "the end of the mute card")
        ended.signal()
    }

    private final class Slot: PoweredCard, @unchecked Sendable {
        private let card: VirtualCard<VolatileCardMemory>
        private let mute: Instruction?
        private let isMute: DispatchSemaphore
        private let released: DispatchSemaphore

        init(
            _ card: consuming VirtualCard<VolatileCardMemory>,
            _ mute: Instruction?,
            _ isMute: DispatchSemaphore,
            _ released: DispatchSemaphore
        ) {
            self.card = card
            self.mute = mute
            self.isMute = isMute
            self.released = released
        }

        func reset() { card.reset() }

        func respond(to command: Span<UInt8>) -> ResponseAPDU {
            let instruction: Instruction?
            do { instruction = try Instruction(CommandLayout(parsing: command).header) } catch { instruction = nil }
            if let mute, instruction == mute {
                isMute.signal()
                released.wait()
                released.signal()
                return ResponseAPDU()
            }
            return card.respond(to: command)
        }
    }
}

extension WithPCSCD {
    /// SIGTERM in every state of the service, over a real pcscd.
    ///
    /// The table of `stopInEveryState` is printed. What it says of the valves is what the pump's own thread published in the log;
    /// where nobody reads the log, nothing outside sees the valves of a simulated pump, and the end alone is measured.
    @Suite(.timeLimit(.minutes(5)))
    struct ServiceStopTests {
        enum State: String, CaseIterable, Sendable {
            case idle
            case pin = "PIN asked for"
            case muteAtSelect = "mute card, at SELECT"
            case muteAtLock = "mute card, at the lock"
            case flowing = "fuel flows"
            case flowingUnread = "fuel flows, nobody reads"
            case cardAway = "waits for its card"
            case muteAtDebit = "settling, mute card"
            case diskHangs = "fuel flows, disk hangs"
        }

        private static let limitSeconds = 2.0
        private let folder: TestFolder
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func service(environment: [String] = [], centilitres: Int = 3_000) throws -> ProgramAtTerminal {
            let configuration = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    card: ServiceConfiguration.reader,
                    pin: "terminal",
                    pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: 2)
                )
            )
            return try ProgramAtTerminal("greylock", ["run", "--config", configuration], environment: environment)
        }

        private func typePIN(_ service: ProgramAtTerminal) throws {
            try service.wait(for: "then Enter: ", on: .screen)
            try service.type("123456\r")
        }

        private func sell(_ service: ProgramAtTerminal) throws {
            try typePIN(service)
            try service.wait(for: "L, ", on: .log)
            try service.wait(for: "L, ", on: .log)
        }

        /// - Returns: the service in the state, and the card that is in the reader.
        private func reach(_ state: State) throws -> (ProgramAtTerminal, MuteCard?) {
            let disk = state == .diskHangs ? try HangingDisk(in: folder) : nil
            let service = try service(
                environment: disk?.variables.map { "\($0)=\($1)" } ?? [],
                centilitres: state == .muteAtDebit ? 300 : 3_000
            )
            try service.wait(for: "insert your card", on: .log)
            if state == .idle { return (service, nil) }
            let mute: [State: Instruction] = [
                .muteAtSelect: .select, .muteAtLock: .lockForPetrol, .muteAtDebit: .debitForPetrol,
            ]
            let card = try MuteCard(port: daemon.port, at: mute[state])
            switch state {
            case .idle: break
            case .pin: try service.wait(for: "then Enter: ", on: .screen)
            case .muteAtSelect: try card.waitUntilMute()
            case .muteAtLock, .muteAtDebit:
                try typePIN(service)
                try card.waitUntilMute()
            case .flowing: try sell(service)
            case .flowingUnread:
                try service.narrowLog()
                try sell(service)
                try service.stopOutput()
            case .cardAway:
                try sell(service)
                try card.pull()
                try service.wait(for: "card removed", on: .log)
            case .diskHangs:
                try sell(service)
                disk?.fail()
                try disk?.awaitHang()
            }
            return (service, card)
        }

        @Test("a stop in every state: valves off first, the end within two seconds, and nothing that is owed is lost")
        func stopInEveryState() throws {
            var table = ["state | valves off, s | end, s | exit | sale at the end | after the next start"]
            for state in State.allCases {
                let (service, card) = try reach(state)
                let begun = ContinuousClock.now
                for number in 1...6 { service.signal(number % 2 == 1 ? SIGTERM : SIGINT) }
                let status: Int32
                var valves = "not measured"
                if state == .flowingUnread {
                    status = service.endUnread()
                } else {
                    let seconds = try service.wait(for: "valves-off-after-ms=", on: .log)
                    valves = String(format: "%.3f", seconds)
                    #expect(seconds < 1, "\(state.rawValue): valves")
                    status = service.end()
                    #expect(service.log.split(separator: "valves-off-after-ms=").count == 2)
                }
                let seconds = (ContinuousClock.now - begun) / .seconds(1)
                #expect(seconds < Self.limitSeconds, "\(state.rawValue): end")
                let stands = [.muteAtSelect, .muteAtLock, .muteAtDebit, .diskHangs].contains(state)
                #expect(status == (stands ? 75 : 0), "\(state.rawValue): status")
                #expect(service.isOrdinary)
                try card?.pull()
                let (before, after) = try recover(state)
                table.append(
                    "\(state.rawValue) | \(valves) | \(String(format: "%.3f", seconds)) | \(status) | \(before) | \(after)"
                )
            }
            print(table.joined(separator: "\n"))
        }

        /// Starts the service on what was left, and ends it.
        private func recover(_ state: State) throws -> (String, String) {
            func sales() throws -> [JournalReport.Sale] {
                try JournalReport(journal: folder.path("journal.sqlite")).sales
            }
            let before = try sales()
            let next = try service()
            try next.wait(for: "ready", on: .log)
            try next.wait(for: "insert your card", on: .log)
            next.signal(SIGTERM)
            #expect(next.end() == 0)
            let after = try sales()
            // With its card there, a sale whose valves closed may have been paid before the stop was looked at.
            let expected: [[String]] =
                switch state {
                case .idle, .pin, .muteAtSelect: [[]]
                case .flowing, .flowingUnread: [["escaped"], ["settled"]]
                case .muteAtLock, .cardAway, .muteAtDebit, .diskHangs: [["escaped"]]
                }
            #expect(expected.contains(after.map(\.phase)), "\(state.rawValue)")
            if let sale = after.first, state != .muteAtLock {
                #expect(sale.amountFen > 0, "\(state.rawValue)")
                // At least what was shown, but for the last half litre.
                #expect(sale.counts.reduce(0, +) >= (state == .muteAtDebit ? 1_200 : 300), "\(state.rawValue)")
            }
            func words(_ sales: [JournalReport.Sale]) -> String {
                sales.isEmpty ? "none" : sales.map { "\($0.phase), \($0.amountFen) fen" }.joined(separator: "; ")
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
            where name.hasPrefix("journal") { try FileManager.default.removeItem(atPath: folder.path(name)) }
            return (words(before), words(after))
        }

        @Test("a card that never answers is named to the customer, and can be taken out")
        func muteCard() throws {
            let service = try service()
            try service.wait(for: "insert your card", on: .log)
            let card = try MuteCard(port: daemon.port, at: .select)
            try card.waitUntilMute()
            try service.wait(for: "The card does not answer. Take it out.", on: .screen)
            try service.wait(for: "does not answer: take the card out", on: .log)
            try card.pull()
            try service.wait(for: "Insert your card.", on: .screen)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }
    }
}
