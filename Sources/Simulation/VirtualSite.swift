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

    private let midnight: CalendarDate
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
        midnight = date
    }

    /// Seconds since midnight of the site's date; the date stays.
    package var localTime: TransactionTime? {
        let seconds = Int(monotonicNanoseconds / 1_000_000_000) % 86_400
        do throws(ParseError) {
            return try TransactionTime(
                date: midnight,
                hour: seconds / 3_600,
                minute: seconds / 60 % 60,
                second: seconds % 60
            )
        } catch {
            preconditionFailure("a time of day is one")
        }
    }

    package var snapshot: MeterSnapshot { head.snapshot }

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
        while events.isEmpty {
            guard happens(until: deadline) else { return nil }
        }
        return events.removeFirst()
    }

    /// Lets the next thing happen.
    ///
    /// - Returns: false when nothing happened before `deadline`, which the clock then shows.
    private func happens(until deadline: UInt64?) -> Bool {
        let instant = [agenda.first?.time, nextEdgeAt, deadline].compactMap(\.self).min()
        guard let instant else { preconditionFailure("nothing will ever happen at this site") }
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
        let channel: PulserChannel = trueCounts % 2 == 0 ? .a : .b
        let rising = trueCounts % 4 < 2
        trueCounts += 1
        sequences[channel.rawValue] += 1
        let wasOpen = !head.snapshot.outputs.isEmpty
        if !wasOpen { overrunLeft -= 1 }
        let edge = PumpEdge(
            input: .pulser(channel),
            rising: rising,
            nanoseconds: monotonicNanoseconds,
            sequence: sequences[channel.rawValue]
        )
        if let report = head.receive(edge) { post(.pump(report)) }
        if wasOpen && head.snapshot.outputs.isEmpty { overrunLeft = flow.overrunCounts }
        nextEdgeAt = edgeInterval.map { monotonicNanoseconds + $0 }
    }
}
