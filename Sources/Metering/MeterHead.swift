/// The outputs that move fuel. All off is the safe state.
package struct PumpOutputs: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let motor = PumpOutputs(rawValue: 1)
    package static let mainValve = PumpOutputs(rawValue: 2)
    package static let slowValve = PumpOutputs(rawValue: 4)
}

/// A line that the pump reports on.
package enum PumpInput: Hashable, Sendable {
    case pulser(PulserChannel)
    /// Active while the nozzle is lifted.
    case nozzle
    /// Active on power failure or emergency stop.
    case emergency
}

/// One change of an input line, as the kernel reported it.
package struct PumpEdge: Hashable, Sendable {
    package let input: PumpInput
    package let rising: Bool
    /// Monotonic.
    package let nanoseconds: UInt64
    /// The event's number on its line; it goes up by one with each event that the kernel saw.
    package let sequence: UInt32

    package init(input: PumpInput, rising: Bool, nanoseconds: UInt64, sequence: UInt32) {
        self.input = input
        self.rising = rising
        self.nanoseconds = nanoseconds
        self.sequence = sequence
    }
}

/// At which counts, from the start of the sale, valves close by themselves; and when to report next.
package struct CutOff: Equatable, Sendable {
    /// The main valve closes, the slow-flow valve goes on.
    package var slowAtCounts: Int
    /// Everything closes.
    package var stopAtCounts: Int
    /// The next report.
    package var reportAtCounts: Int
    /// Everything closes until the next targets come: more than this must not flow before a checkpoint is on disk.
    package var holdAtCounts: Int

    package init(slowAtCounts: Int, stopAtCounts: Int, reportAtCounts: Int, holdAtCounts: Int = .max) {
        self.slowAtCounts = slowAtCounts
        self.stopAtCounts = stopAtCounts
        self.reportAtCounts = reportAtCounts
        self.holdAtCounts = holdAtCounts
    }
}

/// What the fuelling side tells the pump.
package enum PumpCommand: Equatable, Sendable {
    /// A new sale: counts begin at zero; nothing opens yet.
    case beginSale
    /// Motor on, valves open, until the cut-off; nothing while the nozzle hangs.
    case open(CutOff)
    /// The same sale with other targets; valves that closed stay closed, but for those that were held.
    case retarget(CutOff)
    /// Everything off. Counting goes on.
    case close
    /// The sale is over and its counts are forgotten: those from now on belong to none.
    case endSale
}

/// What the pump shows of itself at one instant.
package struct MeterSnapshot: Equatable, Sendable {
    /// Counts of the sale, per calibration point.
    package var counts: [Int]
    /// Counts outside any sale since the start: a leaking valve, or a disturbed line.
    package var strayCounts = 0
    /// All counts since the start, per calibration point, in a sale or not. What of them is in no record is a difference
    /// that the fuelling side can take at any time.
    package var allCounts: [Int]
    /// Faults of the sale.
    package var faults = PulserFaults()
    package var outputs: PumpOutputs = []
    /// The outputs are off until the next targets come (``CutOff/holdAtCounts``).
    package var isHeld = false
    package var nozzleIsLifted = false
    package var emergencyIsActive = false
    /// When the last forward count of the sale came; nil before the first.
    package var lastCountNanoseconds: UInt64?
    /// The present calibration point.
    package var point = 0
    /// Counts when the valves last closed by a cut-off or a command.
    package var countsAtClosing: Int?

    package init(points: Int) {
        counts = Array(repeating: 0, count: points)
        allCounts = counts
    }

    package var totalCounts: Int { counts.reduce(0, +) }
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
}

