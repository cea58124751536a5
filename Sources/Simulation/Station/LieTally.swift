import PulseSignals

/// What sales with a pulser that lies in one way came to.
package struct LieTally: Equatable, Sendable {
    package var sales = 0
    /// Put in while a sale was running.
    package var faults = 0
    /// Sales after which the position was closed.
    package var closed = 0
    /// The most counts that a sale had too few, and too many.
    package var short = 0
    package var over = 0

    package mutating func add(_ other: Self) {
        sales += other.sales
        faults += other.faults
        closed += other.closed
        short = max(short, other.short)
        over = max(over, other.over)
    }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.add(right)
        return sum
    }
}
