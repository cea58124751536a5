import Dispenser
import FuelPassbook
import Metering
import Pump
import Quantities
import Simulation
import Synchronization
import Testing
import Threads

/// Random commands, edges and faults go to the pump's thread and to the virtual site, on which all simulations rest: the same
/// meter head in two hosts. After each, both show the same and have reported the same.
@Suite(.timeLimit(.minutes(10)))
struct TwoPumpsTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func areAlike(seed: UInt64) throws {
        let pumps = try TwoPumps(seed: seed)
        for _ in 0..<3_000 { try pumps.step() }
        pumps.thread.stop()
        #expect(pumps.openings > 50 && pumps.edges > 10_000)
    }
}

private final class TwoPumps {
    private static let calibration = Calibration(
        countsPerLitre: 400,
        points: [10, 40].map { CalibrationPoint(litresPerMinute: $0, factorMillionths: 1_000_000) }
    )

    let thread: PumpThread
    private(set) var openings = 0
    private(set) var edges = 0
    private let site: VirtualSite
    private let lines = HandedEdges()
    private let reported = Reported()
    private var random: SplitMix64
    private var isLifted = false
    private var isEmergency = false

    init(seed: UInt64) throws {
        random = SplitMix64(state: seed)
        site = VirtualSite(
            calibration: Self.calibration,
            flow: VirtualSite.Flow(countsPerSecond: 267, slowCountsPerSecond: 40, overrunCounts: 6),
            date: Demonstration.applicationFile.validFrom
        )
        thread = try PumpThread(
            name: "two-pumps",
            lines: lines,
            calibration: Self.calibration,
            kind: .quadrature(.alarm)
        ) { [reported] event in
            guard case .report(let report) = event else { return }
            reported.reports.withLock { $0.append(report) }
        }
    }

    func step() throws {
        var seen: [PumpEdge] = []
        site.onEdge = { seen.append($0) }
        var reports: [PumpReport] = []
        let words = try act()
        while let event = site.next(until: site.monotonicNanoseconds) {
            if case .pump(let report) = event { reports.append(report) }
        }
        edges += seen.count
        lines.hand(seen, nozzle: isLifted, emergency: isEmergency)
        #expect(thread.snapshot == site.snapshot, "\(words)")
        #expect(lines.outputs == site.snapshot.outputs, "\(words)")
        #expect(reported.take() == reports.told, "\(words)")
    }

    /// - Returns: what was done, for the failure.
    private func act() throws -> String {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<7: return try command()
        case 7..<12:
            let seconds = Double.random(in: 0.01..<2, using: &random)
            site.pass(seconds)
            return "\(seconds) s pass"
        case 12, 13:
            isLifted = Int.random(in: 0..<4, using: &random) > 0
            site.setNozzle(lifted: isLifted)
            return "nozzle lifted: \(isLifted)"
        case 14:
            isEmergency = Int.random(in: 0..<4, using: &random) == 0
            site.setEmergency(active: isEmergency)
            return "emergency: \(isEmergency)"
        case 15:
            let counts = Int.random(in: 1...40, using: &random)
            site.rockPulser(counts: counts)
            return "\(counts) counts back and forward"
        case 16:
            let counts = Int.random(in: 1...60, using: &random)
            site.leak(counts: counts)
            return "\(counts) counts leak"
        case 17:
            site.loseInQueue(edges: Int.random(in: 1...9, using: &random))
            return "edges are lost in the queue"
        case 18:
            site.losePulse(inQueue: false)
            return "a count is lost"
        case _:
            site.disturbPulser()
            return "an edge repeats a level"
        }
    }

    private func command() throws -> String {
        let counts = site.snapshot.totalCounts
        let stop = counts + Int.random(in: 0..<400, using: &random)
        let cutOff = CutOff(
            slowAtCounts: stop - Int.random(in: 0..<60, using: &random),
            stopAtCounts: stop,
            reportAtCounts: counts + Int.random(in: 0..<300, using: &random),
            holdAtCounts: counts + Int.random(in: 1..<500, using: &random)
        )
        let command: PumpCommand
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1, 2: command = .beginSale
        case 3, 4, 5: command = .open(cutOff)
        case 6: command = .retarget(cutOff)
        case 7: command = .close
        case _: command = .endSale
        }
        try site.perform(command)
        try thread.perform(command)
        if !site.snapshot.outputs.isEmpty { openings += 1 }
        return "\(command)"
    }
}

extension [PumpReport] {
    /// As the thread tells them: faults at intervals of the wall clock, and what repeats itself once.
    fileprivate var told: Self {
        reduce(into: []) { told, report in
            switch report {
            case .pulserFault, .strayFault: break
            case _: if told.last != report { told.append(report) }
            }
        }
    }
}

private final class Reported: Sendable {
    let reports = Mutex<[PumpReport]>([])

    func take() -> [PumpReport] {
        reports.withLock { reports in
            defer { reports = [] }
            return reports.told
        }
    }
}

/// Lines whose edges another thread hands over.
private final class HandedEdges: PumpLines, Sendable {
    private struct State {
        var edges: [PumpEdge] = []
        /// And not asked for more since.
        var isHanded = false
        var levels = PumpLevels(a: false, b: false, nozzle: false, emergency: false)
        var outputs: PumpOutputs = []
    }

    private let state = Mutex(State())
    private let woken = MonotonicSemaphore()
    private let taken = MonotonicSemaphore()

    /// Returns when the thread has dealt with all of them.
    func hand(_ edges: [PumpEdge], nozzle: Bool, emergency: Bool) {
        state.withLock { state in
            state.edges = edges
            state.isHanded = true
            state.levels = PumpLevels(a: false, b: false, nozzle: nozzle, emergency: emergency)
        }
        woken.signal()
        _ = taken.wait(until: nil)
    }

    var outputs: PumpOutputs { state.withLock { $0.outputs } }

    func levels() -> PumpLevels { state.withLock { $0.levels } }

    func levelsAhead() -> PumpLevels { levels() }

    func wait(timeoutNanoseconds: UInt64?, into batch: inout [PumpEdge]) {
        let isDone = state.withLock { state in
            batch = state.edges
            state.edges = []
            defer { if batch.isEmpty { state.isHanded = false } }
            return batch.isEmpty && state.isHanded
        }
        if isDone { taken.signal() }
        guard batch.isEmpty else { return }
        _ = woken.wait(until: timeoutNanoseconds.map { MonotonicClock.nanoseconds + $0 })
    }

    func set(_ outputs: PumpOutputs) { state.withLock { $0.outputs = outputs } }

    func wake() { woken.signal() }
}
