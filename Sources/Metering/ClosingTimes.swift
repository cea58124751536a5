package import Quantities

/// How long fuel still flows, at the rate that it had, when a valve was told to close: in microseconds, by rate band, as sales have
/// shown it. A time outlives another pulser or factor, and holds at each rate of its band
/// (<doc:0057-what-valves-have-shown>).
package struct ClosingTimes: Hashable, Sendable {
    /// The upper limits of the bands, in litres per minute; the last band has none.
    package static let bandLimits = [5, 10, 20, 40, 80]
    package static let bands = bandLimits.count + 1
    /// No valve takes longer.
    package static let microsecondsMax = 10_000_000

    /// nil where nothing was learnt.
    package private(set) var microseconds: [Int?]

    package init(microseconds: [Int?] = Array(repeating: nil, count: bands)) {
        precondition(microseconds.count == Self.bands)
        precondition(microseconds.allSatisfy { (0...Self.microsecondsMax).contains($0 ?? 0) })
        self.microseconds = microseconds
    }

    package var isEmpty: Bool { microseconds.allSatisfy { $0 == nil } }

    private static func band(_ millilitresPerMinute: Int) -> Int {
        bandLimits.firstIndex { millilitresPerMinute < $0 * 1_000 } ?? bandLimits.count
    }

    /// The counts that are to be expected; of the nearest band where its own has shown nothing.
    ///
    /// - Returns: nil where no band has.
    package func counts(millilitresPerMinute rate: Int, _ calibration: Calibration) -> Int? {
        let band = Self.band(rate)
        let nearest = microseconds.indices.filter { microseconds[$0] != nil }.min { abs($0 - band) < abs($1 - band) }
        guard let nearest, let time = microseconds[nearest] else { return nil }
        let half = Self.microsecondsTimesRate / 2
        let counts = Int128(time) * Int128(rate) * Int128(calibration.countsPerLitre)
        return Int((counts + half) / Self.microsecondsTimesRate)
    }

    /// The upper limit of the lowest band that has shown something; nil where none has, or only the last.
    package var slowestMillilitresPerMinute: Int? {
        guard let band = microseconds.firstIndex(where: { $0 != nil }), band < Self.bandLimits.count else { return nil }
        return Self.bandLimits[band] * 1_000
    }

    /// In a litre, at a millilitre a minute.
    private static let microsecondsTimesRate: Int128 = 60_000_000_000

    /// The first of a band is taken as it is, and of each later one a quarter, so that a valve that ages is followed.
    ///
    /// - Parameters:
    ///   - counts: that flowed on.
    ///   - largest: more is none of a valve's.
    ///   - growsAtOnce: a longer time than the learnt one is taken whole.
    package mutating func learn(
        counts: Int,
        millilitresPerMinute rate: Int,
        _ calibration: Calibration,
        largest: Volume,
        growsAtOnce: Bool = false
    ) {
        guard rate > 0 else { return }
        let most = calibration.counts(for: largest, millilitresPerMinute: rate)
        let shown = Int128(min(max(0, counts), most)) * Self.microsecondsTimesRate
        let exact = shown / (Int128(rate) * Int128(calibration.countsPerLitre))
        let time = min(Int(clamping: exact), Self.microsecondsMax)
        let band = Self.band(rate)
        let learnt = microseconds[band] ?? time
        microseconds[band] = growsAtOnce && time > learnt ? time : learnt + (time - learnt) / 4
    }
}
