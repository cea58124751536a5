import ArgumentParser
import Console
import Glibc
import Metering
import PulseSignals
import Quantities
import Synchronization
import Threads

struct PulsesWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a pulser's lines as they move: levels, rate, direction, health, faults, and a picture.",
        discussion: """
            Takes the input lines, so the service has to be stopped; motor and valves are left as they are. Turn the shaft by hand, or \
            let fuel flow by the board's own switches. Ends at Ctrl-C. The picture is the last fifth of a second, "#" high, "_" low, "|" \
            where the level changed within a column; --span sets another time. The margin is how far the worst step is from where the decoder could no \
            longer tell it: below \(PulserHealth.marginPercentMin) % the pulser wants to be exchanged. Where standard output is no terminal, each second is a line.

            Exit status: 0; 69 when the lines cannot be had; 74 when they fail; 78 for a wrong configuration. \(ExitStatusHelp.common)
            """
    )

    private static let lookNanoseconds: UInt64 = 250_000_000
    private static let columns = 64

    @OptionGroup var target: PulseLinesOption

    @Option(help: ArgumentHelp("What the picture shows, in milliseconds, 10 to 10000.", valueName: "MS"))
    var span = 200

    func validate() throws {
        guard (10...10_000).contains(span) else { throw ValidationError("--span: expected 10 to 10000") }
    }

    func run() throws {
        try runTool("pulses watch") { () throws(ServiceFailure) in
            let watched = try target.open()
            let isOver = StopFlag()
            let levels = try watched.levels()
            var view = PulseView(watched, levels)
            var next = MonotonicClock.nanoseconds
            while !isOver.isSet {
                let now = MonotonicClock.nanoseconds
                if now >= next {
                    view.show(at: now, span: UInt64(span) * 1_000_000, columns: Self.columns)
                    next = now + (view.isTerminal ? Self.lookNanoseconds : 1_000_000_000)
                }
                for edge in try watched.edges(beforeNanoseconds: next) { view.take(edge) }
            }
            view.end()
        }
    }
}

/// Set by the signals that end a program.
final class StopFlag: Sendable {
    private let flag = Atomic(false)

    init() { SignalWatch.start { [self] in flag.store(true, ordering: .releasing) } }

    var isSet: Bool { flag.load(ordering: .acquiring) }
}

/// What is shown of the lines.
private struct PulseView {
    private static let width = 79

    let isTerminal = isatty(STDOUT_FILENO) == 1
    private let title: String
    private var pulser: Pulser
    private var scope: PulseScope
    private var nozzle: Bool
    private var emergency: Bool
    private var shownLines = 0
    private let isQuadrature: Bool

    init(_ watched: WatchedLines, _ levels: PumpLevels) {
        title = watched.title
        pulser = Pulser(kind: watched.kind, levels: (levels.a, levels.b), limits: watched.limits)
        scope = PulseScope(levels: (levels.a, levels.b))
        nozzle = levels.nozzle
        emergency = levels.emergency
        isQuadrature = watched.kind != .single
    }

    mutating func take(_ edge: PumpEdge) {
        switch edge.input {
        case .nozzle: nozzle = edge.rising
        case .emergency: emergency = edge.rising
        case .pulser(let channel):
            let before = pulser.counts - pulser.reverse
            pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
            scope.take(
                channel,
                rising: edge.rising,
                nanoseconds: edge.nanoseconds,
                counts: pulser.counts - pulser.reverse - before
            )
        }
    }

    mutating func show(at now: UInt64, span: UInt64, columns: Int) {
        let rate = scope.rate(at: now)
        guard isTerminal else {
            writeLine("\(state(rate)); \(health); \(faults)")
            return
        }
        var lines = [title, state(rate)]
        lines.append("A \(scope.picture(of: .a, columns: columns, until: now, span: span))")
        if isQuadrature { lines.append("B \(scope.picture(of: .b, columns: columns, until: now, span: span))") }
        lines += [health, faults]
        let text = lines.map { $0.wrapped(toColumns: Self.width) }.joined(separator: "\n")
        let back = shownLines > 0 ? "\u{1B}[\(shownLines)A\u{1B}[J" : ""
        writeLine(back + text)
        shownLines = text.count { $0 == "\n" } + 1
    }

    func end() { writeLine("\(pulser.counts) counts, \(pulser.reverse) reverse; \(health); \(faults)") }

    private func state(_ rate: (edges: Int, counts: Int)) -> String {
        func level(_ isHigh: Bool) -> String { isHigh ? "high" : "low" }
        let direction =
            rate.edges == 0 ? "still" : rate.counts > 0 ? "forward" : rate.counts < 0 ? "reverse" : "to and fro"
        return "A \(level(scope.levels.a))\(isQuadrature ? ", B \(level(scope.levels.b))" : ""), nozzle "
            + "\(nozzle ? "lifted" : "hangs")\(emergency ? ", EMERGENCY" : ""), \(rate.edges) edges/s, \(direction), "
            + "\(pulser.counts) counts"
    }

    /// Of the last steady flow.
    private var health: String {
        guard let health = pulser.health else {
            return "margin not known yet: it takes \(PulserHealth.steps) steps of steady flow"
        }
        func channel(_ name: String, _ channel: PulserHealth.Channel) -> String {
            "\(name) duty \(channel.dutyPermille.tenths) % jitter \(channel.jitterPermille.tenths) %"
        }
        var parts = ["margin \(health.marginPercent) %\(health.isWorn ? ": WORN" : "")", channel("A", health.a)]
        if let b = health.b { parts.append(channel("B", b)) }
        if let phase = health.phaseTenths { parts.append("phase \(phase.tenths) deg") }
        return parts.joined(separator: ", ")
    }

    private var faults: String {
        let counts = pulser.faults.counts
        return counts.isEmpty ? "no faults" : "faults: " + counts.map(\.words).joined(separator: ", ")
    }
}

extension Int {
    /// A number of tenths, as "49.8".
    fileprivate var tenths: String { "\(self / 10).\(abs(self) % 10)" }
}
