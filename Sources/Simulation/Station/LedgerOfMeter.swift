import Dispenser
import FuelPassbook
import Metering
import PulseSignals
import Records

// A pulser that lies: what truly flowed, and what the side may make of it (<doc:0022-what-a-decoder-can-see> of Metering).

/// What the books of a side keep of such a pulser, since the service began.
struct LieBooks {
    struct Fault {
        let fault: PulseFault
        /// The sale in which it began.
        let sale: RecordNumber?
        /// Of the site, when it began.
        let trueCounts: Int
        /// Of the sale, when it began.
        let faults: PulserFaults
        /// The flow had its pace.
        let isSteady: Bool
        /// Of the valves, before it began.
        let moves: Int
        /// What of its size is in ``LieBooks/allowance``.
        var granted = 0
        /// What it took is proven, and so it takes nothing.
        var isMadeGood = false
        /// The site's true counts when it had to have shown.
        var shownAt: Int?
        /// The same when the valves moved first after it began.
        var movedAt: Int?

        /// The pace that the flow had is known for so many counts after it began.
        func isSteady(for counts: Int) -> Bool { isSteady && movedAt.map { $0 - trueCounts >= counts } ?? true }

        /// Counts that flow at most before the valves are told to close; nil of what need not close them.
        var countsToStop: Int? {
            let steady = fault.countsToStop(isSteady: true)
            return fault.countsToStop(isSteady: isSteady(for: steady ?? 0))
        }
    }

    /// What a sale was, for the tally.
    struct Sale {
        let kind: PulseFaultKind
        let tally: LieTally
    }

    var lie: PulserLie?
    var fault: Fault?
    /// Counts that faults may still take from what is read.
    var allowance = 0
    /// What of them was left over from the sale before, or from a pulser that lied otherwise.
    var carried = 0
    /// Something of another kind may show in this sale.
    var isMixed = false
    /// Of the running sale.
    var faultsInSale = 0
    /// Of the running sale, or of one that it went on from: what may close the position.
    var mayStop = false
    /// When the sale had more faults than a side takes, with a valve open.
    var tooManyAt: UInt64?
    /// What the meter noted in each sale.
    var noted: [RecordNumber: PulserFaults] = [:]
    var ended: Sale?
}

extension PulseFault {
    /// Edges of one channel alone that close the position: in a flow that had a pace, and in any.
    private static let edgesAlone = (steady: 8, any: 32)

    /// Counts that it takes at most, after decision record 0022, when so many have truly flowed since it began.
    func size(flowed: Int) -> Int {
        switch kind {
        case .clean, .jog, .bounce, .noise: 0
        // Where an edge falls into it.
        case .commonMode: 2
        case .oneLostOnA, .oneLostOnB, .oneLostOnBoth, .twoLostOnA, .twoLostOnB, .twoLostOnBoth, .manyLostOnA,
            .manyLostOnB, .manyLostOnBoth, .dropped, .stuck:
            countsMax
        case .overspeed, .deadLeg: min(countsMax, max(0, flowed) + StationLedger.edgesThatShow)
        case .swapped, .phaseDrift: min(countsMax, 2 * max(0, flowed) + StationLedger.edgesThatShow)
        }
    }

    /// Of the lines, one of which many edges are lost: at least so many.
    private var edgesLostMin: Int { countsMax / 2 - 1 }

    /// The edges of the other channel alone close the position, in a flow that had a pace.
    var mayStop: Bool {
        switch kind {
        case .swapped, .phaseDrift, .deadLeg: true
        case .manyLostOnA, .manyLostOnB: edgesLostMin + 2 >= Self.edgesAlone.steady
        case .clean, .oneLostOnA, .oneLostOnB, .oneLostOnBoth, .twoLostOnA, .twoLostOnB, .twoLostOnBoth,
            .manyLostOnBoth, .dropped, .bounce, .noise, .commonMode, .jog, .stuck, .overspeed:
            false
        }
    }

