import Metering

/// Fuel, pulser, nozzle and customer of ``SimulatedPumpLines``, as far as they have come.
struct SimulatedFlow: Sendable {
    private enum Flow {
        case still
        case flowing(nextEdge: UInt64)
        /// After the valves have closed.
        case overrunning(counts: Int, nextEdge: UInt64)
    }

    private enum Customer {
        case away
        case coming(at: UInt64)
        /// Has enough at `stopAtCounts`; gives up at an instant while the valves have stopped the flow.
        case taking(stopAtCounts: Int, givesUpAt: UInt64?)
        /// Has let go of the nozzle's trigger.
        case leaving(at: UInt64)
    }

    /// As `GPIOPumpLines` asks the kernel for.
    static let queueMax = 1_024
    /// An owner that is later than this stood still, and the world did not wait for it.
    private static let lateNanosecondsMax: UInt64 = 500_000_000

    private(set) var script: SimulatedPumpLines.Script
    var fault: PumpFault?
    var isWoken = false
    private(set) var outputs: PumpOutputs = []
    private(set) var counts = 0

    private var flow = Flow.still
    private var valves: ValveModel?
    private var customer = Customer.away
    private var nozzleIsLifted = false
    private var emergencyIsActive = false
    /// The kernel's: edges that nobody took yet, in the order of their times.
    private var queue: [PumpEdge] = []
    private var numbers = EdgeNumbers()

    init(script: SimulatedPumpLines.Script) {
        self.script = script
        valves = script.valves
    }

    /// A leads B while fuel flows: A rises, B rises, A falls, B falls.
    var levels: PumpLevels {
        let quarter = script.hasChannelB ? counts % 4 : counts % 2 * 2
        return PumpLevels(
            a: quarter == 1 || quarter == 2,
            b: script.hasChannelB && quarter >= 2,
            nozzle: nozzleIsLifted,
            emergency: emergencyIsActive
        )
    }

    /// As of lines that were just requested: their edges are in the levels, and numbered anew.
    mutating func begin() -> PumpLevels {
        queue = []
        numbers = EdgeNumbers()
        return levels
    }

    /// When something happens next; nil when nothing will by itself.
    var nextInstant: UInt64? { [queue.first?.nanoseconds, nextUnqueued].compactMap(\.self).min() }

    private var nextUnqueued: UInt64? { [nextPulse, customerInstant].compactMap(\.self).min() }

    /// The earliest edge that is due.
    mutating func takeEdge(now: UInt64) -> PumpEdge? {
        catchUp(now: now)
        while let instant = nextInstant, instant <= now {
            if let first = queue.first, first.nanoseconds == instant { return queue.removeFirst() }
            if nextPulse == instant { return pulse(at: instant) }
            moveCustomer(at: instant)
        }
        return nil
    }

    mutating func set(_ outputs: PumpOutputs, now: UInt64) {
        catchUp(now: now)
        let hasFlowed = isFlowing
        self.outputs = outputs
        valves?.set(outputs, now: now)
        watchFlow(now: now, hasFlowed: hasFlowed)
        guard valves == nil else { return }
        switch (flow, edgeNanoseconds) {
        case (.still, let interval?), (.overrunning, let interval?): flow = .flowing(nextEdge: now + interval)
        // By its own clock: an owner that took an edge late would else make the fuel wait.
        case (.flowing(let nextEdge), let interval?): flow = .flowing(nextEdge: nextEdge + interval)
        case (.flowing(let nextEdge), nil):
            flow = .still
            if script.overrunCounts > 0 { flow = .overrunning(counts: script.overrunCounts, nextEdge: nextEdge) }
        case (.still, nil), (.overrunning, nil): break
        }
    }

    /// What happened while the owner stood still: the queue holds the newest edges, and their numbers show the others.
    private mutating func catchUp(now: UInt64) {
        guard let begin = nextUnqueued, begin + Self.lateNanosecondsMax < now else { return }
        while let instant = nextUnqueued, instant <= now {
            if nextPulse == instant { note(pulse(at: instant)) } else { moveCustomer(at: instant) }
        }
    }

    private mutating func note(_ edge: PumpEdge) {
        queue.append(edge)
        if queue.count > Self.queueMax { queue.removeFirst() }
    }

