package import Dispenser
import FuelPassbook
import ISO7816
package import Metering
package import Quantities
package import VirtualPump

/// One side's place of a forecourt, on a virtual clock: time passes only while the side waits.
///
/// It is the side's clock, its events and its pump; what customers do stands in an agenda. Fuel flows at a given
/// rate while a valve is open, one edge after the other through the same `MeterHead` that counts a real pulser.
package final class VirtualSite: StationClock, EventSource, Pump {
    package struct Flow: Sendable {
        /// Counts a second with the main valve open.
        package var countsPerSecond: UInt64
        /// Counts a second with the slow-flow valve alone.
        package var slowCountsPerSecond: UInt64
        /// Counts that still come when the valves have closed.
        package var overrunCounts: Int

        package init(countsPerSecond: UInt64, slowCountsPerSecond: UInt64, overrunCounts: Int) {
            self.countsPerSecond = countsPerSecond
            self.slowCountsPerSecond = slowCountsPerSecond
            self.overrunCounts = overrunCounts
        }
    }

    /// The kernel's, of `GPIOPumpLines`.
    private static let queueMax = 1_024
    /// As `PumpThread` has it.
    private static let frozenNanoseconds: UInt64 = 1_000_000_000

    /// The pulser's true side, in counts since the start.
    package internal(set) var trueCounts = 0
    /// What the customer takes at most in this sale, in counts; fuel stops there by itself.
    package var countsWanted = Int.max
    /// Called after each count that fuel flow adds.
    package var onCount: (VirtualSite) -> Void = { _ in }
    /// Called with each edge that the kernel sees.
    package var onEdge: (PumpEdge) -> Void = { _ in }

    /// Called before the next thing happens here, at this instant: whether what comes before it elsewhere has happened
    /// instead. nil where there is one site.
    var giveWay: ((_ instant: UInt64) -> Bool)?

    private let clock: VirtualClock
    private let firstSecond: Int
    private(set) var head: MeterHead
    private let security: PulserSecurity
    private let limits: MeterLimits
    let flow: Flow
    private var agenda: [(time: UInt64, action: (VirtualSite) -> Void)] = []
    private var events: [SideEvent] = []
    var nextEdgeAt: UInt64?
    var overrunLeft = 0
    /// What the flow does instead of ``Flow``; nil for valves that close at once.
    package var valves: ValveModel?
    var numbers = EdgeNumbers()
    /// What the kernel's queue holds while the process stands still; nil while it runs.
    private var queue: [PumpEdge]?
    /// By a full queue, since the beginning.
    private(set) var edgesDropped = 0
    /// What the pulser makes of the fuel that flows.
    var lies = SiteLies()
    /// Called with what the books have to know of it.
    var onLie: (LieMoment) -> Void = { _ in }
    /// A's line is on B's input.
    private var isSwapped = false
    private var isLifted = false
    private var isEmergency = false
    /// Edges of each channel that come to nobody, and have no number.
    private var silentEdges = [0, 0]

    package init(
        calibration: Calibration,
        flow: Flow,
        date: CalendarDate,
        clock: VirtualClock = VirtualClock(),
        security: PulserSecurity = .alarm,
        limits: MeterLimits = MeterLimits()
    ) {
        self.clock = clock
        self.limits = limits
        self.security = security
        head = MeterHead(
            calibration: calibration,
            kind: .quadrature(security),
            levels: (false, false),
            nozzleIsLifted: false,
            limits: limits
        )
        self.flow = flow
        firstSecond = date.daysSince1970 * 86_400
    }

    package var monotonicNanoseconds: UInt64 { clock.nanoseconds }

    package var clockErrorSeconds: Int {
        get { clock.errorSeconds }
        set { clock.errorSeconds = newValue }
    }

    package var localOffsetSeconds: Int {
        get { clock.localOffsetSeconds }
        set { clock.localOffsetSeconds = newValue }
    }

    /// The board's clock: it began at midnight of the site's date, in UTC.
    package var now: StationTime? {
        let utc = firstSecond + max(0, Int(monotonicNanoseconds / 1_000_000_000) + clockErrorSeconds)
        do throws(ParseError) {
            let local = try TransactionTime(secondsSince1970: utc + localOffsetSeconds)
            return StationTime(utcSeconds: Int64(utc), local: local)
        } catch {
            preconditionFailure("a time of day is one")
        }
    }

    package var snapshot: MeterSnapshot { head.snapshot }

    /// Another count is to come.
    var isFlowing: Bool { nextEdgeAt != nil }

    /// Some output is on.
    var isOpen: Bool { !head.snapshot.outputs.isEmpty }

    /// The nozzle is lifted and there is no emergency.
    var mayBeOpen: Bool { head.snapshot.nozzleIsLifted && !head.snapshot.emergencyIsActive }

    /// Does `action` when the clock reaches `seconds` from now.
    package func after(_ seconds: Double, _ action: @escaping (VirtualSite) -> Void) {
        let time = monotonicNanoseconds + UInt64(seconds * 1_000_000_000)
        let index = agenda.firstIndex { $0.time > time } ?? agenda.endIndex
        agenda.insert((time, action), at: index)
    }

    /// The terminal restarts, with other settings of its meter or the same: its lines are requested anew, and so their
    /// edges numbered.
    package func restart(calibration: Calibration) {
        numbers = EdgeNumbers()
        lies = SiteLies()
        let levels = (a: (1...2).contains(trueCounts % 4), b: (2...3).contains(trueCounts % 4))
        head = MeterHead(
            calibration: calibration,
            kind: .quadrature(security),
            levels: isSwapped ? (levels.b, levels.a) : levels,
            nozzleIsLifted: isLifted,
            emergency: isEmergency,
            limits: limits
        )
    }

    /// Drops what was to happen, and events that nobody took: the terminal restarts, the world goes on.
    package func clearAgenda() {
        agenda = []
        events = []
    }

    /// An edge on channel A that repeats the last level, as a missed edge leaves it.
    package func disturbPulser() {
        deliver(.pulser(.a), rising: trueCounts % 4 == 1 || trueCounts % 4 == 2)
    }

    package func post(_ event: SideEvent) { events.append(event) }

    /// So many counts come with the valves closed: they leak.
    package func leak(counts: Int) {
        countsWanted = max(countsWanted, trueCounts + counts)
        overrunLeft += counts
        scheduleFlow()
    }

    /// Nothing is going to happen by itself.
    var isStill: Bool { agenda.isEmpty && events.isEmpty && nextEdgeAt == nil }

    package func setEmergency(active: Bool) {
        isEmergency = active
        deliver(.emergency, rising: active)
        scheduleFlow()
    }

    /// Time passes in which the side does something else than wait: fuel flows on and events gather.
    package func pass(_ seconds: Double) {
        let end = monotonicNanoseconds + UInt64(seconds * 1_000_000_000)
        while happens(until: end) {}
    }

    /// The same while nothing happens here, nor anywhere else.
    func passStill(seconds: Int) { clock.passStill(seconds: seconds) }

    package func setNozzle(lifted: Bool) {
        isLifted = lifted
        deliver(.nozzle, rising: lifted)
        scheduleFlow()
    }

    // MARK: - Pump

    package func perform(_ command: PumpCommand) throws(PumpFault) {
        let wasOpen = !head.snapshot.outputs.isEmpty
        head.perform(command)
        if wasOpen && head.snapshot.outputs.isEmpty { overrunLeft = flow.overrunCounts }
        scheduleFlow()
    }

    // MARK: - EventSource

    package func next(until deadline: UInt64?) -> SideEvent? {
        let event = event(until: deadline)
        precondition(event != nil || deadline != nil, "nothing will ever happen at this site")
        return event
    }

    /// The next event, or nil when nothing happens any more, or not before `deadline`.
    func event(until deadline: UInt64?) -> SideEvent? {
        while events.isEmpty {
            guard happens(until: deadline) else { return nil }
        }
        return events.removeFirst()
    }

    /// Lets the next thing happen.
    ///
    /// - Returns: false when nothing happened before `deadline`, which the clock then shows.
    private func happens(until deadline: UInt64?) -> Bool {
        let never = UInt64.max
        let instant = min(agenda.first?.time ?? never, nextEdgeAt ?? never, deadline ?? never)
        if let giveWay, giveWay(instant) { return true }
        guard instant < never else { return false }
        clock.nanoseconds = max(clock.nanoseconds, instant)
        if let first = agenda.first, first.time <= instant {
            agenda.removeFirst().action(self)
        } else if let edge = nextEdgeAt, edge <= instant {
            deliverEdge()
        } else {
            return false
        }
        return true
    }

    var edgeInterval: UInt64? { lies.pulser == nil ? ownInterval : lyingInterval }

    /// Of the pulser that turns as the fuel does; nil while none flows.
    var ownInterval: UInt64? {
        guard trueCounts < countsWanted, isLifted || queue == nil else { return nil }
        let outputs = head.snapshot.outputs
        if outputs.contains(.mainValve) { return 1_000_000_000 / flow.countsPerSecond }
        if outputs.contains(.slowValve) || overrunLeft > 0 { return 1_000_000_000 / flow.slowCountsPerSecond }
        return nil
    }

    private func scheduleFlow() {
        noteValves()
        if valves != nil {
            valves?.set(head.snapshot.outputs, now: monotonicNanoseconds)
            let flows = trueCounts < countsWanted && isLifted
            nextEdgeAt = flows ? valves?.nextCount : nil
            return
        }
        nextEdgeAt = edgeInterval.map { nextEdgeAt ?? monotonicNanoseconds + $0 }
    }

    private func deliverEdge() {
        guard valves == nil else {
            valves?.takeCount(at: monotonicNanoseconds)
            turnPulser(forward: true)
            scheduleFlow()
            onCount(self)
            return
        }
        guard !beginsToLie() else { return deliverLie() }
        let wasOpen = !head.snapshot.outputs.isEmpty
        if !wasOpen { overrunLeft -= 1 }
        turnPulser(forward: true)
        if wasOpen && head.snapshot.outputs.isEmpty { overrunLeft = flow.overrunCounts }
        nextEdgeAt = edgeInterval.map { monotonicNanoseconds + $0 }
        onCount(self)
    }

    /// A leads B forward: A rises, B rises, A falls, B falls.
    private func turnPulser(forward: Bool) {
        let from = forward ? trueCounts : trueCounts - 1
        trueCounts += forward ? 1 : -1
        let channel: PulserChannel = from % 2 == 0 ? .a : .b
        guard silentEdges[channel.rawValue] == 0 else {
            silentEdges[channel.rawValue] -= 1
            return
        }
        deliver(.pulser(isSwapped ? channel.swapped : channel), rising: (from % 4 < 2) == forward)
    }

    /// The next edge of this input, to the meter or into the queue.
    ///
    /// - Returns: what the meter reports.
    @discardableResult
    func deliver(_ input: PumpInput, rising: Bool) -> PumpReport? {
        let edge = PumpEdge(
            input: input,
            rising: rising,
            nanoseconds: monotonicNanoseconds,
            sequence: numbers.next(input)
        )
        onEdge(edge)
        guard queue == nil else {
            queue?.append(edge)
            if queue?.count ?? 0 > Self.queueMax {
                queue?.removeFirst()
                edgesDropped += 1
            }
            return nil
        }
        let report = head.receive(edge)
        if let report { post(.pump(report)) }
        return report
    }
}

