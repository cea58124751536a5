import ArgumentParser
import Console
import Files
import Metering
import PulseSignals
import Station
import Threads

struct PulsesRecord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Keep what a pump's input lines do, with the kernel's time stamps, as a trace.",
        discussion: """
            Takes the input lines, so the service has to be stopped; motor and valves are left as they are. Ends at Ctrl-C, after \
            --seconds, or after \(PulseTrace.edgesMax) edges. The trace is a text whose format stands in its documentation \
            (PulseTrace.swift); greylock pulses replay says what each fault in it was.

            Exit status: 0; 69 when the lines cannot be had; 74 when they fail, or the file cannot be made or written: what came before \
            stands in it; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    @OptionGroup var target: PulseLinesOption

    @Option(help: ArgumentHelp("The trace, a new file.", valueName: "FILE"))
    var into: String

    @Option(help: ArgumentHelp("When to end by itself, 1 to 86400.", valueName: "N"))
    var seconds: Int?

    func validate() throws {
        guard seconds.map((1...86_400).contains) ?? true else {
            throw ValidationError("--seconds: expected 1 to 86400")
        }
    }

    func run() throws {
        try runTool("pulses record") { () throws(ServiceFailure) in
            let watched = try target.open()
            let isOver = StopFlag()
            let file: GrowingFile
            do throws(FileFault) { file = try GrowingFile(into) } catch { throw Self.failure(error) }
            let count = try record(watched, file, isOver)
            writeLine("\(count) edges in \(into)")
        }
    }

    private func record(
        _ watched: WatchedLines,
        _ file: borrowing GrowingFile,
        _ isOver: StopFlag
    ) throws(ServiceFailure) -> Int {
        // Before the levels are read, so that each edge behind them has a time of its own.
        let begin = MonotonicClock.nanoseconds
        let head = PulseTraceHead(
            isQuadrature: watched.kind != .single,
            levels: try watched.levels(),
            edgesPerSecondMax: watched.limits.edgesPerSecondMax,
            notes: ["\(watched.title), \(SystemClock().localTime.map { "\($0)" } ?? "clock not set")"]
        )
        try Self.write(Array(head.text.utf8), file)
        standardError("recording \(watched.title); Ctrl-C ends it")
        let end = seconds.map { begin + UInt64($0) * 1_000_000_000 } ?? .max
        var count = 0
        while !isOver.isSet, count < PulseTrace.edgesMax, MonotonicClock.nanoseconds < end {
            let edges = try watched.edges(beforeNanoseconds: end)
            var text: [UInt8] = []
            // One that the kernel stamped while the levels were read is in them.
            for edge in edges.prefix(PulseTrace.edgesMax - count) {
                edge.appendTraceLine(to: &text, since: min(begin, edge.nanoseconds))
            }
            count += min(edges.count, PulseTrace.edgesMax - count)
            try Self.write(text, file)
        }
        try Self.write(Array(PulseTraceEnd(edges: count, trueCounts: nil).text.utf8), file)
        do throws(FileFault) { try file.flush() } catch { throw Self.failure(error) }
        return count
    }

    private static func write(_ text: [UInt8], _ file: borrowing GrowingFile) throws(ServiceFailure) {
        do throws(FileFault) { try file.append(text) } catch { throw failure(error) }
    }

    private static func failure(_ fault: FileFault) -> ServiceFailure {
        ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: fault.reason)
    }
}
