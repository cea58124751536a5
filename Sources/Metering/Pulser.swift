/// Turns edges into counts, and says what it cannot believe.
///
/// Reverse flow is counted and worked off before forward flow counts again (spec/dispenser.md, section 1). An
/// impossible transition adds to ``faults`` and never to the counts, except what security level A proves: one lost edge
/// whose channel's neighbour kept the pace, so that the four counts that it took are known. What is seen and what
/// cannot be stands in <doc:0022-what-a-decoder-can-see>.
package struct Pulser: Sendable {
    /// Edges on one channel, the other being still, after which the other counts as dead. A jog at rest makes fewer.
    package static let stillLegEdgesMax = 32
    /// The same in a flow that had a pace.
    package static let stillLegEdgesInFlowMax = 8
    /// Edges on one channel alone, within few counts, after which the other has lost what lay between them.
    private static let aloneEdgesMax = 24

    package let kind: PulserKind
    /// Net forward counts.
    package private(set) var counts = 0
    /// Reverse counts not yet worked off.
    package private(set) var reverse = 0
    package private(set) var faults = PulserFaults()
    /// Changes with ``faults``.
    private(set) var faultCount = 0

    private var levels: (a: Bool, b: Bool)
    private var lastChannel: PulserChannel?
    private var lastTime: UInt64 = 0
    /// Before the last edge's step; nil when it made none.
    private var beforeStep: (counts: Int, reverse: Int)?
    /// Of each line's last edge; the first is number 1 (``PumpLines/levels()``).
    private var sequences: (a: UInt32, b: UInt32) = (0, 0)
    private var edgesOnOneLeg = 0
    /// Edges of the other channel since each channel's own last edge.
    private var otherSince = (a: 0, b: 0)
    private var flow: SteadyFlow
    private var lastAlone = PulserChannel.a
    /// Edges that were their channel's alone, since `aloneSince` counts.
    private var alone = (a: 0, b: 0)
    private var aloneSince = 0
    /// Multiples of the limit that are in ``PulserFaults/reversed``.
    private var reversedNoted = 0

    /// Three quarters of the least time between two edges at the largest flow.
    private let stepNanosecondsMin: UInt64
    /// Edges closer than this, or stamped in the other order, are one disturbance.
    private let togetherNanoseconds: UInt64
    /// Time that passed and was not used by edges, up to four steps.
    private var paceCredit: UInt64
    private let reverseCountsMax: Int

    /// - Parameter levels: what the lines read before the first edge.
    package init(kind: PulserKind, levels: (a: Bool, b: Bool), limits: MeterLimits = MeterLimits()) {
        self.kind = kind
        self.levels = levels
        flow = SteadyFlow(kind: kind)
        let step = 1_000_000_000 / UInt64(limits.edgesPerSecondMax)
        stepNanosecondsMin = step * 3 / 4
        togetherNanoseconds = min(200_000, max(500, step / 4))
        paceCredit = stepNanosecondsMin * 4
        reverseCountsMax = limits.reverseCountsMax
    }

    /// The valves moved: a change of the flow is no wonder.
    package mutating func flowChanges() { flow.forget() }

    /// What was read as turning back was none, and is not worked off.
    package mutating func forgetReverse() {
        reverse = 0
        reversedNoted = 0
        beforeStep = nil
    }

    /// Takes one edge: the channel's new level, when, and its number on that line.
    ///
    /// - Returns: the counts gained; 0 for a fault, reverse flow or its working off; -1 when the edge shows that the
    ///   last one was none.
    @discardableResult
    package mutating func edge(_ channel: PulserChannel, rising: Bool, time: UInt64, sequence: UInt32) -> Int {
        let before = counts
        let lost = lostEdges(channel, sequence)
        let alternates = (channel == .a ? levels.a : levels.b) != rising
        if lost != 0 {
            note(\.sequenceGaps, channel, lost)
            if lost < 0 && !alternates { return 0 }
        }
        let interval = time > lastTime ? time &- lastTime : 0
        let isAlone = lastChannel == channel
        paceCredit = min(paceCredit &+ interval, 4 &* stepNanosecondsMin)
        if !alternates {
            beforeStep = nil
            repair(channel, lost, interval)
        } else {
            if channel == .a { levels.a = rising } else { levels.b = rising }
            if lost != 0 { flow.forget() }
            if interval < togetherNanoseconds, lastChannel != nil {
                disturbed(channel, isAlone)
            } else {
                step(channel, interval, isAlone)
            }
        }
        if case .quadrature = kind { checkStillLeg(channel, isAlone) }
        lastChannel = channel
        lastTime = time
        return counts - before
    }

    /// - Returns: how many edges of the line are missing before this one; less than zero when it is not a new one.
    private mutating func lostEdges(_ channel: PulserChannel, _ sequence: UInt32) -> Int {
        let previous = channel == .a ? sequences.a : sequences.b
        let ahead = Int32(bitPattern: sequence &- previous)
        guard ahead > 0 else { return -1 }
        if channel == .a { sequences.a = sequence } else { sequences.b = sequence }
        return Int(ahead) - 1
    }

    // MARK: - Steps

    /// A leads B when fuel flows: A rises while B is low.
    private mutating func step(_ channel: PulserChannel, _ interval: UInt64, _ isAlone: Bool) {
        guard paceCredit >= stepNanosecondsMin else {
            note(\.tooFast, channel)
            flow.forget()
            beforeStep = nil
            return
        }
        paceCredit &-= stepNanosecondsMin
        var isForward = true
        var breaksOrder = false
        if case .quadrature = kind {
            let equal = levels.a == levels.b
            isForward = channel == .a ? !equal : equal
            breaksOrder = isAlone
        }
        beforeStep = (counts, reverse)
        advance(isForward ? 1 : -1)
        switch flow.step(isForward: isForward, interval, isAlone: breaksOrder) {
        case .nothing: if breaksOrder { noteAlone(channel) }
        case .gap: note(\.flowGaps)
        case .silent(let edges):
            note(\.silentEdges, lastAlone.other, edges)
            if lastAlone == .a { alone.a = max(0, alone.a - edges) } else { alone.b = max(0, alone.b - edges) }
        }
    }

    /// Another edge than the last one's channel has it: neither is a step. A second one of the same channel undoes the
    /// first, and a third is a step again.
    private mutating func disturbed(_ channel: PulserChannel, _ isAlone: Bool) {
        flow.forget()
        if isAlone { note(\.tooFast, channel) } else { note(\.bothTogether) }
        if let before = beforeStep {
            (counts, reverse) = before
            beforeStep = nil
        } else if isAlone {
            let equal = levels.a == levels.b
            beforeStep = (counts, reverse)
            let isForward = kind == .single || (channel == .a ? !equal : equal)
            advance(isForward ? 1 : -1)
        }
    }

    /// An edge of `channel` is lost, or several; the kernel's numbers may say so too. When the other channel had exactly
    /// two edges since this one's last, in a flow that kept its pace, the first before the lost edge and the second
    /// after it, the second was read as a step back where three steps went on: four counts are proven.
    private mutating func repair(_ channel: PulserChannel, _ lost: Int, _ interval: UInt64) {
        // An odd number of lost edges leaves these levels.
        if lost % 2 == 0 { note(\.missedEdges, channel) }
        let others = channel == .a ? otherSince.a : otherSince.b
        guard lost <= 1, others == 2, flow.provesOneLoss(interval) else { return flow.forget() }
        if kind == .quadrature(.correct) { advance(flow.isForward ? 4 : -4) }
        flow.goOn(interval)
    }

    private mutating func advance(_ steps: Int) {
        guard steps > 0 else {
            reverse -= steps
            if reverse / reverseCountsMax > reversedNoted {
                reversedNoted += 1
                note(\.reversed)
            }
            return
        }
        guard reverse > 0 else {
            counts += steps
            return
        }
        let workedOff = min(reverse, steps)
        reverse -= workedOff
        counts += steps - workedOff
        if reverse == 0 { reversedNoted = 0 }
    }

    // MARK: - Silent channels

    private mutating func checkStillLeg(_ channel: PulserChannel, _ isAlone: Bool) {
        switch channel {
        case .a: otherSince = (a: 0, b: otherSince.b &+ 1)
        case .b: otherSince = (a: otherSince.a &+ 1, b: 0)
        }
        guard isAlone else {
            edgesOnOneLeg = 1
            return
        }
        edgesOnOneLeg += 1
        let most = flow.isLegSilent ? Self.stillLegEdgesInFlowMax : Self.stillLegEdgesMax
        if edgesOnOneLeg % most == 0 { note(\.deadLegs, channel.other) }
    }

    /// A channel that loses pulses all the time lets no pace be found. What it leaves are edges of the other alone, while
    /// the shaft goes on; a shaft that trembles makes as many on either.
    private mutating func noteAlone(_ channel: PulserChannel) {
        lastAlone = channel
        if channel == .a { alone.a += 1 } else { alone.b += 1 }
        let (own, others) = channel == .a ? (alone.a, alone.b) : (alone.b, alone.a)
        guard own >= Self.aloneEdgesMax else { return }
        let counted = counts - aloneSince
        if others * 8 <= own, counted >= own, counted <= own * 10 { note(\.silentEdges, channel.other, own) }
        alone = (0, 0)
        aloneSince = counts
    }

    // MARK: - Faults

    private mutating func note(_ kind: WritableKeyPath<PulserFaults, Int>) {
        faults[keyPath: kind] += 1
        faultCount += 1
    }

    private mutating func note(
        _ kind: WritableKeyPath<PulserFaults, [Int]>,
        _ channel: PulserChannel,
        _ count: Int = 1
    ) {
        faults[keyPath: kind][channel.rawValue] += abs(count)
        faultCount += abs(count)
    }
}
