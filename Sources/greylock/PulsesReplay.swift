import ArgumentParser
import Console
import Files
import Metering
import PulseSignals
import Station
import Threads

struct PulsesReplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Put a trace through the decoder of the service, and say what each fault in it was.",
        discussion: """
            Each edge that the decoder did not believe is a line: which edge of the trace, when, what was wrong and how that is known.

            With --json: `edges`, `counts`, `reverse`, `trueCounts` (of a generated trace), `faults` (each with `kind`, `channel`, `count`), \
            `findings` (each with `edge`, `seconds`, `gained`, `faults`), `furtherFindings` (beyond the first \(PulseReplay.findingsMax)), \
            `isWhole`.

            Exit status: 0, whatever the trace shows; 65 when the file is no trace, which is said with its line; 74 when it cannot be \
            read. \(ExitStatusHelp.common)
            """
    )

    /// EX_DATAERR of sysexits.h.
    private static let dataError: Int32 = 65

    @Option(help: "What is done about a missing edge, alarm or correct.")
    var security = PulserSecurity.alarm

    @OptionGroup var output: JSONOption

    @Argument(help: ArgumentHelp("The trace.", valueName: "FILE"))
    var file: String

    func run() throws {
        try runTool("pulses replay") { () throws(ServiceFailure) in
            let trace = try trace()
            let replay = PulseReplay(trace, security)
            if output.json { return writeLine(try jsonText(PulseReplayReport(trace, replay))) }
            for note in trace.head.notes { writeLine("# \(note)") }
            for finding in replay.findings {
                let what = finding.faults.map { "\($0.words), \($0.kind.meaning)" }.joined(separator: "; ")
                writeLine("edge \(finding.edge) at \(finding.nanoseconds.seconds) s: \(what)")
            }
            if replay.furtherFindings > 0 { writeLine("and \(replay.furtherFindings) edges with faults more") }
            writeLine(summary(trace, replay))
            if trace.end == nil { writeLine("the trace was cut short: it has no last line") }
        }
    }

    private func trace() throws(ServiceFailure) -> PulseTrace {
        let bytes: [UInt8]?
        do throws(FileFault) {
            bytes = try WholeFile.contents(file, bytesMax: PulseTrace.bytesMax)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        guard let bytes else {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "there is no file \(file)")
        }
        do throws(PulseTraceFault) { return try PulseTrace(text: bytes) } catch {
            throw ServiceFailure(exitStatus: Self.dataError, reason: "\(file):\(error.line): \(error.reason)")
        }
    }

    private func summary(_ trace: PulseTrace, _ replay: PulseReplay) -> String {
        var text = "\(trace.edges.count) edges: \(replay.counts) counts, \(replay.reverse) reverse"
        if let counts = trace.end?.trueCounts { text += ", in truth \(counts)" }
        let faults = replay.faults.counts
        return text + (faults.isEmpty ? "; no faults" : "; " + faults.map(\.words).joined(separator: ", "))
    }
}

extension PulserSecurity: ExpressibleByArgument {}

extension PulserFaultKind {
    /// How it is known, for a technician (Metering's record 0022).
    fileprivate var meaning: String {
        switch self {
        case .missedEdges: "proven by levels: the channel came twice the same way"
        case .deadLeg: "the channel stands still while the other goes on"
        case .sequenceGap: "the kernel numbered them and nobody read them, or one came twice"
        case .bothTogether: "common mode: both channels were away from their levels at once"
        case .silentEdges: "seen by time: the other channel kept its pace meanwhile"
        case .flowGap: "seen by time: steady flow broke off and went on at once"
        case .noise: "too close for a shaft, on this channel alone: a bouncing contact, or a pulse that nothing turned"
        case .tooFast: "faster than the meter's largest flow"
        case .reversed: "more flowed back than may"
        case .switchGap: "edges of the nozzle or emergency line that nobody read"
        }
    }
}

extension UInt64 {
    /// Nanoseconds as seconds with six decimals.
    fileprivate var seconds: String {
        let micro = "\(self / 1_000 % 1_000_000)"
        return "\(self / 1_000_000_000)." + String(repeating: "0", count: 6 - micro.count) + micro
    }
}

/// What `--json` writes.
private struct PulseReplayReport: Encodable {
    struct Fault: Encodable {
        let kind: String
        let channel: String?
        let count: Int

        init(_ fault: PulserFault) {
            kind = fault.kind.rawValue
            channel = fault.channel.map { $0 == .a ? "a" : "b" }
            count = fault.count
        }
    }

    struct Finding: Encodable {
        let edge: Int
        let seconds: String
        let gained: Int
        let faults: [Fault]
    }

    let edges: Int
    let counts: Int
    let reverse: Int
    let trueCounts: Int?
    let faults: [Fault]
    let findings: [Finding]
    let furtherFindings: Int
    let isWhole: Bool

    init(_ trace: PulseTrace, _ replay: PulseReplay) {
        edges = trace.edges.count
        counts = replay.counts
        reverse = replay.reverse
        trueCounts = trace.end?.trueCounts
        faults = replay.faults.counts.map(Fault.init)
        findings = replay.findings.map {
            Finding(
                edge: $0.edge,
                seconds: $0.nanoseconds.seconds,
                gained: $0.gained,
                faults: $0.faults.map(Fault.init)
            )
        }
        furtherFindings = replay.furtherFindings
        isWhole = trace.end != nil
    }
}
