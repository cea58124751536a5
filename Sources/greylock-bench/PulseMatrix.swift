import ArgumentParser
import Console
import Glibc
import Metering
import PulseSignals
import Synchronization
import Threads

/// Each kind of fault at each rate through the decoder.
struct PulseMatrix: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pulses",
        abstract: "Put each kind of fault into a pulser's signal at five rates, and show what the decoder makes of it.",
        discussion: """
            Edges come with 5 % of jitter, from a meter that makes the cell's rate at most. flowed and counted are counts; \
            corrected is what level A added; faults were put in, alarmed of them were noted before the next, and unseen \
            were not; false are alarms where there was no fault; short and over are the most counts around one fault. \
            none in the last column: all rules hold.

            Exit status: 0, all rules hold; 1, one is broken, and named. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("Edges in each cell.", valueName: "N"))
    var edges = 10_000_000

    @Option(help: ArgumentHelp("The seed of all cells.", valueName: "S"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("One kind of fault alone: \(Self.words).", valueName: "KIND"))
    var kind: PulseFaultKind?

    func validate() throws {
        guard Self.edgesRange.contains(edges) else {
            throw ValidationError(
                "--edges: expected \(Self.edgesRange.lowerBound) to \(Self.edgesRange.upperBound) (found \(edges))"
            )
        }
    }

    func run() throws {
        let begun = benchClock()
        let cells = played()
        writeLine(
            Self.row([
                "kind", "edges/s", "level", "flowed", "counted", "corrected", "faults", "alarmed", "unseen",
                "false", "short", "over",
            ])
        )
        for cell in cells {
            for outcome in cell.outcomes {
                let numbers = [
                    outcome.flowed, outcome.counted, outcome.corrected, outcome.faults, outcome.alarmed,
                    outcome.unseen, outcome.falseAlarms, outcome.short, outcome.over,
                ]
                writeLine(
                    Self.row(
                        [cell.kind.rawValue, "\(cell.edgesPerSecond)", outcome.security.rawValue]
                            + numbers.map(String.init)
                    )
                )
            }
        }
        let seconds = (benchClock() - begun) / 1_000_000_000
        writeLine("\(cells.count) cells of \(edges) edges, seed \(seed), in \(seconds) s")
        let broken = cells.flatMap(\.brokenRules)
        guard broken.isEmpty else {
            for rule in broken { writeLine("broken: \(rule)") }
            throw ExitCode(1)
        }
        writeLine("no rule was broken")
    }

    /// Fewer hold no fault of each kind.
    private static let edgesRange = 20_000...1_000_000_000
    private static let words = PulseFaultKind.allCases.map(\.rawValue).joined(separator: ", ")

    /// In the order of kinds and rates.
    private func played() -> [PulseCell] {
        let kinds = kind.map { [$0] } ?? PulseFaultKind.allCases
        let round = PulseRound(
            places: kinds.flatMap { kind in PulseCell.edgesPerSecond.map { (kind, $0) } },
            edges: edges,
            seed: seed
        )
        let threads = (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).map { job in
            NamedThread("pulses \(job)") { round.play() }
        }
        for thread in threads { thread.join() }
        return round.cells
    }

    private static func row(_ cells: [String]) -> String {
        cells.enumerated().map { index, cell in
            let room = String(repeating: " ", count: max(1, (index == 0 ? 16 : index == 2 ? 8 : 10) - cell.utf8.count))
            return index == 0 ? cell + room : room + cell
        }.joined()
    }
}

extension PulseFaultKind: ExpressibleByArgument {}

/// Cells that several threads play, each the next one.
private final class PulseRound: Sendable {
    private let places: [(PulseFaultKind, Int)]
    private let edges: Int
    private let seed: UInt64
    private let next = Atomic(0)
    private let played = Mutex<[Int: PulseCell]>([:])

    init(places: [(PulseFaultKind, Int)], edges: Int, seed: UInt64) {
        self.places = places
        self.edges = edges
        self.seed = seed
    }

    var cells: [PulseCell] { played.withLock { played in places.indices.compactMap { played[$0] } } }

    func play() {
        while true {
            let place = next.add(1, ordering: .relaxed).oldValue
            guard place < places.count else { return }
            let (kind, rate) = places[place]
            let cell = PulseCell(kind: kind, edgesPerSecond: rate, edges: edges, seed: seed)
            played.withLock { $0[place] = cell }
        }
    }
}
