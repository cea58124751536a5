import Dispenser
import Metering
import Threads

/// What the pump's thread does: waits for its lines, counts, drives, tells.
struct PumpTurns {
    /// Until the next look at what another thread held.
    private static let retryNanoseconds: UInt64 = 1_000_000

    private let desk: PumpDesk
    private let post: @Sendable (PositionEvent) -> Void
    private var head: MeterHead
    /// What the outputs are.
    private var driven: PumpOutputs = []
    private var edges: [PumpEdge] = []
    /// To be posted once the snapshot is published.
    private var reports: [PumpReport] = []
    private var faultIsUnreported = false
    private var nextFaultReport: UInt64 = 0
    private var isUnpublished = false
    private var isUnanswered = false
    private var deskIsBusy = false

    init(desk: PumpDesk, head: MeterHead, post: @escaping @Sendable (PositionEvent) -> Void) {
        self.desk = desk
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
        try desk.lines.wait(timeoutNanoseconds: pauseNanoseconds, into: &edges)
        for edge in edges { try take(edge) }
        let note = desk.look()
        deskIsBusy = false
        switch note {
        case .nothing: break
        case .busy: deskIsBusy = true
        case .perform(let command):
            head.perform(command)
            try drive()
            isUnpublished = true
            isUnanswered = true
        case .stop: return false
        case .abandoned(let fault): throw fault
        }
        tell()
        return true
    }

    private mutating func take(_ edge: PumpEdge) throws(PumpFault) {
        let report = head.receive(edge)
        try drive()
        isUnpublished = true
        switch report {
        case .pulserFault: faultIsUnreported = true
        case .some(let report): if reports.last != report { reports.append(report) }
        case nil: break
        }
    }

    private mutating func drive() throws(PumpFault) {
        let wanted = head.snapshot.outputs
        guard wanted != driven else { return }
        try desk.lines.set(wanted)
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
        for report in reports { post(.pump(report)) }
        reports.removeAll(keepingCapacity: true)
        guard faultIsUnreported else { return }
        let now = MonotonicClock.nanoseconds
        guard now >= nextFaultReport else { return }
        post(.pump(.pulserFault))
        faultIsUnreported = false
        nextFaultReport = now + PumpThread.faultReportNanoseconds
    }

    /// How long to wait for the lines; nil for as long as nothing comes.
    private var pauseNanoseconds: UInt64? {
        if isUnpublished || deskIsBusy { return Self.retryNanoseconds }
        guard faultIsUnreported else { return nil }
        let now = MonotonicClock.nanoseconds
        return nextFaultReport > now ? nextFaultReport - now : 0
    }

    private mutating func fail(_ fault: PumpFault) {
        var reason = fault.reason
        head.perform(.close)
        var last = head.snapshot
        do throws(PumpFault) {
            try desk.lines.set([])
        } catch {
            reason += "; the outputs could not be switched off: \(error.reason)"
            last.outputs = driven
        }
        let fault = PumpFault(reason: reason)
        desk.end(fault, last)
        post(.pumpFailed(fault))
    }
}
