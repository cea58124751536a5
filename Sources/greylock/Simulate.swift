import ArgumentParser
import Console
import Glibc
import PulseSignals
import Simulation
import Station
import Threads

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run whole stations on a virtual clock while everything goes wrong, and check every fen.",
        discussion: """
            Nothing is attached and nothing is kept; the cards carry the demonstration keys. Sale, card, security module \
            and recovery are the ones that run at a pump. Reader, pulser, disk, mains and clock are replaced, and fail \
            between any two steps. After every event the books are checked: each litre is paid once, each locked card \
            can be released, no key is written anywhere.

            Exit status: 0; 1 when a rule was broken: the seed that is printed plays the same again, and what follows is \
            the shortest way to it that was found. \(ExitStatusHelp.common)
            """
    )

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many sales, 1 to 1000000000; default: 100000.", valueName: "N")
    )
    var sales: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where the stations' chances start; default: 1.", valueName: "S")
    )
    var seed: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What goes wrong: none, card, power, pump, attack, meter (pulsers that lie) or full, the default.",
            valueName: "PROFILE"
        )
    )
    var faults: FaultProfile?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many sides each station has, 1 to 8; default: 1.", valueName: "N")
    )
    var sides: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many stations are played at once, 0 for one on each processor; default: 1. The result is the same.",
            valueName: "J"
        )
    )
    var jobs: Int?

    @Flag(
        help: """
            Instead: every single power cut and every pair of them over three short scenarios, and every single move of an \
            attacker and every pair of them over a refuel and his return.
            """
    )
    var exhaustive = false

    func validate() throws {
        if exhaustive, sales != nil || seed != nil || faults != nil || sides != nil || jobs != nil {
            throw ValidationError(
                "--exhaustive has nothing to choose: leave out --sales, --seed, --faults, --sides and --jobs"
            )
        }
        if let sides, !(1...Self.sidesMax).contains(sides) {
            throw ValidationError("--sides: expected 1 to \(Self.sidesMax) (found \(sides))")
        }
        if let jobs, !(0...Self.jobsMax).contains(jobs) {
            throw ValidationError("--jobs: expected 0 to \(Self.jobsMax) (found \(jobs))")
        }
        if let sales, !(1...1_000_000_000).contains(sales) {
            throw ValidationError("--sales: expected 1 to 1000000000 (found \(sales))")
        }
    }

    func run() throws {
        let violation = exhaustive ? cutEverywhere() : simulate()
        guard let violation else {
            writeLine("no rule was broken")
            return
        }
        writeLine("BROKEN: \(violation.reason)")
        let profile = (faults.map { " --faults \($0.rawValue)" } ?? "") + (sides.map { " --sides \($0)" } ?? "")
        writeLine(
            "again: greylock simulate \(exhaustive ? "--exhaustive" : "--sales 1 --seed \(violation.seed)\(profile)")"
        )
        writeLine("the shortest way to it that was found:")
        for visit in violation.visits { writeLine("  \(visit)") }
        writeLine("what happens then:")
        for line in violation.trace { writeLine("  \(line)") }
        throw ExitCode(1)
    }

    private func simulate() -> StationSimulation.Violation? {
        let sales = sales ?? 100_000
        let jobs = jobs == 0 ? Self.processors : jobs ?? 1
        var simulation = StationSimulation(
            seed: seed ?? 1,
            profile: faults ?? .full,
            sides: sides ?? 1,
            ownsArena: jobs == 1,
            seal: { .demonstration(version: Release.version) }
        )
        var progress = SimulationProgress(sales: sales)
        let violation = simulation.run(sales: sales, jobs: jobs) { progress.show($0) }
        progress.end()
        let tally = simulation.tally
        writeLine("seed \(seed ?? 1): \(SimulationProgress.words(tally, progress.salesPerSecond(tally)))")
        for kind in FaultKind.allCases {
            if let count = tally.faultsMet[kind] { writeLine("\(padded("\(count)", to: 10))  \(kind.rawValue)") }
        }
        printLosses(tally.cutsByCountsLost)
        printLies(tally.lies)
        return violation
    }

    private func printLosses(_ cutsByCounts: [Int: Int]) {
        let cuts = cutsByCounts.values.reduce(0, +)
        guard cuts > 0 else { return }
        let rising = cutsByCounts.sorted { $0.key < $1.key }
        func quantile(_ part: Double) -> String {
            var seen = 0
            for (counts, number) in rising {
                seen += number
                if Double(seen) >= part * Double(cuts) { return StationSimulation.litres(ofCounts: counts) }
            }
            return StationSimulation.litres(ofCounts: rising.last?.key ?? 0)
        }
        writeLine(
            "mains cut with a valve open: \(cuts) times; litres lost: median \(quantile(0.5)), "
                + "nine of ten at most \(quantile(0.9)), most \(quantile(1))"
        )
    }

    private func printLies(_ lies: [PulseFaultKind: LieTally]) {
        guard !lies.isEmpty else { return }
        func line(_ name: String, _ cells: [String]) {
            writeLine(paddedRight(name, to: 16) + cells.map { padded($0, to: 10) }.joined())
        }
        line("pulser", ["sales", "faults", "closed", "short", "over"])
        for kind in PulseFaultKind.allCases {
            guard let tally = lies[kind] else { continue }
            line(kind.rawValue, [tally.sales, tally.faults, tally.closed, tally.short, tally.over].map { "\($0)" })
        }
        writeLine("short, over: the most counts that one sale had less, or more, than truly flowed")
    }

    private func cutEverywhere() -> StationSimulation.Violation? {
        for scenario in ExhaustiveCuts.Scenario.allCases {
            let begun = MonotonicClock.nanoseconds
            let (tally, violation) = ExhaustiveCuts(scenario).run()
            let seconds = (MonotonicClock.nanoseconds - begun) / 1_000_000_000
            writeLine("\(scenario.rawValue): \(tally.singles) single cuts, \(tally.pairs) pairs, \(seconds) s")
            if let violation { return violation }
        }
        for scenario in ExhaustiveAttacks.Scenario.allCases {
            let begun = MonotonicClock.nanoseconds
            let (tally, violation) = ExhaustiveAttacks(scenario).run(threads: Self.threads)
            let seconds = (MonotonicClock.nanoseconds - begun) / 1_000_000_000
            writeLine("\(scenario.rawValue): \(tally.singles) single moves, \(tally.pairs) pairs, \(seconds) s")
            if let violation { return violation }
        }
        return nil
    }

    private static let sidesMax = StationSimulation.sidesMax
    private static let jobsMax = 64
    private static let processors = min(jobsMax, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// One for each processor, of a board's four.
    private static let threads = min(4, processors)

    private func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }

    private func paddedRight(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }
}

