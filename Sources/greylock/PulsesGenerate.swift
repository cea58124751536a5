import ArgumentParser
import Console
import Files
import Metering
import PulseSignals
import Station
import Threads

struct PulsesGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make the trace of a pulser with faults of one kind, or without any.",
        discussion: """
            The shaft turns forward at one rate; faults of the kind come again and again, with 40 to 120 edges between them. The same \
            options make the same trace, and its last line says what truly flowed.

            Kinds: \(PulseFaultKind.allCases.map(\.rawValue).joined(separator: ", ")).

            Exit status: 0; 74 when the file cannot be made or written. \(ExitStatusHelp.common)
            """
    )

    /// Bytes that are written at once.
    private static let partMax = 1 << 16

    @Option(help: ArgumentHelp("What is wrong with the signal.", valueName: "KIND"))
    var kind = PulseFaultKind.clean

    @Option(help: ArgumentHelp("Edges a second, of both channels together, 1 to 1000000.", valueName: "N"))
    var rate = 333

    @Option(help: ArgumentHelp("How many edges, 1 to \(PulseTrace.edgesMax).", valueName: "N"))
    var edges = 10_000

    @Option(
        help: ArgumentHelp("How far an edge may lie beside its place, 0 to 20 percent of a step.", valueName: "PERCENT")
    )
    var jitter = 0

    @Option(help: ArgumentHelp("Another number makes another trace.", valueName: "N"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("The trace, a new file; standard output without it.", valueName: "FILE"))
    var into: String?

    func validate() throws {
        func require(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw ValidationError("--\(name): expected \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("rate", rate, PulseGenerator.edgesPerSecondRange)
        try require("edges", edges, 1...PulseTrace.edgesMax)
        try require("jitter", jitter, PulseGenerator.jitterPercentRange)
    }

    func run() throws {
        try runTool("pulses generate") { () throws(ServiceFailure) in
            guard let into else {
                return write { (text) in writeLine(String(decoding: text, as: UTF8.self), terminator: "") }
            }
            do throws(FileFault) {
                let file = try GrowingFile(into)
                try write { (text) throws(FileFault) in try file.append(text) }
                try file.flush()
            } catch {
                throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
            }
        }
    }

    private func write<Fault: Error>(_ append: ([UInt8]) throws(Fault) -> Void) throws(Fault) {
        var generator = PulseGenerator(kind: kind, edgesPerSecond: rate, jitterPercent: jitter, seed: seed)
        let levels = generator.levels
        let head = PulseTraceHead(
            isQuadrature: true,
            levels: PumpLevels(a: levels.a, b: levels.b, nozzle: true, emergency: false),
            edgesPerSecondMax: rate,
            notes: ["generated: kind \(kind.rawValue), \(rate) edges/s, jitter \(jitter) %, seed \(seed)"]
        )
        var text = Array(head.text.utf8)
        var begin: UInt64?
        for _ in 0..<edges {
            let edge = generator.next()
            edge.appendTraceLine(to: &text, since: begin ?? edge.nanoseconds)
            begin = begin ?? edge.nanoseconds
            if text.count > Self.partMax {
                try append(text)
                text.removeAll(keepingCapacity: true)
            }
        }
        text += PulseTraceEnd(edges: edges, trueCounts: generator.trueCounts).text.utf8
        try append(text)
    }
}

extension PulseFaultKind: ExpressibleByArgument {}
