/// The meter and the outputs of one nozzle, without I/O: edges and commands in, outputs and reports out.
///
/// It is what stops the fuel at the target: nothing that can block stands between the pulse and the valve.
/// Invariant: outputs are empty outside `open`, after the stop count and while the emergency line is active.
package struct MeterHead: Sendable {
    package private(set) var snapshot: MeterSnapshot
    private let calibration: Calibration
    private let limits: MeterLimits
    private var pulser: Pulser
    private var baseFaults = PulserFaults()
    /// All that were counted, in a sale or not.
    private var notedFaults = PulserFaults()
    /// Of the nozzle and emergency lines.
    private var switches = SwitchNumbers()
    /// Of the last gained count, which may be taken back.
    private var lastPoint = 0
    private var lastSequenceGaps = [0, 0]
    /// ``PulserGauge/measured`` of the snapshot's health.
    private var healthMeasured = 0
    /// Edges are lost, and with them perhaps one of the nozzle or emergency line: ``levelsRead(_:)`` has to tell.
    package private(set) var wantsLevels = false
    private var cutOff: CutOff?
    private var inSale = false
    /// Reverse counts of the sale that came while the valves were open: those not worked off, and since the last forward one.
    private var turnedBack = (all: 0, run: 0)
    private var channelsWereSwapped = false
    private var flow: FlowMeasurement

    package init(
        calibration: Calibration,
        kind: PulserKind,
        levels: (a: Bool, b: Bool),
        nozzleIsLifted: Bool,
        emergency: Bool = false,
        limits: MeterLimits = MeterLimits()
    ) {
        self.calibration = calibration
        self.limits = limits
        pulser = Pulser(kind: kind, levels: levels, limits: limits)
        flow = FlowMeasurement(calibration)
        snapshot = MeterSnapshot(points: calibration.points.count)
        snapshot.nozzleIsLifted = nozzleIsLifted
        snapshot.emergencyIsActive = emergency
    }

    package mutating func perform(_ command: PumpCommand) {
        switch command {
        case .beginSale:
            clear()
            // A technician has put that right, and nothing had flowed back.
            if channelsWereSwapped { pulser.forgetReverse() }
            channelsWereSwapped = false
            turnedBack = (0, 0)
            baseFaults = faults
            flow.begin()
            snapshot.millilitresPerMinute = 0
            inSale = true
        case .open(let cutOff):
            guard inSale, snapshot.stop == nil, !snapshot.emergencyIsActive, snapshot.nozzleIsLifted else { return }
            self.cutOff = cutOff
            flow.pause()
            forgetClosing()
            snapshot.isHeld = false
            snapshot.outputs = [.motor, .mainValve, .slowValve]
            pulser.flowChanges()
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
        snapshot.ofSale = PointCounts(points: calibration.points.count)
        snapshot.faults = PulserFaults()
        snapshot.firstCountNanoseconds = nil
        snapshot.lastCountNanoseconds = nil
        forgetClosing()
        snapshot.stop = nil
    }

    private mutating func forgetClosing() {
        snapshot.countsAtClosing = nil
        snapshot.closing = nil
        snapshot.changeOver = nil
    }

    package mutating func receive(_ edge: PumpEdge) -> PumpReport? {
        switch edge.input {
        case .pulser(let channel):
            return receivePulse(channel, edge)
        case .nozzle:
            let gap = noteSwitchGap(switches.lost(nozzle: edge.sequence))
            return nozzle(lifted: edge.rising) ?? gap
        case .emergency:
            let gap = noteSwitchGap(switches.lost(emergency: edge.sequence))
            return emergency(active: edge.rising) ?? gap
        }
    }

    /// The pump's thread stood still while the valves were open.
    package mutating func stoodStill(milliseconds: Int) -> PumpReport? {
        snapshot.outputs.isEmpty ? nil : stop(.frozen(milliseconds: milliseconds))
    }

    /// What the nozzle and emergency lines read now, after edges were lost.
    package mutating func levelsRead(nozzleIsLifted: Bool, emergency isActive: Bool) -> [PumpReport] {
        wantsLevels = false
        return [nozzle(lifted: nozzleIsLifted), emergency(active: isActive)].compactMap(\.self)
    }

    private mutating func nozzle(lifted: Bool) -> PumpReport? {
        guard snapshot.nozzleIsLifted != lifted else { return nil }
        snapshot.nozzleIsLifted = lifted
        if !lifted { close() }
        return .nozzle(lifted: lifted)
    }

    private mutating func emergency(active: Bool) -> PumpReport? {
        guard snapshot.emergencyIsActive != active else { return nil }
        snapshot.emergencyIsActive = active
        if active { close() }
        return .emergency(active: active)
    }

    private mutating func noteSwitchGap(_ lost: Int) -> PumpReport? {
        guard lost > 0 else { return nil }
        wantsLevels = true
        return noteFaults()
    }

    private var faults: PulserFaults {
        var faults = pulser.faults
        faults.switchGaps = switches.lostEdges
        return faults
    }

    private mutating func noteFaults() -> PumpReport? {
        let faults = faults
        defer { notedFaults = faults }
        guard inSale else {
            snapshot.strayFaults = snapshot.strayFaults + faults.since(notedFaults)
            return .strayFault
        }
        snapshot.faults = faults.since(baseFaults)
        return .pulserFault
    }

    private mutating func receivePulse(_ channel: PulserChannel, _ edge: PumpEdge) -> PumpReport? {
        let faultsBefore = pulser.faultCount
        let reverseBefore = pulser.reverse
        let gained = pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
        if pulser.gauge.measured != healthMeasured {
            healthMeasured = pulser.gauge.measured
            snapshot.health = pulser.health
        }
        var report: PumpReport?
        noteTurn(back: pulser.reverse - reverseBefore, gained)
        if pulser.faultCount != faultsBefore { report = pulserFault() }
        if gained != 0 { report = gain(gained, edge.nanoseconds) ?? report }
        if !snapshot.outputs.isEmpty, pulser.reverse > reverseBefore || report == .pulserFault {
            report = stopForPulser(channel) ?? report
        }
        return report
    }

    private mutating func noteTurn(back: Int, _ gained: Int) {
        if back > 0 {
            guard !snapshot.outputs.isEmpty else { return }
            turnedBack.all += back
            turnedBack.run += back
        } else if back < 0 || gained > 0 {
            turnedBack.run = 0
            turnedBack.all = min(turnedBack.all, pulser.reverse)
        }
    }

    private mutating func pulserFault() -> PumpReport? {
        // What the queue dropped may have been an edge of any line.
        if pulser.faults.sequenceGaps != lastSequenceGaps {
            lastSequenceGaps = pulser.faults.sequenceGaps
            wantsLevels = true
        }
        return noteFaults()
    }

    private mutating func gain(_ gained: Int, _ now: UInt64) -> PumpReport? {
        share(gained)
        guard inSale else {
            let tenth = max(1, calibration.countsPerLitre / 10)
            let before = snapshot.strayCounts / tenth
            snapshot.strayCounts = max(0, snapshot.strayCounts + gained)
            if gained > 0 { measureRate(gained, now) }
            return snapshot.strayCounts / tenth > before ? .strayFlow : nil
        }
        guard gained > 0 else { return nil }
        measureRate(gained, now)
        snapshot.firstCountNanoseconds = snapshot.firstCountNanoseconds ?? now
        snapshot.lastCountNanoseconds = now
        return applyCutOff(countedAt: now) ? .countsReached : nil
    }

    /// Gives each count to its calibration point; one that is taken back goes where the last one was.
    private mutating func share(_ gained: Int) {
        guard gained > 0 else { return add(gained, lastPoint) }
        for _ in 0..<gained {
            lastPoint = flow.nextPoint()
            add(1, lastPoint)
        }
    }

    private mutating func add(_ counts: Int, _ point: Int) {
        snapshot.ofAll[point] = max(0, snapshot.ofAll[point] + counts)
        if inSale { snapshot.ofSale[point] = max(0, snapshot.ofSale[point] + counts) }
    }

    /// While the valves are open, nothing flows uncounted.
    private mutating func stopForPulser(_ channel: PulserChannel) -> PumpReport? {
        if turnedBack.all > limits.reverseCountsMax { return stop(.reversed(counts: turnedBack.all)) }
        if turnedBack.run >= limits.reverseAloneCountsMax {
            channelsWereSwapped = true
            return stop(.swapped)
        }
        let dead = snapshot.faults.deadLegs
        if dead != [0, 0] { return stop(.deadChannel(dead[0] > 0 ? .a : .b)) }
        return nil
    }

    private mutating func stop(_ cause: MeterStop) -> PumpReport {
        close()
        snapshot.stop = cause
        return .stopped(cause)
    }

    private mutating func measureRate(_ gained: Int, _ now: UInt64) {
        guard flow.count(gained, now) else { return }
        snapshot.millilitresPerMinute = flow.millilitresPerMinute
        let counts = snapshot.totalCounts
        if !snapshot.outputs.isEmpty { snapshot.changeOver?.measured(flow.millilitresPerMinute, counts: counts) }
    }

    /// - Parameter now: of the count that flowed; nil where none did.
    /// - Returns: whether there is something to report.
    @discardableResult
    private mutating func applyCutOff(countedAt now: UInt64? = nil) -> Bool {
        guard var cutOff else { return false }
        let counts = snapshot.totalCounts
        var reports = false
        if counts >= cutOff.stopAtCounts {
            reports = !snapshot.outputs.isEmpty
            closeByCutOff(isFlowing: now != nil)
        } else if counts >= cutOff.holdAtCounts, !snapshot.outputs.isEmpty {
            closeByCutOff(isFlowing: now != nil)
            snapshot.isHeld = true
            reports = true
        } else if counts >= cutOff.slowAtCounts, snapshot.outputs.contains(.mainValve) {
            snapshot.outputs.remove(.mainValve)
            if let now {
                snapshot.changeOver = ChangeOver(
                    counts: counts,
                    nanoseconds: now,
                    millilitresPerMinute: snapshot.millilitresPerMinute
                )
            }
            pulser.flowChanges()
            reports = true
        }
        if counts >= cutOff.reportAtCounts {
            cutOff.reportAtCounts = .max
            self.cutOff = cutOff
            reports = true
        }
        return reports
    }

    private mutating func closeByCutOff(isFlowing: Bool) {
        if !snapshot.outputs.isEmpty, isFlowing {
            snapshot.closing = ValveClosing(
                counts: snapshot.totalCounts,
                millilitresPerMinute: snapshot.millilitresPerMinute,
                isOfMainValve: snapshot.outputs.contains(.mainValve)
            )
        }
        close()
    }

    private mutating func close() {
        if !snapshot.outputs.isEmpty {
            snapshot.countsAtClosing = snapshot.totalCounts
            pulser.flowChanges()
        }
        snapshot.outputs = []
        snapshot.isHeld = false
    }
}

/// The kernel's numbers on the lines that are no pulser's.
private struct SwitchNumbers: Sendable {
    private var last: (nozzle: UInt32, emergency: UInt32) = (0, 0)
    private(set) var lostEdges = 0

    /// - Returns: how many edges of the line are missing before this one.
    mutating func lost(nozzle sequence: UInt32) -> Int {
        defer { last.nozzle = sequence }
        return count(sequence, after: last.nozzle)
    }

    mutating func lost(emergency sequence: UInt32) -> Int {
        defer { last.emergency = sequence }
        return count(sequence, after: last.emergency)
    }

    private mutating func count(_ sequence: UInt32, after previous: UInt32) -> Int {
        let lost = max(0, Int(Int32(bitPattern: sequence &- previous)) - 1)
        lostEdges += lost
        return lost
    }
}
