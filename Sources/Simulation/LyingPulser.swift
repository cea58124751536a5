import Metering
package import PulseSignals
import VirtualPump

/// What is done to a pulser's signal in a visit: faults of one kind, again and again, while fuel flows at one rate.
package struct PulserLie: Equatable, Sendable {
    package static let jitterPercent = 5

    package var kind: PulseFaultKind
    package var edgesPerSecond: Int
    package var seed: UInt64

    package init(kind: PulseFaultKind, edgesPerSecond: Int, seed: UInt64) {
        self.kind = kind
        self.edgesPerSecond = edgesPerSecond
        self.seed = seed
    }
}

/// What the books hear of a pulser that lies.
enum LieMoment {
    /// Its edges come from now on.
    case starts(PulserLie)
    case begins(PulseFault)
    /// The meter has noted something.
    case noted
    /// The flow has another pace from now on.
    case valvesMoved
    /// The signal has been steady since the last fault for so long that it must have shown.
    case shows
}

/// A generator's edges, each with what was true when it came. What the fuel does is the site's matter: time passes here
/// from one edge to the next only.
struct LyingPulser {
    struct Edge {
        let channel: PulserChannel
        let rising: Bool
        /// On the generator's clock.
        let nanoseconds: UInt64
        /// Edges of its line before it that the kernel numbered and nobody gets.
        let skipped: Int
        /// Net counts of the shaft since the generator began.
        let trueCounts: Int
        let isSteady: Bool
        /// That begins with it.
        let fault: PulseFault?
    }

    /// The valves' slow flow beside the full one.
    private static let slowness: UInt64 = 5

    let lie: PulserLie
    private let step: UInt64
    private var generator: PulseGenerator
    private var sequences: [UInt32] = [0, 0]
    private(set) var next: Edge
    /// On the generator's clock, of the edge that was given last.
    private var lastNanoseconds: UInt64
    /// The shaft is where it was at the generator's begin, give or take whole cycles, and no fault goes on.
    private(set) var mayEnd = true

    init(_ lie: PulserLie) {
        self.lie = lie
        step = UInt64(1_000_000_000 / lie.edgesPerSecond)
        generator = PulseGenerator(
            kind: lie.kind,
            edgesPerSecond: lie.edgesPerSecond,
            jitterPercent: PulserLie.jitterPercent,
            seed: lie.seed
        )
        next = Self.draw(&generator, &sequences)
        lastNanoseconds = next.nanoseconds - step
    }

    private static func draw(_ generator: inout PulseGenerator, _ sequences: inout [UInt32]) -> Edge {
        let known = generator.faults
        let edge = generator.next()
        guard case .pulser(let channel) = edge.input else { preconditionFailure("a pulser has two lines") }
        let skipped = Int(edge.sequence - sequences[channel.rawValue]) - 1
        sequences[channel.rawValue] = edge.sequence
        return Edge(
            channel: channel,
            rising: edge.rising,
            nanoseconds: edge.nanoseconds,
            skipped: skipped,
            trueCounts: generator.trueCounts,
            isSteady: generator.isSteady,
            fault: generator.faults == known ? nil : generator.lastFault
        )
    }

    mutating func take() -> Edge {
        let edge = next
        lastNanoseconds = edge.nanoseconds
        next = Self.draw(&generator, &sequences)
        mayEnd = edge.isSteady && edge.trueCounts % 4 == 0 && next.fault == nil
        return edge
    }

    /// Until the next edge, at full flow or slow.
    func interval(isSlow: Bool) -> UInt64 {
        let interval = next.nanoseconds - lastNanoseconds
        return isSlow && !isWithinStep ? interval * Self.slowness : interval
    }

