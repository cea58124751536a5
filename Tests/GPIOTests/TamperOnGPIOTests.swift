import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms
import Testing
import Threads

extension OnGPIO {
    /// A terminal with keys of its own whose housing is opened while fuel flows. Card, reader, lines and the EEPROM are virtual; what
    /// becomes of valves and keys is seen from outside the service, in the lines' levels and in its memory.
    @Suite(.timeLimit(.minutes(30)))
    struct TamperOnGPIOTests {
        private enum Line {
            static let a = 0
            static let b = 1
            static let nozzle = 2
            static let tamper = 3
            static let motor = 4
            static let mainValve = 5
            static let slowValve = 6
            static let outputs = [motor, mainValve, slowValve]
        }

        private static let terminal = TerminalID(0x3100_0000_0017)
        private static let aid = "F0504554524F4C02"
        private static let millisecondsMax = 100.0
        private static let lookNanoseconds: UInt64 = 500_000
        private static let patienceNanoseconds: UInt64 = 10_000_000_000
        private static let count = ProcessInfo.processInfo.environment["GREYLOCK_TAMPERS"].flatMap(Int.init) ?? 100
        /// Between two searches of the whole memory of what began in the service's place.
        private static let searchEvery = 20

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chip: SimulatedChip
        private let eeprom: SimulatedEEPROM
        private let port = BoardPort()

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            chip = try SimulatedChip(label: "greylock-tamper")
            eeprom = try SimulatedEEPROM()
        }

        private var memory: BoardMemory { BoardMemory(eeprom.path, offset: 16) }
        private var store: TerminalKeyStore {
            TerminalKeyStore(
                folder.path("keys"),
                of: Self.terminal,
                storageKey: .file(folder.path("storage-key")),
                memory: memory
            )
        }

