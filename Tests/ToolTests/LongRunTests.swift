import Foundation
import TestPrograms
import Testing

/// Sales, tests and fuel outside any sale with restarts, power cuts and new factors between and inside them: after each event the ledger
/// checks that records add up to the totaliser, the totaliser to its counts over the factors of their records, and all places to each
/// other.
struct LongRunTests {
    /// `GREYLOCK_LONG_RUN` asks for another number.
    private static let sales = ProcessInfo.processInfo.environment["GREYLOCK_LONG_RUN"].flatMap { Int($0) } ?? 10_000

    /// What must have come at least once.
    private static let events = [
        "parameters changed meanwhile", "parameters changed, and the mains cut in the same step",
        "parameters changed, and the service stopped in the same step",
        "parameters changed while a technician delivers", "meter calibrated",
    ]

    private static let isPythonThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    /// - Returns: the largest resident memory, in KiB.
    private func simulate(_ sales: Int) throws -> Int {
        let script = """
            exec /usr/bin/python3 -c '
            import resource, subprocess, sys
            run = subprocess.run(sys.argv[1:], stdout=sys.stderr)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            sys.exit(run.returncode)
            ' "$BIN/greylock" simulate --faults power --seed 54 --sales "$1"
            """
        let run = try Run(script: script, ["\(sales)"])
        #expect(run.status == 0, "\(run.error.suffix(4_000))")
        #expect(run.error.contains("no rule was broken"))
        for event in Self.events { #expect(run.error.contains(event)) }
        return try #require(Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test(.enabled(if: isPythonThere, "python3 measures the program's memory"), .timeLimit(.minutes(60)))
    func totalsAddUpAndMemoryStaysFlat() throws {
        let few = try simulate(Self.sales / 10)
        let many = try simulate(Self.sales)
        #expect(
            many <= few + few / 5 + 4_096,
            "\(few) KiB after \(Self.sales / 10) sales, \(many) KiB after \(Self.sales)"
        )
    }
}
