import Station
import Threads

/// One line of the bench's table.
enum BenchResult {
    /// `value` and `reference` in `unit`, less being better; the aim is `atMost` times the reference, nil being none.
    ///
    /// `because` is said where the aim is missed.
    case figure(
        name: String,
        value: Double,
        unit: String,
        reference: Double,
        of: String,
        atMost: Double?,
        because: String = ""
    )
    /// A rate: more is better, the aim being at least the reference.
    case rate(name: String, value: Double, unit: String, reference: Double, of: String)
    case notMeasured(name: String, why: String)

    /// One figure that wants a folder of its own.
    static func measured(_ name: String, _ body: (TemporaryFolder) throws -> BenchResult) -> BenchResult {
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            return try body(folder)
        } catch {
            return .notMeasured(name: name, why: "\(error)")
        }
    }

    /// The median of ours beside a peer's, in microseconds, taking turns, so that both have the machine's same minutes.
    ///
    /// - Parameter turn: the nanoseconds of each round of one turn.
    static func inTurns(
        _ turns: Int = 5,
        name: String,
        of peer: String,
        atMost: Double?,
        because: String = "",
        _ turn: () throws -> (ours: [UInt64], theirs: [UInt64])
    ) rethrows -> BenchResult {
        var ours: [UInt64] = []
        var theirs: [UInt64] = []
        for _ in 0..<turns {
            let times = try turn()
            ours += times.ours
            theirs += times.theirs
        }
        return .figure(
            name: name,
            value: median(ours) / 1_000,
            unit: "us",
            reference: median(theirs) / 1_000,
            of: peer,
            atMost: atMost,
            because: because
        )
    }
}

struct BenchTable {
    private var results: [BenchResult] = []

    mutating func add(_ results: [BenchResult]) { self.results += results }

    var text: String {
        var lines = [row("measure", "here", "beside", "ratio", "aim")]
        for result in results {
            switch result {
            case .figure(let name, let value, let unit, let reference, let peer, let atMost, let reason):
                let aim = atMost.map { "at most \(short($0))\(value / reference <= $0 ? "" : missed(reason))" }
                lines.append(row(name, value, reference, unit, peer, aim ?? "none"))
            case .rate(let name, let value, let unit, let reference, let peer):
                let aim = "at least 1\(value / reference >= 1 ? "" : missed(""))"
                lines.append(row(name, value, reference, unit, peer, aim))
            case .notMeasured(let name, let why):
                lines.append(row(name, "not measured", why, "", ""))
            }
        }
        return lines.joined(separator: "\n")
    }

    private func missed(_ reason: String) -> String { reason.isEmpty ? "  MISSED" : "  MISSED: \(reason)" }

    private func row(
        _ name: String,
        _ value: Double,
        _ reference: Double,
        _ unit: String,
        _ peer: String,
        _ aim: String
    ) -> String {
        row(name, "\(short(value)) \(unit)", "\(short(reference)) \(unit) \(peer)", short(value / reference), aim)
    }

    private func row(_ cells: String...) -> String {
        let widths = [34, 18, 40, 8, 0]
        return zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.utf8.count))
        }.joined()
    }

    /// Three significant digits and no exponent.
    private func short(_ value: Double) -> String {
        let places = value >= 100 ? 0 : value >= 10 ? 1 : 2
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        guard places > 0 else { return "\(scaled)" }
        let fraction = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: places - fraction.utf8.count) + fraction
    }
}

/// Monotonic nanoseconds for measuring.
func benchClock() -> UInt64 { MonotonicClock.nanoseconds }

/// The middle of the samples.
func median(_ samples: [UInt64]) -> Double {
    let sorted = samples.sorted()
    return Double(sorted[sorted.count / 2])
}
