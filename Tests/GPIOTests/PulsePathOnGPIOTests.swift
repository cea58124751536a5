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
    /// On request: a board that is emulated drives no pulser at these rates.
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["GREYLOCK_PULSE_PATH"] != nil,
            "GREYLOCK_PULSE_PATH=1 plays it, with programs of a release build on a board that is not emulated"
        ),
        .timeLimit(.minutes(10))
    )
    struct PulsePathOnGPIOTests {
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
                case stall = "the service stopped for 50 ms, five times"
                case storm = "a storm of fsyncs"
            }

            var testDescription: String { "\(edgesPerSecond) edges/s, \(disturbance.rawValue)" }
            var edges: Int { edgesPerSecond * seconds }
        }

        private static let cells = [
            Cell(edgesPerSecond: 83, seconds: 6), Cell(edgesPerSecond: 333, seconds: 6),
            Cell(edgesPerSecond: 1_333, seconds: 6), Cell(edgesPerSecond: 5_000, seconds: 6),
            Cell(edgesPerSecond: 1_333, seconds: 6, disturbance: .stall),
            Cell(edgesPerSecond: 5_000, seconds: 6, disturbance: .stall),
            Cell(edgesPerSecond: 5_000, seconds: 6, disturbance: .storm),
        ]
        /// A machine that has other work to do turns no pulser at its pace: such a cell is played again.
        private static let attemptsMax = 3

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
        private func configuration(_ name: String) throws -> String {
            var meter = MeterParameters.demonstration
            meter.pulsesPerLitre = 1_000
            return try folder.file(
                "\(name).toml",
                ServiceConfiguration.text(
                    journal: (folder.path("\(name).sqlite"), ""),
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

        private func meanwhile(_ cell: Cell, _ service: Program) -> String {
            switch cell.disturbance {
            case .none: ":"
            case .stall:
                "for stop in 1 2 3 4 5; do sleep 0.9; kill -STOP \(service.id); sleep 0.05; kill -CONT \(service.id); done"
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
            for attempt in 1...Self.attemptsMax {
                let (played, sale, peer, ours) = try run(cell, "attempt-\(attempt)")
                let cost = ours * 1_000 / played.edges
                let cost2 = peer.nanoseconds * 1_000 / played.edges
                print(
                    """
                    \(cell.testDescription): \(played.edges) edges driven at \(played.edgesPerSecond)/s of \(played.asked)/s, \
                    \(played.stands) stands, the latest \(played.latestNanoseconds / 1_000) us late; greylockd counted \
                    \(sale.counts.reduce(0, +)), \(sale.pulserFaults) faults, \(cost / 1_000) us of processor time per 1,000 edges; \
                    C counted \(peer.counts), noticed \(peer.noticed), \(cost2 / 1_000) us
                    """
                )
                #expect(played.edges == cell.edges)
                if !played.keptItsPace, attempt < Self.attemptsMax { continue }
                #expect(played.keptItsPace)
                #expect(sale.counts.reduce(0, +) == cell.edges)
                #expect(sale.pulserFaults == 0)
                #expect(sale.volumeMicrolitres == cell.edges * 250)
                return
            }
        }

        private struct Peer {
            let counts: Int
            let noticed: Int
            let nanoseconds: Int
        }

        private func run(
            _ cell: Cell,
            _ name: String
        ) throws -> (PulseSource.Played, JournalReport.Sale, Peer, ours: Int) {
            let trace = folder.path("\(name).trace")
            let made = try Run(
                "greylock",
                ["pulses", "generate", "--edges", "\(cell.edges)", "--rate", "\(cell.edgesPerSecond)", "--into", trace]
            )
            #expect(made.status == 0, "\(made.error)")
            let service = try Program("greylockd", ["--config", configuration(name)])
            #expect(service.wait(for: "ready") != nil)
            let reader = try Program(
                command: [BenchProgram.pulseReader.get(), "/dev/\(chipOfPeer.name)", "\(Line.a)", "\(Line.b)"]
            )
            #expect(reader.wait(for: "ready") != nil)
            let card = try Program(
                "greylock",
                ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("\(name)-card")]
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
                meanwhile: meanwhile(cell, service)
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
            // Both pulsers stand where the next one begins.
            for chip in [chip, chipOfPeer] {
                for line in [Line.a, Line.b] { try chip.pull(line, up: false) }
            }
            let numbers = line.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
            try #require(numbers.count == 6, "pulse-reader: \(line)")
            let sale = try #require(JournalReport(journal: folder.path("\(name).sqlite")).sales.last)
            let noticed = numbers[2] + numbers[3] + numbers[4]
            return (played, sale, Peer(counts: numbers[1], noticed: noticed, nanoseconds: numbers[5]), ours)
        }
    }
}
