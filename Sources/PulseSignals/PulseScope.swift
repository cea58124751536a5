package import Metering

/// The latest levels of a pulser's channels, as a picture and as a rate.
package struct PulseScope: Sendable {
    /// Edges that are kept: at the design rate a quarter of a second.
    private static let keptMax = 5_000
    private static let rateNanoseconds: UInt64 = 1_000_000_000

    private struct Change {
        let nanoseconds: UInt64
        let channel: PulserChannel
        let rising: Bool
    }

    package private(set) var levels: (a: Bool, b: Bool)
    private var changes: [Change] = []
    /// Counts of each edge of the last second, by its time.
    private var steps: [(nanoseconds: UInt64, counts: Int)] = []

    package init(levels: (a: Bool, b: Bool)) { self.levels = levels }

    /// - Parameter counts: that the edge gained, less than none for one that turned back.
    package mutating func take(_ channel: PulserChannel, rising: Bool, nanoseconds: UInt64, counts: Int) {
        if channel == .a { levels.a = rising } else { levels.b = rising }
        changes.append(Change(nanoseconds: nanoseconds, channel: channel, rising: rising))
        steps.append((nanoseconds, counts))
        if changes.count > 2 * Self.keptMax { changes.removeFirst(changes.count - Self.keptMax) }
    }

    /// What flowed in the second before `now`, in counts; less than none backwards.
    package mutating func rate(at now: UInt64) -> (edges: Int, counts: Int) {
        let begin = now > Self.rateNanoseconds ? now - Self.rateNanoseconds : 0
        if let first = steps.firstIndex(where: { $0.nanoseconds >= begin }) {
            steps.removeFirst(first)
        } else {
            steps = []
        }
        return (steps.count, steps.reduce(0) { $0 + $1.counts })
    }

    /// A channel's levels over the `span` before `now`, one character a column: "#" high, "_" low, "|" where it changed within.
    package func picture(
        of channel: PulserChannel,
        columns: Int,
        until now: UInt64,
        span: UInt64
    ) -> String {
        let begin = now > span ? now - span : 0
        var level = channel == .a ? levels.a : levels.b
        var changed = Array(repeating: false, count: columns)
        var after = Array(repeating: level, count: columns)
        var last = columns
        for change in changes.reversed() where change.channel == channel {
            guard change.nanoseconds >= begin, change.nanoseconds < now else {
                if change.nanoseconds < begin { break }
                continue
            }
            let column = Int(change.nanoseconds - begin) * columns / Int(span)
            for index in column..<last { after[index] = level }
            changed[column] = true
            level = !change.rising
            last = column
        }
        for index in 0..<last { after[index] = level }
        return String(zip(changed, after).map { $0 ? "|" : $1 ? "#" : "_" })
    }
}