extension FaultProfile: ExpressibleByArgument {}

/// A bar on the terminal, a few times a second; nothing where standard error is none.
private struct SimulationProgress {
    private static let width = 30
    private static let everyNanoseconds: UInt64 = 200_000_000

    private let sales: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let begun = MonotonicClock.nanoseconds
    private var shownAt: UInt64 = 0

    init(sales: Int) { self.sales = sales }

    mutating func show(_ tally: StationSimulation.Tally) {
        let now = MonotonicClock.nanoseconds
        guard isTerminal, now >= shownAt + Self.everyNanoseconds else { return }
        shownAt = now
        let done = min(Self.width, Self.width * tally.sales / sales)
        let bar = String(repeating: "=", count: done) + String(repeating: " ", count: Self.width - done)
        write("\r[\(bar)] \(Self.words(tally, salesPerSecond(tally)))")
    }

    func end() { if isTerminal { write("\r\u{1B}[K") } }

    func salesPerSecond(_ tally: StationSimulation.Tally) -> Int {
        let microseconds = max(1, Int((MonotonicClock.nanoseconds - begun) / 1_000))
        return tally.sales * 1_000_000 / microseconds
    }

    static func words(_ tally: StationSimulation.Tally, _ salesPerSecond: Int) -> String {
        "\(tally.sales) sales and \(tally.tests) tests at \(tally.stations) stations, \(tally.faults) faults met, \(salesPerSecond) sales/s"
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            // A progress bar that is not shown is no failure.
            _ = unsafe Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }
}
