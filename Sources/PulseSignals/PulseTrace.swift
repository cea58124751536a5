package import Metering

// A trace of a pump's input lines is a text in ASCII, each line ended by a line feed:
//
//     greylock-pulses 1
//     channels CHANNELS                1 or 2
//     levels A B NOZZLE EMERGENCY      0 or 1 each: before the first edge, 1 being active
//     edges-per-second-max RATE        of the meter: what comes faster was no fuel
//     note TEXT                        any number of these: where and how it was made
//     NANOSECONDS LINE NUMBER          an edge; LINE is a, b, n (nozzle) or e (emergency) with + (active) or -
//     end EDGES [TRUE-COUNTS]          how many there were; of a generated trace also what truly flowed
//
// NANOSECONDS count from the trace's begin, by the kernel's stamps. NUMBER is the kernel's number of the edge on its line, 1 for
// the first: a gap in it is an edge that was lost before it was read. A trace without its last line was cut short.

/// Edges of a pump's input lines, and what they begin from.
package struct PulseTrace: Equatable, Sendable {
    /// At 5,000 edges a second a quarter of an hour.
    package static let edgesMax = 5_000_000
    /// The most bytes that so many edges take.
    package static let bytesMax = 200_000_000
    package static let notesMax = 100
    package static let noteBytesMax = 200

    package var head: PulseTraceHead
    package var edges: [PumpEdge] = []
    package var end: PulseTraceEnd?

    package init(_ head: PulseTraceHead) { self.head = head }
}

package struct PulseTraceHead: Equatable, Sendable {
    package var isQuadrature: Bool
    package var levels: PumpLevels
    /// Of the meter, 1 to 1,000,000.
    package var edgesPerSecondMax: Int
    package var notes: [String]

    package init(isQuadrature: Bool, levels: PumpLevels, edgesPerSecondMax: Int, notes: [String] = []) {
        self.isQuadrature = isQuadrature
        self.levels = levels
        self.edgesPerSecondMax = edgesPerSecondMax
        self.notes = notes
    }
}

package struct PulseTraceEnd: Equatable, Sendable {
    package let edges: Int
    /// nil of a trace of real lines: nobody knows.
    package let trueCounts: Int?

    package init(edges: Int, trueCounts: Int?) {
        self.edges = edges
        self.trueCounts = trueCounts
    }
}

/// What a trace must not say; a line's number, and words.
package struct PulseTraceFault: Error, Equatable, Sendable {
    package let line: Int
    package let reason: String
}

// MARK: - Writing

extension PulseTraceHead {
    /// - Returns: the lines before the first edge.
    package var text: String {
        func digit(_ level: Bool) -> String { level ? "1" : "0" }
        let levels = [levels.a, levels.b, levels.nozzle, levels.emergency].map(digit).joined(separator: " ")
        let lines =
            [
                "\(PulseTraceText.title)",
                "channels \(isQuadrature ? 2 : 1)",
                "levels \(levels)",
                "edges-per-second-max \(edgesPerSecondMax)",
            ] + notes.map { "note \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension PulseTraceEnd {
    package var text: String { "end \(edges)\(trueCounts.map { " \($0)" } ?? "")\n" }
}

extension PumpEdge {
    /// - Parameter begin: of the trace, on the clock of the edges.
    package func appendTraceLine(to text: inout [UInt8], since begin: UInt64) {
        text += "\(nanoseconds &- begin) \(input.traceName)\(rising ? "+" : "-") \(sequence)\n".utf8
    }
}

enum PulseTraceText {
    static let title = "greylock-pulses 1"
}

extension PumpInput {
    fileprivate var traceName: String {
        switch self {
        case .pulser(.a): "a"
        case .pulser(.b): "b"
        case .nozzle: "n"
        case .emergency: "e"
        }
    }

    init?(traceName: UInt8) {
        switch traceName {
        case UInt8(ascii: "a"): self = .pulser(.a)
        case UInt8(ascii: "b"): self = .pulser(.b)
        case UInt8(ascii: "n"): self = .nozzle
        case UInt8(ascii: "e"): self = .emergency
        case _: return nil
        }
    }
}