    /// Counts that flow at most before the valves are told to close; nil of what need not close them.
    func countsToStop(isSteady: Bool) -> Int? {
        switch kind {
        case .swapped: StationLedger.countsSwappedMax
        case .deadLeg: 2 * (isSteady ? Self.edgesAlone.steady : Self.edgesAlone.any) + 4
        // B is as far behind A as it was ahead after a quarter of it, and nearer than a disturbance for a while.
        case .phaseDrift: 2_000
        case .manyLostOnA, .manyLostOnB:
            isSteady && edgesLostMin >= Self.edgesAlone.steady ? 2 * edgesLostMin + 4 : nil
        case .clean, .oneLostOnA, .oneLostOnB, .oneLostOnBoth, .twoLostOnA, .twoLostOnB, .twoLostOnBoth,
            .manyLostOnBoth, .dropped, .bounce, .noise, .commonMode, .jog, .stuck, .overspeed:
            nil
        }
    }

    /// Whether what was noted since it began names it.
    func isNamed(by noted: PulserFaults, at edgesPerSecondMax: Int) -> Bool {
        func both(_ counts: [Int]) -> Int { counts[0] + counts[1] }
        return switch kind {
        case .clean, .jog: noted.total == 0
        case .oneLostOnA: noted.missedEdges[0] > 0
        case .oneLostOnB: noted.missedEdges[1] > 0
        case .oneLostOnBoth: noted.missedEdges[0] > 0 && noted.missedEdges[1] > 0
        case .twoLostOnA: noted.silentEdges[0] >= 2
        case .twoLostOnB: noted.silentEdges[1] >= 2
        case .manyLostOnA: noted.silentEdges[0] + noted.missedEdges[0] + noted.deadLegs[0] > 0
        case .manyLostOnB: noted.silentEdges[1] + noted.missedEdges[1] + noted.deadLegs[1] > 0
        case .twoLostOnBoth: noted.flowGaps > 0
        case .manyLostOnBoth: noted.flowGaps + both(noted.missedEdges) > 0
        case .dropped: both(noted.sequenceGaps) >= countsMax - 3 && both(noted.sequenceGaps) <= countsMax
        case .bounce, .noise: both(noted.noise) > 0
        // Above it common mode and the edge beside it are one disturbance.
        case .commonMode: noted.bothTogether > 0 || (edgesPerSecondMax > 333 && both(noted.noise) > 0)
        case .overspeed: both(noted.tooFast) > 0
        // They close the position, which says it.
        case .swapped, .deadLeg, .phaseDrift, .stuck: true
        }
    }
}

extension PulseFaultKind {
    func mayBeNamed(_ fault: PulserFault) -> Bool {
        let kinds: [PulserFaultKind] =
            switch self {
            case .clean, .jog, .stuck: []
            case .oneLostOnA, .oneLostOnB, .oneLostOnBoth: [.missedEdges]
            case .twoLostOnA, .twoLostOnB: [.silentEdges]
            case .twoLostOnBoth: [.flowGap]
            case .manyLostOnA, .manyLostOnB: [.silentEdges, .missedEdges, .deadLeg]
            case .manyLostOnBoth: [.missedEdges, .flowGap]
            case .dropped: [.sequenceGap]
            case .bounce, .noise: [.noise]
            case .swapped: [.reversed]
            // Without a pace, edges of the other channel alone are seen before they are enough for a dead one.
            case .deadLeg: [.deadLeg, .missedEdges, .silentEdges]
            case .commonMode: [.bothTogether, .noise]
            // At three times its rate with jitter, edges come closer than a turning pulser makes them.
            case .overspeed: [.tooFast, .bothTogether]
            case .phaseDrift: [.bothTogether, .noise, .reversed]
            }
        return kinds.contains(fault.kind) && isOf(fault.channel)
    }

    fileprivate var isOneEdge: Bool { self == .oneLostOnA || self == .oneLostOnB }

    private func isOf(_ channel: PulserChannel?) -> Bool {
        switch self {
        case .oneLostOnA, .twoLostOnA, .manyLostOnA: channel == .a
        case .oneLostOnB, .twoLostOnB, .manyLostOnB: channel == .b
        case .clean, .oneLostOnBoth, .twoLostOnBoth, .manyLostOnBoth, .dropped, .bounce, .noise, .swapped, .deadLeg,
            .commonMode, .jog, .stuck, .overspeed, .phaseDrift:
            true
        }
    }
}

extension SideLedger {
    /// Of a position: more faults in one sale close it.
    private static let faultsMax = SideSettings.demonstration.pulserFaultsMax
    /// Steps in a flow after which it has a pace.
    private static let stepsToPace = 16
    /// A side that is held up elsewhere closes so much later.
    private static let closingNanosecondsMax: UInt64 = 1_000_000_000

