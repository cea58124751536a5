/// What the pump shows of itself at one instant.
package struct MeterSnapshot: Equatable, Sendable {
    /// Counts of the sale, per calibration point.
    package var counts: [Int] { ofSale.list }
    /// Counts outside any sale since the start: a leaking valve, or a disturbed line.
    package var strayCounts = 0
    /// All counts since the start, per calibration point, in a sale or not. What of them is in no record is a difference
    /// that the fuelling side can take at any time.
    package var allCounts: [Int] { ofAll.list }
    /// Faults of the sale.
    package var faults = PulserFaults()
    package var outputs: PumpOutputs = []
    /// The outputs are off until the next targets come (``CutOff/holdAtCounts``).
    package var isHeld = false
    package var nozzleIsLifted = false
    package var emergencyIsActive = false
    /// When the first forward count of the sale came.
    package var firstCountNanoseconds: UInt64?
    /// When the last forward count of the sale came; nil before the first.
    package var lastCountNanoseconds: UInt64?
    /// The present flow rate, or the last one; 0 before it is measured in a sale.
    package var millilitresPerMinute = 0
    /// Counts when the valves last closed by a cut-off or a command.
    package var countsAtClosing: Int?
    /// What closed the valves last, where a cut-off did while fuel flowed.
    package var closing: ValveClosing?
    /// The last change-over to the slow-flow valve since the valves opened.
    package var changeOver: ChangeOver?
    /// Why the pump ended the sale by itself; nothing opens in it any more.
    package var stop: MeterStop?
    /// Faults outside any sale since the start.
    package var strayFaults = PulserFaults()
    /// Of the pulser, since the start; nil before any steady flow was long enough.
    package var health: PulserHealth?

    var ofSale: PointCounts
    var ofAll: PointCounts

    package init(points: Int) {
        ofSale = PointCounts(points: points)
        ofAll = ofSale
    }

    package var totalCounts: Int { ofSale.sum }
}

/// Counts per calibration point, in place: a snapshot is published at each edge, and two lists of its own would be counted as used
/// and free again.
struct PointCounts: Equatable, Sendable {
    private let points: Int
    private var counts = InlineArray<10, Int>(repeating: 0)

    init(points: Int) {
        precondition(points <= counts.count, "there is room for Calibration.pointsMax")
        self.points = points
    }

    var list: [Int] { (0..<points).map { counts[$0] } }

    var sum: Int {
        var sum = 0
        for index in 0..<points { sum += counts[index] }
        return sum
    }

    subscript(point: Int) -> Int {
        get { counts[point] }
        set { counts[point] = newValue }
    }

    static func == (left: PointCounts, right: PointCounts) -> Bool { left.list == right.list }
}

/// All valves closed by a cut-off while fuel flowed.
package struct ValveClosing: Hashable, Sendable {
    /// Of the sale, at that instant.
    package var counts: Int
    package var millilitresPerMinute: Int
    /// The main valve was open; else the slow-flow valve alone.
    package var isOfMainValve: Bool

    package init(counts: Int, millilitresPerMinute: Int, isOfMainValve: Bool) {
        self.counts = counts
        self.millilitresPerMinute = millilitresPerMinute
        self.isOfMainValve = isOfMainValve
    }
}

/// The main valve closed by a cut-off, and the slow-flow valve stayed open.
package struct ChangeOver: Hashable, Sendable {
    /// Of the sale, at that instant.
    package var counts: Int
    /// Of the count at which it closed.
    package var nanoseconds: UInt64
    package var millilitresPerMinute: Int
    /// When the flow was last seen to fall by a tenth or more.
    package var countsWhenSlow: Int
    /// The lowest since.
    package var slowMillilitresPerMinute: Int
    /// It was measured since, and had not fallen further.
    package var isSteady = false

    package init(counts: Int, nanoseconds: UInt64, millilitresPerMinute: Int) {
        self.counts = counts
        self.nanoseconds = nanoseconds
        self.millilitresPerMinute = millilitresPerMinute
        countsWhenSlow = counts
        slowMillilitresPerMinute = millilitresPerMinute
    }

    mutating func measured(_ rate: Int, counts: Int) {
        isSteady = rate * 10 >= slowMillilitresPerMinute * 9
        guard !isSteady else { return }
        slowMillilitresPerMinute = rate
        countsWhenSlow = counts
    }
}

/// Why the pump closes by itself and does not open again in the same sale.
package enum MeterStop: Hashable, Sendable {
    /// More flowed back than may (``MeterLimits/reverseCountsMax``), in counts.
    case reversed(counts: Int)
    /// The pulser turned back only while the valves were open: A and B are swapped.
    case swapped
    /// One channel is dead while the valves are open: what flows is not counted.
    case deadChannel(PulserChannel)
    /// The pump's thread stood still with the valves open: nobody closed them at a target.
    case frozen(milliseconds: Int)
}

/// What the fuelling side must hear of at once.
package enum PumpReport: Equatable, Sendable {
    /// The counts asked for in the cut-off are reached, or a valve closed by it.
    case countsReached
    case nozzle(lifted: Bool)
    case emergency(active: Bool)
    /// A fault was counted.
    case pulserFault
    /// Another tenth of a litre flowed outside any sale.
    case strayFlow
    /// A fault was counted outside any sale.
    case strayFault
    /// The valves closed by themselves, for good in this sale.
    case stopped(MeterStop)
}
