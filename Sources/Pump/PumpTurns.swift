import Metering
import Threads

/// What the pump's thread does: waits for its lines, counts, drives, tells.
struct PumpTurns {
    /// Until the next look at what another thread held.
    private static let retryNanoseconds: UInt64 = 1_000_000

    private let desk: PumpDesk
    private let lines: any PumpLines
    private let post: @Sendable (PumpEvent) -> Void
    private var head: MeterHead
    /// What the outputs are.
    private var driven: PumpOutputs = []
    private var edges: [PumpEdge] = []
    /// To be posted once the snapshot is published.
    private var reports: [PumpReport] = []
    /// The kind of fault that is to be reported; nil when none is.
    private var unreportedFault: PumpReport?
    private var nextFaultReport: UInt64 = 0
    private var isUnpublished = false
    private var isUnanswered = false
    private var deskIsBusy = false
    /// Of the last turn, with the time in which the machine was suspended.
    private var turnedAt = MonotonicClock.nanosecondsWithSuspension

    init(desk: PumpDesk, head: MeterHead, post: @escaping @Sendable (PumpEvent) -> Void) {
        self.desk = desk
        lines = desk.lines
        self.head = head
        self.post = post
    }

    /// Returns when it is told to stop or the lines have failed; the outputs are then off, if they can be.
    mutating func run() {
        do throws(PumpFault) {
            while try turn() {}
            head.perform(.close)
            try drive()
            desk.end(PumpFault(reason: "the pump was stopped"), head.snapshot)
        } catch {
            fail(error)
        }
    }

    /// - Returns: false to stop.
    private mutating func turn() throws(PumpFault) -> Bool {
        edges.removeAll(keepingCapacity: true)
        try lines.wait(timeoutNanoseconds: pauseNanoseconds, into: &edges)
        try noteTurn()
        for edge in edges { try take(edge) }
        if head.wantsLevels { try readLevels() }
        try shutIfAsked()
        let note = desk.look()
        deskIsBusy = false
        switch note {
        case .nothing: break
        case .busy: deskIsBusy = true
        case .perform(let command):
            head.perform(command)
            if desk.isShut { head.perform(.close) }
            try drive()
            isUnpublished = true
            isUnanswered = true
        case .stop: return false
        case .abandoned(let fault): throw fault
        }
        tell()
        return true
    }

    /// Before any edge that waited is looked at: after a freeze the valves close first.
    private mutating func noteTurn() throws(PumpFault) {
        desk.noteTurn(MonotonicClock.nanoseconds)
        let now = MonotonicClock.nanosecondsWithSuspension
        defer { turnedAt = now }
        guard now > turnedAt + PumpThread.frozenNanoseconds, !driven.isEmpty else { return }
        try report(head.stoodStill(milliseconds: Int((now - turnedAt) / 1_000_000)))
    }

    private mutating func take(_ edge: PumpEdge) throws(PumpFault) { try report(head.receive(edge)) }

    /// What the queue dropped may have been an edge of the nozzle or the emergency line.
    private mutating func readLevels() throws(PumpFault) {
        let levels = try lines.levelsAhead()
        for report in head.levelsRead(nozzleIsLifted: levels.nozzle, emergency: levels.emergency) {
            try self.report(report)
        }
    }

    private mutating func report(_ report: PumpReport?) throws(PumpFault) {
        try drive()
        isUnpublished = true
        switch report {
        case .pulserFault, .strayFault: unreportedFault = report
        case .some(let report): if reports.last != report { reports.append(report) }
        case nil: break
        }
    }

    /// Where the service stops, fuel does not wait for whoever would close it.
    private mutating func shutIfAsked() throws(PumpFault) {
        guard desk.isShut, !head.snapshot.outputs.isEmpty || head.snapshot.isHeld else { return }
        head.perform(.close)
        try drive()
        isUnpublished = true
    }

    private mutating func drive() throws(PumpFault) {
        let wanted = head.snapshot.outputs
        if wanted == driven { return }
        try lines.set(wanted)
        driven = wanted
    }

    /// Publishes, answers, reports; what another thread holds up waits for the next turn.
    private mutating func tell() {
        if isUnpublished {
            guard desk.publish(head.snapshot) else { return }
            isUnpublished = false
        }
        if isUnanswered {
            desk.answer()
            isUnanswered = false
        }
        if !reports.isEmpty {
            for report in reports { post(.report(report)) }
            reports.removeAll(keepingCapacity: true)
        }
        guard let fault = unreportedFault else { return }
        let now = MonotonicClock.nanoseconds
        guard now >= nextFaultReport else { return }
        post(.report(fault))
        unreportedFault = nil
        nextFaultReport = now + PumpThread.faultReportNanoseconds
    }

    /// How long to wait for the lines.
    private var pauseNanoseconds: UInt64 {
        if isUnpublished || deskIsBusy { return Self.retryNanoseconds }
        let most = driven.isEmpty ? PumpThread.turnNanosecondsMax.closed : PumpThread.turnNanosecondsMax.open
        guard unreportedFault != nil else { return most }
        let now = MonotonicClock.nanoseconds
        return nextFaultReport > now ? min(most, nextFaultReport - now) : 0
    }

    private mutating func fail(_ fault: PumpFault) {
        var reason = fault.reason
        head.perform(.close)
        var last = head.snapshot
        do throws(PumpFault) {
            try lines.set([])
        } catch {
            reason += "; the outputs could not be switched off: \(error.reason)"
            last.outputs = driven
        }
        let fault = PumpFault(reason: reason)
        desk.end(fault, last)
        post(.failed(fault))
    }
}