        private func configuration() throws -> String {
            try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    board: #"aid = "\#(Self.aid)""#,
                    card: ServiceConfiguration.reader,
                    pin: "terminal",
                    pump: ServiceConfiguration.gpio(
                        preset: 10_000,
                        """
                        chip = "\(chip.label)"
                        a = \(Line.a)
                        b = \(Line.b)
                        nozzle = \(Line.nozzle)
                        motor = \(Line.motor)
                        main_valve = \(Line.mainValve)
                        slow_valve = \(Line.slowValve)
                        debounce_milliseconds = 1
                        """
                    ),
                    isSealed: false
                )
                .replacing("demonstration = true", with: "demonstration = false")
                .replacing("001122334455", with: "\(Self.terminal)")
                    + """

                    [keys]
                    store = "\(folder.path("keys"))"
                    storage_key = "\(folder.path("storage-key"))"
                    nvmem = "\(eeprom.path)"
                    nvmem_offset = 16
                    [keys.tamper]
                    chip = "\(chip.label)"
                    line = \(Line.tamper)
                    active = "high"
                    debounce_milliseconds = 1
                    """
            )
        }

        /// The demonstration's MPK, so that its card pays here.
        private func arm() throws {
            try Data(SystemRandom().bytes(32)).write(to: URL(filePath: folder.path("storage-key")))
            #expect(unsafe chmod(folder.path("storage-key"), 0o600) == 0)
            var change = try store.beginChange()
            let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
            let made = try TransactionTime(secondsSince1970: 1_790_000_000)
            let master = HeldKeyName(.purchaseMaster, reference)
            let record = KeyDelivery(HeldKeyName(.record, reference), .tripleDES, made: made, SystemRandom().secret(16))
            try change.keys.load(
                KeyDelivery(master, .tripleDES, made: made, MasterKey.purchase.demonstration),
                .block,
                at: 1_790_000_000
            )
            try change.keys.load(record, .block, at: 1_790_000_000)
            try change.keys.activate(master, from: 1_700_000_000, at: 1_790_000_000)
            try change.store()
        }

        private var secrets: [SecretPatterns] {
            let raw = MasterKey.purchase.demonstration.withSpan { span in span.indices.map { span[$0] } }
            return [
                SecretPatterns("MPK left", des: Array(raw.prefix(8))),
                SecretPatterns("MPK right", des: Array(raw.suffix(8))),
            ]
        }

        /// What a tamper destroys, to be put back.
        private struct Armed {
            let storageKey: Data
            let store: Data
            let eeprom: Data
        }

        private func armed() throws -> Armed {
            try arm()
            let sealed = try Run(
                "greylock",
                [
                    "parameters", "import", folder.file("meters.toml", ServiceConfiguration.meters), "--config",
                    configuration(), "--name", "A", "--second", "B", "--reason", "new",
                ]
            )
            #expect(sealed.status == 0, "\(sealed.error)")
            return Armed(
                storageKey: try Data(contentsOf: URL(filePath: folder.path("storage-key"))),
                store: try Data(contentsOf: URL(filePath: folder.path("keys"))),
                eeprom: try eeprom.contents()
            )
        }

        private func putBack(_ armed: Armed) throws {
            try armed.storageKey.write(to: URL(filePath: folder.path("storage-key")))
            try armed.store.write(to: URL(filePath: folder.path("keys")))
            for name in ["storage-key", "keys"] { #expect(unsafe chmod(folder.path(name), 0o600) == 0) }
            try eeprom.write(armed.eeprom)
        }

        private func typePIN(_ service: ProgramAtTerminal) throws {
            try service.wait(for: "your PIN, then Enter: ", on: .screen)
            try service.type("123456\r")
        }

        @Test("opened in mid-flow: valves off and keys gone at once, seen from outside, and nothing is left that opens")
        func tampers() throws {
            let config = try configuration()
            let armed = try armed()
            var times: [Times] = []
            for number in 1...Self.count {
                if number > 1 { try putBack(armed) }
                if number == 2 { try settled(config) }
                try newBooks()
                let card = try card()
                let service = try ProgramAtTerminal("greylockd", ["--config", config])
                try typePIN(service)
                try service.wait(for: "lift the nozzle", on: .log)
                try chip.pull(Line.nozzle, up: true)
                try service.wait(for: "valves open", on: .log)
                let flow = try PulseSource.turn(chip, a: Line.a, b: Line.b, cycles: 100_000, edgesPerSecond: 400)
                try service.wait(for: " L, ", on: .log)
                #expect(try chip.levels(Line.outputs) == [true, true, true])

                let searches = number % Self.searchEvery == 1
                times.append(try openHousing(service, searches: searches))
                #expect(service.end() == 77, "\(service.log)")
                #expect(service.log.contains("complete=true"), "\(service.log)")
                flow.signal(SIGKILL)
                _ = flow.end(Patience(seconds: Patience.secondsOfRun))
                #expect(!FileManager.default.fileExists(atPath: folder.path("keys")))
                #expect(!FileManager.default.fileExists(atPath: folder.path("storage-key")))
                #expect(try memory.read(of: Self.terminal) == nil)
                try chip.pull(Line.nozzle, up: false)
                if number == 1 { try stillActive(config) }
                try chip.pull(Line.tamper, up: false)
                if number == 1 { try quietAgain(config) }
                card.signal(SIGTERM)
                #expect(card.wait(for: "is out of the reader")?.contains("grey") == true)
            }
            report(times)
        }

        private func card() throws -> Program {
            let state = ["--state", folder.path("card"), "--aid", Self.aid]
            let card = try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)"] + state)
            #expect(card.wait(for: "is in the reader") != nil)
            return card
        }

        /// Neither journal nor card knows a sale.
        private func newBooks() throws {
            for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite-mark", "card"] {
                guard FileManager.default.fileExists(atPath: folder.path(name)) else { continue }
                try FileManager.default.removeItem(atPath: folder.path(name))
            }
        }

        /// With the same record key again, as the issuer can make it, the interrupted sale is paid from its last checkpoint.
        private func settled(_ config: String) throws {
            let card = try card()
            let service = try ProgramAtTerminal("greylockd", ["--config", config])
            try typePIN(service)
            try service.wait(for: "settles-ttc=1", on: .log)
            try service.wait(for: "the card is free again", on: .log)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader")?.contains("grey") == false)
        }

        /// In nanoseconds.
        private struct Times {
            let valvesOff: UInt64
            let keysGone: UInt64
            /// From when the line was pulled, before the kernel debounced it.
            let keysGoneFromPull: UInt64
            /// Milliseconds that what began took for the disk.
            let disk: Int?
        }

        /// Pulls the line and looks, from outside, until outputs are off and the key stands nowhere where it stood.
        private func openHousing(_ service: ProgramAtTerminal, searches: Bool) throws -> Times {
            let process = try ProcessMemory(of: service.id)
            let hits = try process.search(for: secrets, inArena: true)
            #expect(Set(hits.map(\.secret)).count == 2)
            let places = try hits.map { (address: $0.address, bytes: try process.bytes(at: $0.address, count: 8)) }
            func isGone() -> Bool {
                places.allSatisfy { place in
                    do { return try process.bytes(at: place.address, count: 8) != place.bytes } catch { return true }
                }
            }
            let (pulled, valvesOff, keysGone) = try looking {
                let pulled = MonotonicClock.nanoseconds
                port.tell("e")
                try chip.pull(Line.tamper, up: true)
                let valvesOff = try first("v", since: pulled) { try !chip.levels(Line.outputs).contains(true) }
                return (pulled, valvesOff, try first("k", since: pulled, isGone))
            }
            if searches {
                try stopWhatBegan(service)
                let left = try ProcessMemory(of: service.id).search(for: secrets)
                #expect(left.isEmpty, "\(left)")
                service.signal(SIGCONT)
            }
            try service.wait(for: "keys on disk", on: .log)
            func number(_ name: String) throws -> UInt64 {
                let value = try #require(service.log.firstRange(of: "\(name)=")).upperBound
                return try #require(UInt64(service.log[value...].prefix { $0.isNumber }))
            }
            try service.wait(for: "took-ms=", on: .log)
            let edge = try number("edge-ns")
            #expect(edge >= pulled)
            return Times(
                valvesOff: valvesOff - edge,
                keysGone: keysGone - edge,
                keysGoneFromPull: keysGone - pulled,
                disk: searches ? nil : Int(try number("took-ms"))
            )
        }

        /// Looks come before what is looked at has ended, and behind the service's own threads: the board has one processor.
        private func looking<Value>(_ body: () throws -> Value) rethrows -> Value {
            _ = NamedThread.becomeRealTime(priority: 30)
            defer {
                var ordinary = sched_param()
                unsafe _ = pthread_setschedparam(pthread_self(), SCHED_OTHER, &ordinary)
            }
            return try body()
        }

        /// The kernel drops a stop that comes while one program takes another's place.
        private func stopWhatBegan(_ service: ProgramAtTerminal) throws {
            let start = MonotonicClock.nanoseconds
            while true {
                service.signal(SIGSTOP)
                let variables = FileManager.default.contents(atPath: "/proc/\(service.id)/environ") ?? Data()
                let hasBegun = String(decoding: variables, as: UTF8.self).contains("GREYLOCK_TAMPER=")
                if !hasBegun { service.signal(SIGCONT) }
                let asked = MonotonicClock.nanoseconds
                guard asked < start + Self.patienceNanoseconds else { throw NotSeen(what: "s") }
                while hasBegun, MonotonicClock.nanoseconds < asked + 20_000_000 {
                    if ProcessReport.isStopped(service.id) { return }
                    sched_yield()
                }
                sched_yield()
            }
        }

        /// When it is first seen to be so, which is told outside at once.
        private func first(_ letter: Character, since start: UInt64, _ isSo: () throws -> Bool) throws -> UInt64 {
            let never = MonotonicSemaphore()
            while try !isSo() {
                let now = MonotonicClock.nanoseconds
                guard now < start + Self.patienceNanoseconds else { throw NotSeen(what: letter) }
                _ = never.wait(until: now + Self.lookNanoseconds)
            }
            port.tell(letter)
            return MonotonicClock.nanoseconds
        }

        private struct NotSeen: Error {
            let what: Character
        }

        /// Started again while the housing is open: keys that were put back meanwhile go too, and nothing sells.
        private func stillActive(_ config: String) throws {
            try arm()
            let service = try ProgramAtTerminal("greylockd", ["--config", config])
            #expect(service.end() == 77)
            #expect(!FileManager.default.fileExists(atPath: folder.path("keys")))
            #expect(try memory.read(of: Self.terminal) == nil)
        }

        private func quietAgain(_ config: String) throws {
            let service = try ProgramAtTerminal("greylockd", ["--config", config])
            try service.wait(for: "this terminal has no keys", on: .log)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
        }

        private func report(_ times: [Times]) {
            func largest(_ what: String, _ values: [UInt64]) -> Double {
                let milliseconds = values.sorted().map { Double($0) / 1_000_000 }
                let (last, median) = (milliseconds.last ?? 0, milliseconds[milliseconds.count / 2])
                print("tamper, \(values.count) times: \(what) after at most \(last) ms, median \(median) ms")
                return last
            }
            #expect(largest("valves off", times.map(\.valvesOff)) <= Self.millisecondsMax)
            #expect(largest("keys gone", times.map(\.keysGone)) <= Self.millisecondsMax)
            _ = largest("keys gone, from the pull that the kernel debounces,", times.map(\.keysGoneFromPull))
            let disk = times.compactMap(\.disk)
            print("tamper, on disk: at most \(disk.max() ?? 0) ms, median \(disk.sorted()[disk.count / 2]) ms")
        }
    }
}