    func lies(_ moment: LieMoment, _ site: VirtualSite) {
        switch moment {
        case .starts(let lie):
            grant(site.trueCounts)
            if let fault = lies.fault, fault.shownAt == nil || fault.sale == running { lies.isMixed = true }
            lies.carried = lies.allowance
            lies.lie = lie
            hasLied = true
            lies.fault = nil
            lies.faultsInSale = 0
        case .begins(let fault): begins(fault, site)
        case .noted: noted(site)
        case .valvesMoved: if lies.fault?.movedAt == nil { lies.fault?.movedAt = site.trueCounts }
        case .shows:
            lies.fault?.shownAt = site.trueCounts
            judge(site)
        }
    }

    private func begins(_ fault: PulseFault, _ site: VirtualSite) {
        grant(site.trueCounts)
        let snapshot = site.snapshot
        let isInSale = meteringSince != nil
        lies.fault = LieBooks.Fault(
            fault: fault,
            sale: isInSale ? running : nil,
            trueCounts: site.trueCounts,
            faults: snapshot.faults,
            isSteady: site.lies.steps >= Self.stepsToPace && snapshot.outputs.contains(.mainValve),
            moves: site.lies.moves
        )
        if isInSale && !fault.kind.isHarmless { lies.faultsInSale += 1 }
        lies.mayStop = lies.mayStop || fault.mayStop
        if let since = lies.tooManyAt, !snapshot.outputs.isEmpty,
            site.monotonicNanoseconds > since + Self.closingNanosecondsMax
        {
            ledger.fail("fuel flows on after \(snapshot.faults.total) pulser faults in one sale")
        }
    }

    /// What the last fault takes may be missing.
    private func grant(_ trueCounts: Int) {
        guard var fault = lies.fault else { return }
        let size = fault.isMadeGood ? 0 : fault.fault.size(flowed: trueCounts - fault.trueCounts)
        lies.allowance += size - fault.granted
        fault.granted = size
        lies.fault = fault
    }

    private func noted(_ site: VirtualSite) {
        let snapshot = site.snapshot
        guard meteringSince != nil, lies.tooManyAt == nil, !snapshot.outputs.isEmpty,
            snapshot.faults.total > Self.faultsMax
        else { return }
        lies.tooManyAt = site.monotonicNanoseconds
    }

    /// The signal has been steady for so long that a fault must have shown.
    private func judge(_ site: VirtualSite) {
        guard let fault = lies.fault, let lie = lies.lie, let running, fault.sale == running, meteringSince != nil
        else { return }
        let isUnmoved = fault.isSteady && fault.moves == site.lies.moves
        switch fault.fault.kind.proof {
        case .proven, .harmless: break
        case .byTime(let least): guard isUnmoved, lie.edgesPerSecond >= least else { return }
        case .notDetectable: return
        }
        if case .overspeed = fault.fault.kind, !isUnmoved { return }
        let noted = site.snapshot.faults.since(fault.faults)
        if !fault.fault.isNamed(by: noted, at: ledger.edgesPerSecondMax) {
            ledger.fail("\(lie.kind.rawValue) is put in, and sale \(running.value) names \(noted.words)")
        }
        // In a flow that had its pace before and after, the four counts of one edge are known.
        lies.fault?.isMadeGood = isUnmoved && ledger.security == .correct && lie.kind.isOneEdge
    }

    /// What is charged is what was proven.
    func checkLie(_ running: RecordNumber, _ meter: MeterSnapshot, trueCounts: Int, since: Int) {
        guard let lie = lies.lie else { return }
        let kind = lie.kind.rawValue
        grant(trueCounts)
        let flowed = trueCounts - since
        let missing = flowed - meter.totalCounts
        // Nothing that is a fault adds a count.
        if missing < 0 {
            ledger.fail("\(kind): sale \(running.value) has \(meter.totalCounts) counts, and \(flowed) flowed")
        }
        if missing > lies.allowance {
            ledger.fail(
                "\(kind): \(missing) counts are missing from sale \(running.value), and its faults take \(lies.allowance)"
            )
        }
        checkStop(running, meter, trueCounts: trueCounts)
        checkNames(lie.kind, running, meter)
        lies.noted[running] = meter.faults
        lies.ended = LieBooks.Sale(
            kind: lie.kind,
            tally: LieTally(
                sales: 1,
                faults: lies.faultsInSale,
                closed: closing == nil ? 0 : 1,
                short: max(0, missing - lies.carried),
                over: max(0, -missing)
            )
        )
        carry(missing, trueCounts)
    }

