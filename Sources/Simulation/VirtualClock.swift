/// The clock of a forecourt, whose sites share it.
package final class VirtualClock {
    package internal(set) var nanoseconds: UInt64 = 0
    /// By how many seconds the board's clock is wrong.
    package var errorSeconds = 0
    /// What the board's zone adds to UTC now: daylight saving, or another zone, changes it.
    package var localOffsetSeconds = 0

    package init() {}

    /// Time passes in which nothing happens at any site.
    func passStill(seconds: Int) { nanoseconds += UInt64(seconds) * 1_000_000_000 }
}
