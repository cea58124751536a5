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
    /// Steps after a rest in which edges of one channel alone are a hand at the nozzle, and none is lost.
    private static let stepsOfRestMax = 8

    package let kind: PulserKind
    /// Net forward counts.
    package private(set) var counts = 0
    /// Reverse counts not yet worked off.
    package private(set) var reverse = 0
    package private(set) var faults = PulserFaults()
    /// Changes with ``faults``.
    private(set) var faultCount = 0
    /// Counts that level A has added.
    package private(set) var corrected = 0
    private(set) var gauge: PulserGauge

    private var levels: (a: Bool, b: Bool)
    private var lastChannel: PulserChannel?
    private var lastTime: UInt64 = 0
    private var lastStep = LastStep.none
    private var disturbance: Disturbance?
    /// Of each line's last edge; the first is number 1 (``PumpLines/levels()``).
    private var sequences: (a: UInt32, b: UInt32) = (0, 0)
    /// The last so many edges were of one channel.
    private var edgesOnOneLeg = 0
    private var flow: SteadyFlow
    private var lastAlone = PulserChannel.a
    /// Edges that were their channel's alone, since `aloneSince` counts.
    private var alone = (a: 0, b: 0)
    private var aloneSince = 0
    /// Up to ``stepsOfRestMax``.
    private var stepsSinceRest = 0
    /// Multiples of the limit that are in ``PulserFaults/reversed``.
    private var reversedNoted = 0

    /// Three quarters of the least time between two edges at the largest flow.
    private let stepNanosecondsMin: UInt64
    /// Edges closer than this, or stamped in the other order, are one disturbance.
    private let togetherNanoseconds: UInt64
    /// Time that passed and was not used by edges, up to four steps.
    private var paceCredit: UInt64
    private let reverseCountsMax: Int

    /// What the last edge did.
    private enum LastStep {
        case none
        case counted
        case workedOff
        case turnedBack
    }

    /// - Parameter levels: what the lines read before the first edge.
    package init(kind: PulserKind, levels: (a: Bool, b: Bool), limits: MeterLimits = MeterLimits()) {
        self.kind = kind
        self.levels = levels
        flow = SteadyFlow(kind: kind)
        gauge = PulserGauge(kind: kind)
        let step = 1_000_000_000 / UInt64(limits.edgesPerSecondMax)
        stepNanosecondsMin = step * 3 / 4
        togetherNanoseconds = min(200_000, max(500, step / 4))
        paceCredit = stepNanosecondsMin * 4
        reverseCountsMax = limits.reverseCountsMax
    }

    /// Of the last steady flow that was long enough; nil before.
    package var health: PulserHealth? { gauge.health }

    /// The valves moved: a change of the flow is no wonder.
    package mutating func flowChanges() { flow.forget() }

    /// What was read as turning back was none, and is not worked off.
    package mutating func forgetReverse() {
        reverse = 0
        reversedNoted = 0
        lastStep = .none
    }

    /// Takes one edge: the channel's new level, when, and its number on that line.
    ///
    /// - Returns: the counts gained; 0 for a fault, reverse flow or its working off; -1 when the edge shows that the
    ///   last one was none.
    @discardableResult
    package mutating func edge(_ channel: PulserChannel, rising: Bool, time: UInt64, sequence: UInt32) -> Int {
        goesOn(channel, rising, time, sequence) ? 1 : judge(channel, rising, time, sequence)
    }

    /// The step of a steady flow, at which ``judge(_:_:_:_:)`` would find nothing: most edges are one.
    @inline(__always)
    private mutating func goesOn(_ channel: PulserChannel, _ rising: Bool, _ time: UInt64, _ sequence: UInt32) -> Bool {
        let isA = levels.a == levels.b
        let interval = time &- lastTime
        let credit = min(paceCredit &+ interval, 4 &* stepNanosecondsMin)
        guard channel == (isA ? .a : .b), rising == (isA ? !levels.b : levels.a), lastChannel == channel.other,
            sequence == (isA ? sequences.a : sequences.b) &+ 1, time > lastTime, interval >= togetherNanoseconds,
            credit >= stepNanosecondsMin, reverse == 0, flow.goesOn(interval)
        else { return false }
        if isA { (levels.a, sequences.a) = (rising, sequence) } else { (levels.b, sequences.b) = (rising, sequence) }
        paceCredit = credit &- stepNanosecondsMin
        counts &+= 1
        lastStep = .counted
        edgesOnOneLeg = 1
        lastChannel = channel
        lastTime = time
        gauge.step(PulserGauge.place(channel, rising: rising), interval)
        return true
    }

    @inline(never)
    private mutating func judge(_ channel: PulserChannel, _ rising: Bool, _ time: UInt64, _ sequence: UInt32) -> Int {
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
            lastStep = .none
            gauge.begin()
            repair(channel, lost, interval)
        } else {
            if channel == .a { levels.a = rising } else { levels.b = rising }
            if lost != 0 { forgetFlow() }
            if let last = lastChannel, interval < togetherNanoseconds {
                disturbed(channel, after: last, time)
            } else {
                step(channel, interval, isAlone)
            }
        }
        if case .quadrature = kind { checkStillLeg(channel, isAlone) }
        lastChannel = channel
        lastTime = time
        return counts - before
    }

    private mutating func forgetFlow() {
        flow.forget()
        gauge.begin()
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

    private mutating func step(_ channel: PulserChannel, _ interval: UInt64, _ isAlone: Bool) {
        guard paceCredit >= stepNanosecondsMin else {
            note(\.tooFast, channel)
            forgetFlow()
            lastStep = .none
            return
        }
        paceCredit &-= stepNanosecondsMin
        let isForward = readsForward(channel)
        let breaksOrder = isAlone && kind != .single
        stepsSinceRest = flow.isRest(interval) ? 0 : min(Self.stepsOfRestMax, stepsSinceRest + 1)
        makeStep(isForward)
        if isForward && !breaksOrder {
            gauge.step(PulserGauge.place(channel, rising: channel == .a ? levels.a : levels.b), interval)
        } else {
            gauge.begin()
        }
        switch flow.step(isForward: isForward, interval, isAlone: breaksOrder) {
        case .nothing: if breaksOrder, stepsSinceRest == Self.stepsOfRestMax { noteAlone(channel) }
        case .gap: note(\.flowGaps)
        case .silent(let edges):
            note(\.silentEdges, lastAlone.other, edges)
            if lastAlone == .a { alone.a = max(0, alone.a - edges) } else { alone.b = max(0, alone.b - edges) }
        }
    }

    /// A leads B when fuel flows: A rises while B is low.
    private func readsForward(_ channel: PulserChannel) -> Bool {
        guard case .quadrature = kind else { return true }
        return (levels.a == levels.b) == (channel == .b)
    }

    /// Another edge within the time of the last one that no turning makes: together they are no step, but where one channel
    /// alone has another level than before them, and that is one.
    private mutating func disturbed(_ channel: PulserChannel, after last: PulserChannel, _ time: UInt64) {
        forgetFlow()
        var whole = Disturbance(first: last, wasStep: lastStep != .none, time: lastTime)
        if let begun = disturbance, begun.time == lastTime { whole = begun }
        undoStep()
        let before = whole.verdict
        whole.add(channel, time: time)
        disturbance = whole
        faultCount += 1
        faults.bothTogether += whole.verdict.bothTogether - before.bothTogether
        faults.noise[0] += whole.verdict.noise.a - before.noise.a
        faults.noise[1] += whole.verdict.noise.b - before.noise.b
        if whole.wasStep, let changed = whole.changed { makeStep(readsForward(changed)) }
    }

    private mutating func makeStep(_ isForward: Bool) {
        lastStep = !isForward ? .turnedBack : reverse > 0 ? .workedOff : .counted
        advance(isForward ? 1 : -1)
    }

    private mutating func undoStep() {
        switch lastStep {
        case .none: break
        case .counted: counts -= 1
        case .workedOff: reverse += 1
        case .turnedBack: reverse -= 1
        }
        lastStep = .none
    }

    /// An edge of `channel` is lost, or several; the kernel's numbers may say so too. When the other channel had exactly
    /// two edges since this one's last, in a flow that kept its pace, the first before the lost edge and the second
    /// after it, the second was read as a step back where three steps went on: four counts are proven.
    private mutating func repair(_ channel: PulserChannel, _ lost: Int, _ interval: UInt64) {
        // An odd number of lost edges leaves these levels.
        if lost % 2 == 0 { note(\.missedEdges, channel) }
        let others = lastChannel == channel ? 0 : edgesOnOneLeg
        guard lost <= 1, others == 2, flow.provesOneLoss(interval) else { return flow.forget() }
        // Two of the four were paid for when the neighbour's edges came.
        if kind == .quadrature(.correct), paceCredit >= 2 * stepNanosecondsMin {
            paceCredit -= 2 * stepNanosecondsMin
            corrected += flow.isForward ? 4 : 0
            advance(flow.isForward ? 4 : -4)
        }
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