/// The meter and the outputs of one nozzle, without I/O: edges and commands in, outputs and reports out.
///
/// It is what stops the fuel at the target: nothing that can block stands between the pulse and the valve.
/// Invariant: outputs are empty outside `open`, after the stop count and while the emergency line is active.
package struct MeterHead: Sendable {
    package private(set) var snapshot: MeterSnapshot
    private let calibration: Calibration
    private var pulser: Pulser
    private var baseFaults = PulserFaults()
    private var cutOff: CutOff?
    private var inSale = false
    private var window: (counts: Int, start: UInt64)?

    package init(
        calibration: Calibration,
        kind: PulserKind,
        levels: (a: Bool, b: Bool),
        nozzleIsLifted: Bool,
        emergency: Bool = false
    ) {
        self.calibration = calibration
        pulser = Pulser(kind: kind, levels: levels)
        snapshot = MeterSnapshot(points: calibration.points.count)
        snapshot.nozzleIsLifted = nozzleIsLifted
        snapshot.emergencyIsActive = emergency
    }

    package mutating func perform(_ command: PumpCommand) {
        switch command {
        case .beginSale:
            clear()
            baseFaults = pulser.faults
            window = nil
            inSale = true
        case .open(let cutOff):
            guard inSale, !snapshot.emergencyIsActive, snapshot.nozzleIsLifted else { return }
            self.cutOff = cutOff
            snapshot.countsAtClosing = nil
            snapshot.isHeld = false
            snapshot.outputs = [.motor, .mainValve, .slowValve]
            applyCutOff()
        case .retarget(let cutOff):
            if snapshot.isHeld {
                perform(.open(cutOff))
            } else if !snapshot.outputs.isEmpty {
                self.cutOff = cutOff
                applyCutOff()
            }
        case .close:
            close()
        case .endSale:
            clear()
            inSale = false
        }
    }

    private mutating func clear() {
        close()
        snapshot.counts = Array(repeating: 0, count: calibration.points.count)
        snapshot.faults = PulserFaults()
        snapshot.lastCountNanoseconds = nil
        snapshot.countsAtClosing = nil
    }

    package mutating func receive(_ edge: PumpEdge) -> PumpReport? {
        switch edge.input {
        case .pulser(let channel):
            return receivePulse(channel, edge)
        case .nozzle:
            guard snapshot.nozzleIsLifted != edge.rising else { return nil }
            snapshot.nozzleIsLifted = edge.rising
            if !edge.rising { close() }
            return .nozzle(lifted: edge.rising)
        case .emergency:
            snapshot.emergencyIsActive = edge.rising
            if edge.rising { close() }
            return .emergency(active: edge.rising)
        }
    }

    private mutating func receivePulse(_ channel: PulserChannel, _ edge: PumpEdge) -> PumpReport? {
        let faultsBefore = pulser.faults.total
        let gained = pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
        let point = snapshot.point
        if gained > 0 {
            snapshot.allCounts[point] += gained
            measureRate(gained, edge.nanoseconds)
        }
        guard inSale else {
            let tenth = max(1, calibration.countsPerLitre / 10)
            let before = snapshot.strayCounts / tenth
            snapshot.strayCounts += gained
            return snapshot.strayCounts / tenth > before ? .strayFlow : nil
        }
        var report: PumpReport?
        if pulser.faults.total != faultsBefore {
            snapshot.faults = pulser.faults.since(baseFaults)
            report = .pulserFault
        }
        if gained > 0 {
            snapshot.counts[point] += gained
            snapshot.lastCountNanoseconds = edge.nanoseconds
            if applyCutOff() { report = report ?? .countsReached }
        }
        return report
    }

    /// The flow rate is taken over a tenth of a litre.
    private mutating func measureRate(_ gained: Int, _ now: UInt64) {
        guard let begun = window else {
            window = (0, now)
            return
        }
        let counts = begun.counts + gained
        guard counts >= max(1, calibration.countsPerLitre / 10) else {
            window = (counts, begun.start)
            return
        }
        snapshot.point = calibration.point(counts: counts, nanoseconds: now &- begun.start)
        window = (0, now)
    }

    /// - Returns: whether there is something to report.
    @discardableResult
    private mutating func applyCutOff() -> Bool {
        guard var cutOff else { return false }
        let counts = snapshot.totalCounts
        var reports = false
        if counts >= cutOff.stopAtCounts {
            reports = !snapshot.outputs.isEmpty
            close()
        } else if counts >= cutOff.holdAtCounts, !snapshot.outputs.isEmpty {
            close()
            snapshot.isHeld = true
            reports = true
        } else if counts >= cutOff.slowAtCounts, snapshot.outputs.contains(.mainValve) {
            snapshot.outputs.remove(.mainValve)
            reports = true
        }
        if counts >= cutOff.reportAtCounts {
            cutOff.reportAtCounts = .max
            self.cutOff = cutOff
            reports = true
        }
        return reports
    }

    private mutating func close() {
        if !snapshot.outputs.isEmpty { snapshot.countsAtClosing = snapshot.totalCounts }
        snapshot.outputs = []
        snapshot.isHeld = false
    }
}

extension PulserFaults {
    func since(_ base: PulserFaults) -> PulserFaults {
        var difference = self
        for channel in 0..<2 {
            difference.missedEdges[channel] -= base.missedEdges[channel]
            difference.deadLegs[channel] -= base.deadLegs[channel]
            difference.sequenceGaps[channel] -= base.sequenceGaps[channel]
        }
        difference.bothTogether -= base.bothTogether
        return difference
    }
}