    /// The next edge is no matter of the flow, and comes although the fuel has stopped: a pulse that has begun ends.
    var isWithinStep: Bool {
        switch lie.kind {
        case .bounce, .noise, .commonMode: next.nanoseconds - lastNanoseconds < step / 2
        case .clean, .oneLostOnA, .oneLostOnB, .oneLostOnBoth, .twoLostOnA, .twoLostOnB, .twoLostOnBoth, .manyLostOnA,
            .manyLostOnB, .manyLostOnBoth, .dropped, .swapped, .deadLeg, .jog, .stuck, .overspeed, .phaseDrift:
            false
        }
    }
}

/// Of one site: the pulser that lies, and what the books hear of it.
struct SiteLies {
    /// Steady steps after which a fault must have shown: the least that lie between two.
    static let stepsThatShow = 39

    /// Begins as soon as the shaft is where a generator begins.
    var waiting: PulserLie?
    var pulser: LyingPulser?
    /// The site's true counts where the generator began.
    var base = 0
    /// The most net counts that the shaft has reached.
    var peak = 0
    /// Since the last fault.
    var steadySteps = 0
    var outputs: PumpOutputs = []
    /// Since the valves moved.
    var steps = 0
    var moves = 0
}

extension VirtualSite {
    /// From the next whole cycle on, the pulser lies.
    func lie(_ lie: PulserLie) { lies.waiting = lie }

    var isLying: Bool { lies.pulser != nil }

    /// Counts that have passed: what has just turned back has passed too, and passes once.
    var passedCounts: Int { max(trueCounts, lies.peak) }

    /// - Returns: whether the next edge comes from a pulser that lies.
    func beginsToLie() -> Bool {
        if let lie = lies.waiting, lies.pulser?.mayEnd ?? (trueCounts % 4 == 0) {
            lies.waiting = nil
            lies.base = trueCounts
            lies.pulser = LyingPulser(lie)
            lies.steadySteps = 0
            onLie(.starts(lie))
        }
        return isLying
    }

    /// Until the next edge; nil while nothing flows and no edge is under way.
    var lyingInterval: UInt64? {
        guard let pulser = lies.pulser else { return nil }
        guard ownInterval != nil || pulser.isWithinStep else { return nil }
        return pulser.interval(isSlow: !head.snapshot.outputs.contains(.mainValve))
    }

    /// The outputs may have changed.
    func noteValves() {
        guard lies.outputs != head.snapshot.outputs else { return }
        lies.outputs = head.snapshot.outputs
        lies.steps = 0
        lies.moves += 1
        if isLying { onLie(.valvesMoved) }
    }

    func deliverLie() {
        guard let edge = lies.pulser?.take() else { return }
        let wasOpen = isOpen
        let before = trueCounts
        if let fault = edge.fault {
            lies.steadySteps = 0
            onLie(.begins(fault))
        } else {
            lies.steadySteps += edge.isSteady ? 1 : 0
        }
        trueCounts = lies.base + edge.trueCounts
        lies.peak = max(lies.peak, trueCounts)
        for _ in 0..<edge.skipped { _ = numbers.next(.pulser(edge.channel)) }
        let report = deliver(.pulser(edge.channel), rising: edge.rising)
        if wasOpen && !isOpen {
            overrunLeft = flow.overrunCounts
        } else if !wasOpen {
            overrunLeft = max(0, overrunLeft - max(1, trueCounts - before))
        }
        lies.steps += 1
        noteValves()
        switch report {
        case .pulserFault, .stopped: onLie(.noted)
        case .countsReached, .nozzle, .emergency, .strayFlow, .strayFault, nil: break
        }
        if lies.steadySteps == SiteLies.stepsThatShow, edge.fault == nil, edge.isSteady { onLie(.shows) }
        nextEdgeAt = edgeInterval.map { monotonicNanoseconds + $0 }
        guard trueCounts > before else { return }
        // Several counts may come between two edges.
        if before < countsWanted, trueCounts > countsWanted { after(1) { $0.setNozzle(lifted: false) } }
        onCount(self)
    }
}