// MARK: - Faults

extension VirtualSite {
    /// The pulser turns back by `counts` and forward again, one step in a tenth of a millisecond.
    package func rockPulser(counts: Int) {
        let back = min(counts, trueCounts)
        for step in 0..<2 * back {
            clock.nanoseconds += 100_000
            turnPulser(forward: step >= back)
        }
    }

    /// A count whose edge nobody hears of; its sequence number is missing too when the kernel's queue lost it.
    package func losePulse(inQueue: Bool) {
        if inQueue { loseInQueue(edges: 1) } else { trueCounts += 1 }
    }

    /// So many edges of both channels come next, and the kernel's queue drops them: their numbers show it.
    package func loseInQueue(edges: Int) {
        for _ in 0..<edges {
            let channel: PulserChannel = trueCounts % 2 == 0 ? .a : .b
            _ = numbers.next(.pulser(isSwapped ? channel.swapped : channel))
            trueCounts += 1
        }
    }

    /// So many of the next edges of one channel reach nobody and have no number; the other goes on. No number and, when
    /// they are even, no level shows it.
    package func loseSilently(edges: Int, of channel: PulserChannel) { silentEdges[channel.rawValue] += edges }

    /// The pulser's plug is turned while the shaft stands between two edges: from now on A is B. Twice is as before.
    package func swapChannels() { isSwapped.toggle() }