    mutating func customerComes(now: UInt64) { customer = .coming(at: now + script.liftNanoseconds) }

    mutating func customerComes(_ centilitres: Int, _ litresPerMinute: Int, now: UInt64) {
        script.centilitres = centilitres
        script.litresPerMinute = litresPerMinute
        customerComes(now: now)
    }

    mutating func moveNozzle(lifted: Bool, now: UInt64) {
        guard nozzleIsLifted != lifted else { return }
        nozzleIsLifted = lifted
        if !lifted { flow = .still }
        set(outputs, now: now)
        note(edge(.nozzle, rising: lifted, at: now))
    }

    mutating func setEmergency(_ active: Bool, now: UInt64) {
        guard emergencyIsActive != active else { return }
        emergencyIsActive = active
        note(edge(.emergency, rising: active, at: now))
    }

    /// Between two edges with the outputs and the nozzle as they are; nil when no fuel flows.
    private var edgeNanoseconds: UInt64? {
        if case .leaving = customer { return nil }
        guard nozzleIsLifted, outputs.contains(.motor) else { return nil }
        if outputs.contains(.mainValve) { return script.edgeNanoseconds }
        return outputs.contains(.slowValve) ? 10 * script.edgeNanoseconds : nil
    }

    private var isFlowing: Bool {
        if valves != nil { return !outputs.isEmpty }
        if case .flowing = flow { return true }
        return false
    }

    private var nextPulse: UInt64? {
        if let valves {
            if case .leaving = customer { return nil }
            return nozzleIsLifted ? valves.nextCount : nil
        }
        return switch flow {
        case .still: nil
        case .flowing(let nextEdge), .overrunning(_, let nextEdge): nextEdge
        }
    }

    private var customerInstant: UInt64? {
        switch customer {
        case .away: nil
        case .taking(_, let givesUpAt): givesUpAt
        case .coming(let instant), .leaving(let instant): instant
        }
    }

    private mutating func pulse(at instant: UInt64) -> PumpEdge {
        counts += 1
        if valves != nil {
            valves?.takeCount(at: instant)
            letGo(at: instant)
        } else {
            moveFlow(at: instant)
        }
        let isA = !script.hasChannelB || counts % 2 == 1
        return edge(.pulser(isA ? .a : .b), rising: isA ? levels.a : levels.b, at: instant)
    }

    private mutating func moveFlow(at instant: UInt64) {
        switch flow {
        case .still: preconditionFailure("no fuel flows")
        case .flowing:
            flow = edgeNanoseconds.map { .flowing(nextEdge: instant + $0) } ?? .still
            if letGo(at: instant) { flow = .still }
        case .overrunning(let left, _):
            flow = left > 1 ? .overrunning(counts: left - 1, nextEdge: instant + script.edgeNanoseconds) : .still
        }
    }

    /// - Returns: whether the customer has enough.
    @discardableResult
    private mutating func letGo(at instant: UInt64) -> Bool {
        guard case .taking(let stopAtCounts, _) = customer, counts >= stopAtCounts else { return false }
        customer = .leaving(at: instant)
        return true
    }

    private mutating func watchFlow(now: UInt64, hasFlowed: Bool) {
        guard case .taking(let stopAtCounts, let givesUpAt) = customer else { return }
        if edgeNanoseconds != nil {
            customer = .taking(stopAtCounts: stopAtCounts, givesUpAt: nil)
        } else if hasFlowed, givesUpAt == nil {
            customer = .taking(stopAtCounts: stopAtCounts, givesUpAt: now + script.hangUpNanoseconds)
        }
    }

    private mutating func moveCustomer(at instant: UInt64) {
        switch customer {
        case .away: break
        case .coming:
            customer = .taking(
                stopAtCounts: counts + script.centilitres * script.countsPerLitre / 100,
                givesUpAt: nil
            )
            moveNozzle(lifted: true, now: instant)
        case .taking, .leaving:
            customer = .away
            moveNozzle(lifted: false, now: instant)
        }
    }

    private mutating func edge(_ input: PumpInput, rising: Bool, at instant: UInt64) -> PumpEdge {
        PumpEdge(input: input, rising: rising, nanoseconds: instant, sequence: numbers.next(input))
    }
}