    /// Nothing is named that was not there.
    private func checkNames(_ kind: PulseFaultKind, _ running: RecordNumber, _ meter: MeterSnapshot) {
        guard !lies.isMixed else { return }
        for fault in meter.faults.counts where !kind.mayBeNamed(fault) {
            ledger.fail("\(kind.rawValue) is put in, and sale \(running.value) names \(meter.faults.words)")
        }
    }

    /// What may still be worked off in the next sale.
    private func carry(_ missing: Int, _ trueCounts: Int) {
        lies.allowance -= missing
        let isOver = lies.fault.map { $0.shownAt != nil } ?? true
        if let shownAt = lies.fault?.shownAt {
            lies.allowance = max(0, lies.allowance - (trueCounts - shownAt) - SiteLies.stepsThatShow)
        } else if isOver {
            lies.allowance = max(0, lies.allowance - StationLedger.edgesThatShow)
        }
        lies.carried = lies.allowance
        lies.mayStop = !isOver && lies.mayStop
        lies.isMixed = !isOver
        lies.faultsInSale = 0
        lies.tooManyAt = nil
    }

    private func checkStop(_ running: RecordNumber, _ meter: MeterSnapshot, trueCounts: Int) {
        let kind = lies.lie?.kind.rawValue ?? ""
        if let stop = meter.stop {
            if !lies.mayStop { ledger.fail("\(kind) closes the position in sale \(running.value): \(stop)") }
            closing = stop.description
        } else if lies.tooManyAt != nil {
            closing = StationLedger.tooManyFaults
        }
        guard let fault = lies.fault, fault.sale == running,
            let most = fault.countsToStop
        else { return }
        let flowed = trueCounts - fault.trueCounts
        let isLate = flowed > most + ledger.overrunCounts
        if isLate, closing == nil || (fault.shownAt == nil && lies.tooManyAt == nil) {
            ledger.fail("\(kind): \(flowed) counts flow in sale \(running.value), and \(most) at most before it closes")
        }
    }

    // MARK: - What is kept

    /// The record says of each kind what the meter noted.
    func checkFaults(of record: Record, _ meter: MeterSnapshot) {
        guard lies.lie != nil else { return }
        let noted = lies.noted[record.number] ?? (meteringSince == nil ? PulserFaults() : meter.faults)
        faultsNoted = faultsNoted + noted
        if record.reading.faults != noted {
            ledger.fail(
                "sale \(record.number.value) names \(record.reading.faults.words), and its meter \(noted.words)"
            )
        }
    }

    /// The position rests.
    func checkClosed(_ store: MemoryJournal) {
        guard let closing else { return }
        guard let lock = store.locks[number] else {
            return ledger.fail("position \(number) is open after \"\(closing)\"")
        }
        if !lock.reason.hasSuffix(closing) {
            ledger.fail("position \(number) closed for \"\(closing)\", and says \"\(lock.reason)\"")
        }
    }

    /// Each kind is in the counts of day and life.
    func checkKept(_ store: MemoryJournal) {
        guard hasLied else { return }
        let counts = store.pulserFaults(of: number)
        let life = counts.first { $0.day == nil }?.faults ?? PulserFaults()
        let days = counts.filter { $0.day != nil }
        if faultsNoted.since(life).total > 0 {
            ledger.fail("side \(number) counts \(life.words) in its life, and its sales had \(faultsNoted.words)")
        }
        if life.since(faultsNoted + faultsStray).total > 0 {
            ledger.fail("side \(number) counts \(life.words) in its life, and its meter noted \(faultsNoted.words)")
        }
        let ofDays = days.reduce(PulserFaults()) { $0 + $1.faults }
        if days.count < PulserFaultCount.daysMax, ofDays != life {
            ledger.fail("side \(number) counts \(life.words) in its life, and \(ofDays.words) in its days")
        }
    }
}

extension StationLedger {
    static let tooManyFaults = "pulser faults in one sale"

    /// A technician came.
    func positionsAreOpened() { for side in sides { side.closing = nil } }
}

extension PulserFaults {
    var words: String {
        let words = counts.map { "\($0.count) \($0.kind.rawValue)\($0.channel.map { " \($0)" } ?? "")" }
        return words.isEmpty ? "no fault" : words.joined(separator: ", ")
    }
}
