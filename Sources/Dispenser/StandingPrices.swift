import Quantities
import Records

/// The orders about one side's price that may still count, in the order in which they were given.
///
/// What an order counts for is decided when it is given: a clock that was set back, or not yet set, makes none of them an earlier
/// one than it is.
struct StandingPrices {
    /// Of those that came into effect at once, or the configuration's word, the newest.
    private var present: PriceOrder?
    /// By when they come into effect, the later word of two for one time.
    private var timed: [Int64: PriceOrder] = [:]

    mutating func take(_ order: PriceOrder) {
        guard order.user != nil else {
            (present, timed) = (order, [:])
            return
        }
        let given = order.time?.utcSeconds
        if let effective = order.effectiveUTC, given.map({ effective > $0 }) ?? true {
            timed[effective] = order
            if let given, let last = timed.keys.filter({ $0 <= given }).max() {
                timed = timed.filter { $0.key >= last }
            }
        } else {
            // For at once, or for a time that is over: its caller's clock may be behind. What had its time before is over too; without
            // a clock nobody knows which had.
            if let given { timed = timed.filter { $0.key > given } }
            present = order
        }
    }

    /// The order that holds at a time; nil where there is none.
    ///
    /// - Parameter now: nil when the clock is not set, and what is for a later time waits.
    func order(at now: StationTime?) -> PriceOrder? {
        let last = now.flatMap { now in timed.keys.filter { $0 <= now.utcSeconds }.max() }
        return last.flatMap { timed[$0] } ?? present
    }
}
