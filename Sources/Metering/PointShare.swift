/// How counts at one flow rate are shared between two neighbouring calibration points (<doc:0005-counts-shared-between-points>).
package struct PointShare: Hashable, Sendable {
    /// The lower one.
    package let point: Int
    /// Of a thousand counts, so many belong to the point above.
    package let aboveThousandths: Int

    package init(point: Int, aboveThousandths: Int) {
        self.point = point
        self.aboveThousandths = aboveThousandths
    }
}

/// The flow rate as counts show it, and the calibration point of each count.
///
/// Each count belongs to one point whole: what a share leaves of a count is carried to the next.
struct FlowMeasurement: Sendable {
    /// A rate is taken over at least so long: shorter, the kernel's time stamps and the pulser's phase would show in it.
    static let nanosecondsMin: UInt64 = 50_000_000

    /// 0 before it is measured.
    private(set) var millilitresPerMinute = 0
    private let calibration: Calibration
    private let windowCounts: Int
    private var share = PointShare(point: 0, aboveThousandths: 0)
    private var carriedThousandths = 0
    private var window: (counts: Int, start: UInt64)?

    init(_ calibration: Calibration) {
        self.calibration = calibration
        windowCounts = Self.windowCounts(calibration)
    }

    /// A cycle of a pulser's two channels has four counts, of whatever phase.
    fileprivate static func windowCounts(_ calibration: Calibration) -> Int { max(4, calibration.countsPerLitre / 100) }

    /// Fuel that begins to flow, flows slowly.
    mutating func begin() {
        window = nil
        millilitresPerMinute = 0
        share = calibration.share(millilitresPerMinute: 0)
    }

    /// The valves open again: the time without flow is none of a rate's.
    mutating func pause() { window = nil }

    /// The calibration point of the next count.
    mutating func nextPoint() -> Int {
        carriedThousandths += share.aboveThousandths
        guard carriedThousandths >= 1_000 else { return share.point }
        carriedThousandths -= 1_000
        return share.point + 1
    }

    /// - Returns: whether the rate was measured anew.
    mutating func count(_ gained: Int, _ now: UInt64) -> Bool {
        guard let begun = window else {
            window = (0, now)
            return false
        }
        let counts = begun.counts + gained
        let nanoseconds = now &- begun.start
        guard counts >= windowCounts, nanoseconds >= Self.nanosecondsMin else {
            window = (counts, begun.start)
            return false
        }
        millilitresPerMinute = calibration.millilitresPerMinute(counts: counts, nanoseconds: nanoseconds)
        share = calibration.share(millilitresPerMinute: millilitresPerMinute)
        window = (0, now)
        return true
    }
}

/// A part of a delivery that flowed at one rate.
package struct FlowStage: Hashable, Sendable {
    package let counts: Int
    package let millilitresPerMinute: Int

    package init(counts: Int, millilitresPerMinute: Int) {
        self.counts = counts
        self.millilitresPerMinute = millilitresPerMinute
    }
}

extension Calibration {
    /// The counts at each point, as the meter shares them when fuel flows in these stages: to a count a stage, but for the count or
    /// two by which a measured rate differs. What comes before the first rate is measured belongs to the lowest point.
    package func sharedCounts(_ stages: [FlowStage]) -> [Int] {
        var counts = points.map { _ in 0 }
        guard let first = stages.first else { return counts }
        let perWindow =
            Int128(first.millilitresPerMinute) * Int128(countsPerLitre) * Int128(FlowMeasurement.nanosecondsMin)
            / 60_000_000_000_000
        // A window begins with the first count.
        var unmeasured = max(FlowMeasurement.windowCounts(self), Int(clamping: perWindow)) + 1
        for stage in stages {
            let low = min(unmeasured, stage.counts)
            counts[0] += low
            unmeasured -= low
            let share = share(millilitresPerMinute: stage.millilitresPerMinute)
            let above = (stage.counts - low) * share.aboveThousandths / 1_000
            counts[share.point] += stage.counts - low - above
            if above > 0 { counts[share.point + 1] += above }
        }
        return counts
    }
}
