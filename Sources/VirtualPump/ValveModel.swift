package import Metering

/// Valves that take their time, and the fuel between them: when each count comes, by the outputs and the clock.
///
/// A valve that is told to close stays as it was for its delay, and then the flow falls evenly to what is left. Each closing is a
/// little earlier or later, by seed, and each makes the valve a little slower. Valves open at once.
package struct ValveModel: Hashable, Sendable {
    /// In nanoseconds.
    package struct Valve: Hashable, Sendable {
        package var delay: Int
        /// From full to nothing.
        package var fall: Int
        /// Each delay is so much shorter or longer at most.
        package var jitter: Int
        /// What each closing adds to the delay.
        package var ageing: Int

        package init(delay: Int, fall: Int, jitter: Int = 0, ageing: Int = 0) {
            self.delay = delay
            self.fall = fall
            self.jitter = jitter
            self.ageing = ageing
        }
    }

    /// The flow falls to `to` between two instants.
    private struct Fall: Hashable {
        let begin: Int
        let end: Int
        let from: Int
        let to: Int
    }

    /// How finely a falling flow is taken.
    private static let stepNanoseconds = 100_000
    /// A count in parts: what flows at a count a second in a nanosecond, times 1,000.
    private static let partsInCount = 1_000_000_000_000

    package private(set) var main: Valve
    package private(set) var slow: Valve
    /// In thousandths of a count a second.
    private let fullRate: Int
    private let slowRate: Int
    private var seed: UInt64
    private var outputs: PumpOutputs = []
    private var rate = 0
    private var falls: [Fall] = []
    /// Of the count that comes next; how far `time` has got.
    private var parts = 0
    private var time = 0

    /// - Parameters:
    ///   - fullFlow: with the main valve open, in thousandths of a count a second.
    ///   - slowFlow: with the slow-flow valve alone.
    package init(main: Valve, slow: Valve, fullFlow: Int, slowFlow: Int, seed: UInt64) {
        precondition(fullFlow >= slowFlow && slowFlow > 0)
        self.main = main
        self.slow = slow
        fullRate = fullFlow
        slowRate = slowFlow
        self.seed = seed
    }

    package mutating func set(_ outputs: PumpOutputs, now: UInt64) {
        guard outputs != self.outputs else { return }
        advance(to: Int(now))
        let before = Self.rate(self.outputs, fullRate, slowRate)
        let after = Self.rate(outputs, fullRate, slowRate)
        let closesMain = self.outputs.contains(.mainValve) && !outputs.contains(.mainValve)
        self.outputs = outputs
        if after >= before {
            // What a customer had stopped is none of the next flow's.
            if before == 0 { parts = 0 }
            falls = []
            rate = after
        } else {
            fall(to: after, closesMain ? \.main : \.slow)
        }
    }

    private static func rate(_ outputs: PumpOutputs, _ full: Int, _ slow: Int) -> Int {
        guard outputs.contains(.motor) else { return 0 }
        return outputs.contains(.mainValve) ? full : outputs.contains(.slowValve) ? slow : 0
    }

    private mutating func fall(to rate: Int, _ path: WritableKeyPath<ValveModel, Valve>) {
        let valve = self[keyPath: path]
        let jitter = valve.jitter == 0 ? 0 : Int(next() % UInt64(2 * valve.jitter + 1)) - valve.jitter
        self[keyPath: path].delay += valve.ageing
        let begin = time + max(0, valve.delay + jitter)
        let last = falls.last
        let from = last?.to ?? self.rate
        falls.append(
            Fall(begin: max(begin, last?.end ?? 0), end: max(begin, last?.end ?? 0) + valve.fall, from: from, to: rate)
        )
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        seed &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (seed ^ (seed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// When the next count comes if nobody moves a valve; nil when none comes.
    package var nextCount: UInt64? {
        var ahead = self
        guard ahead.advance(to: nil) else { return nil }
        return UInt64(ahead.time)
    }

    /// It has come, at that instant.
    package mutating func takeCount(at instant: UInt64) {
        advance(to: Int(instant))
        parts = max(0, parts - Self.partsInCount)
    }

    /// To an instant, or to the next count.
    ///
    /// - Returns: whether a count is due.
    @discardableResult
    private mutating func advance(to end: Int?) -> Bool {
        while end.map({ time < $0 }) ?? (parts < Self.partsInCount) {
            let present = rateNow()
            var step = max(0, (falls.first?.begin ?? .max) - time)
            if step == 0 { step = Self.stepNanoseconds }
            if let end { step = min(step, end - time) }
            if end == nil {
                if present > 0 {
                    step = min(step, (Self.partsInCount - parts + present - 1) / present)
                } else if falls.isEmpty {
                    return false
                }
            }
            parts += present * step
            time += step
            if let first = falls.first, time >= first.end {
                rate = first.to
                falls.removeFirst()
            }
        }
        return parts >= Self.partsInCount
    }

    private func rateNow() -> Int {
        guard let fall = falls.first, time >= fall.begin, fall.end > fall.begin else { return rate }
        let done = min(time - fall.begin, fall.end - fall.begin)
        return fall.from - (fall.from - fall.to) * done / (fall.end - fall.begin)
    }
}
