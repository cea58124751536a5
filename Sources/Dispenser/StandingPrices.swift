import Quantities
import Records

/// The orders about one side's price that may still count, in the order in which they were given.
///
/// What an order counts for is decided when it is given: a clock that was set back, or not yet set, makes none of them an earlier
/// one than it is.
struct StandingPrices {
    /// Those that came into effect at once, or the configuration's word, the newest alone.
    private var present: PriceOrder?
    /// By when they come into effect, the later word of two for one time.
    private var timed: [Int64: PriceOrder] = [:]

    mutating func take(_ order: PriceOrder) {
        guard order.user != nil else {
            (present, timed) = (order, [:])
            return
        }
        guard let effective = order.effectiveUTC else {
            // What had its time before is over. Without a clock nobody knows which had.
            if let given = order.time?.utcSeconds { timed = timed.filter { $0.key > given } }
            present = order
            return
        }
        guard let given = order.time?.utcSeconds else {
            timed[effective] = order
            return
        }
        // For a time that was over already, before the present word was given.
        if effective <= given, let since = present?.time?.utcSeconds, since > effective, since <= given { return }
        timed[effective] = order
        if let last = timed.keys.filter({ $0 <= given }).max() { timed = timed.filter { $0.key >= last } }
    }

    /// The order that holds at a time; nil where there is none.
    ///
    /// - Parameter now: nil when the clock is not set, and what is for a later time waits.
    func order(at now: StationTime?) -> PriceOrder? {
        let last = now.flatMap { now in timed.keys.filter { $0 <= now.utcSeconds }.max() }
        return last.flatMap { timed[$0] } ?? present
    }
}