    /// The process stands still: its outputs stay as they are, fuel flows, the kernel's queue takes what it holds, and
    /// customers do what they do. Then the pump's thread runs first, as `PumpTurns` does: it closes, and takes what is in
    /// the queue.
    package func freeze(seconds: Double) {
        guard queue == nil else { return }
        let begin = monotonicNanoseconds
        queue = []
        pass(seconds)
        let edges = queue ?? []
        queue = nil
        let nanoseconds = monotonicNanoseconds - begin
        if nanoseconds > Self.frozenNanoseconds,
            let report = head.stoodStill(milliseconds: Int(nanoseconds / 1_000_000))
        {
            overrunLeft = flow.overrunCounts
            post(.pump(report))
        }
        for edge in edges {
            let wasOpen = isOpen
            if let report = head.receive(edge) { post(.pump(report)) }
            if wasOpen && !isOpen { overrunLeft = flow.overrunCounts }
        }
        if head.wantsLevels {
            for report in head.levelsRead(nozzleIsLifted: isLifted, emergency: isEmergency) { post(.pump(report)) }
        }
        scheduleFlow()
    }

    /// The mains are gone: the lines fall to their inactive levels, and nobody counts the overrun.
    package func losePower() {
        if !head.snapshot.outputs.isEmpty { trueCounts += flow.overrunCounts }
        head.perform(.close)
        overrunLeft = 0
        nextEdgeAt = nil
        clearAgenda()
    }
}

extension PulserChannel {
    fileprivate var swapped: PulserChannel {
        switch self {
        case .a: .b
        case .b: .a
        }
    }
}
