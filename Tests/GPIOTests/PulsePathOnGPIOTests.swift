import Foundation
import Glibc
import Metering
import Parameters
import TestFolders
import TestPrograms
import Testing

extension OnGPIO {
    /// The way of a pulse through greylockd's own pump thread, from the kernel's lines into a sale's record, beside a small reader in C
    /// on a second chip that the same source turns. The source keeps its pace by the clock, whoever reads, and tells its edges here.
    ///
    /// On a board whose clock counts its instructions (`board/vm --steady`): an emulated one on this machine's clock turns a pulser at some
    /// hundred edges a second. `GREYLOCK_PULSE_PATH=short` plays a second of some rates, any other value all. The greylockd is that
    /// beside the tests, or of the folder `GREYLOCK_PULSE_PROGRAMS`, of a release build: its processor time is then held against that
    /// of the C reader (`board/pulse-path`).
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["GREYLOCK_PULSE_PATH"] != nil,
            "board/pulse-path plays it, and board/test a part of it"
        ),
        .timeLimit(.minutes(15))
    )
    struct PulsePathOnGPIOTests {
        private static let isShort = ProcessInfo.processInfo.environment["GREYLOCK_PULSE_PATH"] == "short"
        private static let release =
            ProcessInfo.processInfo.environment["GREYLOCK_PULSE_PROGRAMS"].map { URL(fileURLWithPath: $0) }
        /// Processor time of the pump's thread for that of the reader in C.
        private static let ratioMax = 1.2

        private enum Line {
            static let a = 0
            static let b = 1
            static let nozzle = 2
        }

        /// What happens while the pulser turns.
        struct Cell: Sendable, CustomTestStringConvertible {
            let edgesPerSecond: Int
            let seconds: Int
            var disturbance = Disturbance.none

            enum Disturbance: String {
                case none = "nothing else"
                case stall = "both readers stopped for 50 ms, five times"
                case storm = "a storm of fsyncs"
            }

            var testDescription: String { "\(edgesPerSecond) edges/s, \(disturbance.rawValue)" }
            var edges: Int { edgesPerSecond * seconds }
        }

        private static let cells =
            isShort
            ? [
                Cell(edgesPerSecond: 333, seconds: 1), Cell(edgesPerSecond: 1_333, seconds: 1),
                Cell(edgesPerSecond: 5_000, seconds: 1),
            ]
            : [
                Cell(edgesPerSecond: 83, seconds: 6), Cell(edgesPerSecond: 333, seconds: 6),
                Cell(edgesPerSecond: 1_333, seconds: 6), Cell(edgesPerSecond: 5_000, seconds: 6),
                Cell(edgesPerSecond: 1_333, seconds: 6, disturbance: .stall),
                Cell(edgesPerSecond: 5_000, seconds: 6, disturbance: .stall),
                Cell(edgesPerSecond: 5_000, seconds: 6, disturbance: .storm),
            ]

        private let folder: TestFolder
        private let daemon: CardDaemon
        private let chip: SimulatedChip
        private let chipOfPeer: SimulatedChip

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            chip = try SimulatedChip(label: "greylock-path")
            chipOfPeer = try SimulatedChip(label: "greylock-path-peer")
        }

        /// At 1,000 pulses per litre 5,000 edges a second are 75 L/min.
        private func configuration() throws -> String {
            var meter = MeterParameters.demonstration
            meter.pulsesPerLitre = 1_000
            return try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    card: ServiceConfiguration.reader,
                    meter: meter,
                    pump: ServiceConfiguration.gpio(
                        """
                        chip = "\(chip.label)"
                        a = \(Line.a)
                        b = \(Line.b)
                        nozzle = \(Line.nozzle)
                        motor = 4
                        main_valve = 5
                        debounce_milliseconds = 1
                        """
                    )
                )
            )
        }

        private func meanwhile(_ cell: Cell, _ readers: [Program]) -> String {
            let ids = readers.map { "\($0.id)" }.joined(separator: " ")
            return switch cell.disturbance {
            case .none: ":"
            case .stall:
                "for stop in 1 2 3 4 5; do sleep 0.9; kill -STOP \(ids); sleep 0.05; kill -CONT \(ids); done"
            case .storm:
                "end=$(($(date +%s) + \(cell.seconds))); while [ $(date +%s) -lt $end ]; do "
                    + "dd if=/dev/zero of=\(storm) bs=64k count=4 conv=fsync 2>/dev/null; done"
            }
        }

        /// On a real disk where the virtual board has one.
        private var storm: String {
            ProcessInfo.processInfo.environment["GREYLOCK_DISK"].map { "\($0)/storm" } ?? folder.path("storm")
        }

        /// Nanoseconds of processor time of a thread, by its name.
        private func processorTime(of thread: String, in id: Int32) throws -> Int {
            let tasks = "/proc/\(id)/task"
            for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
                let name = try String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)
                guard name == "\(thread)\n" else { continue }
                let times = try String(contentsOfFile: "\(tasks)/\(task)/schedstat", encoding: .utf8)
                return try #require(times.split(separator: " ").first.flatMap { Int($0) })
            }
            Issue.record("the service has no thread \(thread)")
            return 0
        }

        @Test("each edge is counted, at each rate and whatever else the machine does", arguments: cells)
        func counted(cell: Cell) throws {
            let (played, sale, peer, ours) = try run(cell)
            let ratio = Double(ours) / Double(peer.nanoseconds)
            print(
                """
                \(cell.testDescription): \(played.edges) edges driven at \(played.edgesPerSecond)/s of \(played.asked)/s, \
                \(played.stands) stands, the latest other edge \(played.latestNanoseconds / 1_000) us late. greylockd counted \
                \(sale.counts.reduce(0, +)), \(sale.pulserFaults) faults, \(perThousand(ours, played)) us of processor time per 1,000 \
                edges. C read \(peer.edges), counted \(peer.counts), noticed \(peer.noticed), \(perThousand(peer.nanoseconds, played)) us. \
                Ratio \(String(format: "%.2f", ratio))
                """
            )
            #expect(played.edges == cell.edges)
            #expect(played.keptItsPace)
            #expect(sale.counts.reduce(0, +) == cell.edges)
            let faults = sale.pulserFaults == 0 ? "" : try position()
            #expect(sale.pulserFaults == 0, "\(faults)")
            #expect(sale.volumeMicrolitres == cell.edges * 250)
            #expect(peer.edges == cell.edges)
            #expect(peer.counts == cell.edges)
            #expect(peer.noticed == 0)
            if Self.release != nil { #expect(ratio <= Self.ratioMax) }
        }

        /// With the faults by kind.
        private func position() throws -> String {
            try Run("greylock", ["position", "--config", folder.path("greylock.toml")]).output
        }

        private func perThousand(_ nanoseconds: Int, _ played: PulseSource.Played) -> Int {
            nanoseconds / max(played.edges, 1)
        }

        private struct Peer {
            let edges: Int
            let counts: Int
            let noticed: Int
            let nanoseconds: Int
        }

        private func run(
            _ cell: Cell
        ) throws -> (PulseSource.Played, JournalReport.Sale, Peer, ours: Int) {
            let trace = folder.path("cell.trace")
            let made = try Run(
                "greylock",
                ["pulses", "generate", "--edges", "\(cell.edges)", "--rate", "\(cell.edgesPerSecond)", "--into", trace]
            )
            #expect(made.status == 0, "\(made.error)")
            let service = try Program("greylockd", ["--config", configuration()], in: Self.release ?? Program.folder)
            #expect(service.wait(for: "ready") != nil)
            let reader = try Program(
                command: [BenchProgram.pulseReader.get(), "/dev/\(chipOfPeer.name)", "\(Line.a)", "\(Line.b)"]
            )
            #expect(reader.wait(for: "ready") != nil)
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")]
            )
            #expect(service.wait(for: "lift the nozzle") != nil)
            try chip.pull(Line.nozzle, up: true)
            #expect(service.wait(for: "valves open") != nil)
            let before = try processorTime(of: "pump-1", in: service.id)
            let played = try PulseSource.play(
                trace,
                [chip, chipOfPeer],
                a: Line.a,
                b: Line.b,
                meanwhile: meanwhile(cell, [service, reader])
            )
            let ours = try processorTime(of: "pump-1", in: service.id) - before
            reader.signal(SIGTERM)
            let line = reader.wait(for: " edges, ") ?? ""
            _ = reader.end()
            try chip.pull(Line.nozzle, up: false)
            #expect(service.wait(for: "notice paid") != nil)
            service.signal(SIGTERM)
            #expect(service.end() == 0)
            card.signal(SIGTERM)
            _ = card.end()
            let numbers = line.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
            try #require(numbers.count == 6, "pulse-reader: \(line)")
            let sale = try #require(JournalReport(journal: folder.path("journal.sqlite")).sales.last)
            let noticed = numbers[2] + numbers[3] + numbers[4]
            let peer = Peer(edges: numbers[0], counts: numbers[1], noticed: noticed, nanoseconds: numbers[5])
            return (played, sale, peer, ours)
        }
    }
}
