package import Dispenser
package import FuelPassbook
import ISO7816
package import Metering

/// A forecourt on a virtual clock and one thread: time passes only while the position waits.
///
/// It is the position's clock, its events and its pump; what customers do stands in an agenda. Fuel flows at a given
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

    package private(set) var monotonicNanoseconds: UInt64 = 0
    /// The pulser's true position, in counts since the start.
    package private(set) var trueCounts = 0
    /// What the customer takes at most in this sale, in counts; fuel stops there by itself.
    package var countsWanted = Int.max
    /// By how many seconds the board's clock is wrong.
    package var clockErrorSeconds = 0
    /// Called after each count that fuel flow adds.
    package var onCount: (VirtualSite) -> Void = { _ in }

    private let firstDay: CalendarDate
    /// The last day that was asked for: days since the first, and its date.
    private var day: (number: Int, date: CalendarDate)
    private var head: MeterHead
    private let flow: Flow
    private var agenda: [(time: UInt64, action: (VirtualSite) -> Void)] = []
    private var events: [PositionEvent] = []
    private var nextEdgeAt: UInt64?
    private var overrunLeft = 0
    private var sequences: [UInt32] = [0, 0]

    package init(calibration: Calibration, flow: Flow, date: CalendarDate) {
        head = MeterHead(
            calibration: calibration,
            kind: .quadrature(.alarm),
            levels: (false, false),
            nozzleIsLifted: false
        )
        self.flow = flow
        firstDay = date
        day = (0, date)
    }

    /// The board's clock: it began at midnight of the site's date.
    package var localTime: TransactionTime? {
        let now = max(0, Int(monotonicNanoseconds / 1_000_000_000) + clockErrorSeconds)
        let seconds = now % 86_400
        let number = now / 86_400
        if number < day.number { day = (0, firstDay) }
        while day.number < number { day = (day.number + 1, day.date.next) }
        do throws(ParseError) {
            return try TransactionTime(
                date: day.date,
                hour: seconds / 3_600,
                minute: seconds / 60 % 60,
                second: seconds % 60
            )
        } catch {
            preconditionFailure("a time of day is one")
        }
    }

    package var snapshot: MeterSnapshot { head.snapshot }

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

    /// The terminal restarts with other settings of its meter.
    package func restart(calibration: Calibration) {
        let levels = (a: (1...2).contains(trueCounts % 4), b: (2...3).contains(trueCounts % 4))
        head = MeterHead(
            calibration: calibration,
            kind: .quadrature(.alarm),
            levels: levels,
            nozzleIsLifted: head.snapshot.nozzleIsLifted
        )
    }

    /// Drops what was to happen, and events that nobody took: the terminal restarts, the world goes on.
    package func clearAgenda() {
        agenda = []
        events = []
    }

    /// An edge on channel A that repeats the last level, as a missed edge leaves it.
    package func disturbPulser() {
        sequences[0] += 1
        let level = trueCounts % 4 == 1 || trueCounts % 4 == 2
        let edge = PumpEdge(
            input: .pulser(.a),
            rising: level,
            nanoseconds: monotonicNanoseconds,
            sequence: sequences[0]
        )
        if let report = head.receive(edge) { post(.pump(report)) }
    }

    package func post(_ event: PositionEvent) { events.append(event) }

    /// So many counts come with the valves closed: they leak.
    package func leak(counts: Int) {
        countsWanted = max(countsWanted, trueCounts + counts)
        overrunLeft += counts
        scheduleFlow()
    }

    /// Nothing is going to happen by itself.
    var isStill: Bool { agenda.isEmpty && events.isEmpty && nextEdgeAt == nil }

    package func setEmergency(active: Bool) {
        let edge = PumpEdge(input: .emergency, rising: active, nanoseconds: monotonicNanoseconds, sequence: 0)
        if let report = head.receive(edge) { post(.pump(report)) }
        scheduleFlow()
    }

    /// Time passes in which the position does something else than wait: fuel flows on and events gather.
    package func pass(_ seconds: Double) {
        let end = monotonicNanoseconds + UInt64(seconds * 1_000_000_000)
        while happens(until: end) {}
    }

    package func setNozzle(lifted: Bool) {
        let edge = PumpEdge(input: .nozzle, rising: lifted, nanoseconds: monotonicNanoseconds, sequence: 0)
        if let report = head.receive(edge) { post(.pump(report)) }
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

    package func next(until deadline: UInt64?) -> PositionEvent? {
        let event = event(until: deadline)
        precondition(event != nil || deadline != nil, "nothing will ever happen at this site")
        return event
    }

    /// The next event, or nil when nothing happens any more, or not before `deadline`.
    func event(until deadline: UInt64?) -> PositionEvent? {
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
        guard instant < never else { return false }
        monotonicNanoseconds = max(monotonicNanoseconds, instant)
        if let first = agenda.first, first.time <= instant {
            agenda.removeFirst().action(self)
        } else if let edge = nextEdgeAt, edge <= instant {
            deliverEdge()
        } else {
            return false
        }
        return true
    }

    private var edgeInterval: UInt64? {
        guard trueCounts < countsWanted else { return nil }
        let outputs = head.snapshot.outputs
        if outputs.contains(.mainValve) { return 1_000_000_000 / flow.countsPerSecond }
        if outputs.contains(.slowValve) || overrunLeft > 0 { return 1_000_000_000 / flow.slowCountsPerSecond }
        return nil
    }

    private func scheduleFlow() {
        guard let edgeInterval else {
            nextEdgeAt = nil
            return
        }
        if nextEdgeAt == nil { nextEdgeAt = monotonicNanoseconds + edgeInterval }
    }

    private func deliverEdge() {
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
        sequences[channel.rawValue] += 1
        let edge = PumpEdge(
            input: .pulser(channel),
            rising: (from % 4 < 2) == forward,
            nanoseconds: monotonicNanoseconds,
            sequence: sequences[channel.rawValue]
        )
        if let report = head.receive(edge) { post(.pump(report)) }
    }
}

// MARK: - Faults

extension VirtualSite {
    /// The pulser turns back by `counts` and forward again, one step in a microsecond.
    package func rockPulser(counts: Int) {
        for step in 0..<2 * min(counts, trueCounts) {
            monotonicNanoseconds += 1_000
            turnPulser(forward: step >= min(counts, trueCounts))
        }
    }

    /// A count whose edge nobody hears of; its sequence number is missing too when the kernel's queue lost it.
    package func losePulse(inQueue: Bool) {
        if inQueue { sequences[trueCounts % 2] += 1 }
        trueCounts += 1
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
