import Dispenser
import Metering
import Pump
import Station
import Synchronization
import Testing
import Threads

/// Lines behind which nobody runs for a while: a process that was stopped, as its own thread sees it.
private final class StandingLines: PumpLines, Sendable {
    private let state = Mutex<(outputs: PumpOutputs, standsStill: Bool, edges: [PumpEdge], nozzle: Bool)>(
        ([], false, [], true)
    )
    private let woken = MonotonicSemaphore()

    var outputs: PumpOutputs { state.withLock { $0.outputs } }

    /// The next wait takes longer than any turn may; then these edges are in the queue.
    func standStill(thenBring edges: [PumpEdge], nozzle: Bool = true) {
        state.withLock {
            $0.standsStill = true
            $0.edges = edges
            $0.nozzle = nozzle
        }
        woken.signal()
    }

    func levels() -> PumpLevels { PumpLevels(a: false, b: false, nozzle: true, emergency: false) }

    func levelsAhead() -> PumpLevels {
        PumpLevels(a: false, b: false, nozzle: state.withLock { $0.nozzle }, emergency: false)
    }

    func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) {
        let (stands, brought) = state.withLock { state in
            defer { if state.standsStill { state.edges = [] } }
            defer { state.standsStill = false }
            return (state.standsStill, state.standsStill ? state.edges : [])
        }
        if stands {
            let until = MonotonicClock.nanoseconds + PumpThread.frozenNanoseconds + 200_000_000
            while MonotonicClock.nanoseconds < until { _ = woken.wait(until: until) }
        } else {
            _ = woken.wait(until: timeoutNanoseconds.map { MonotonicClock.nanoseconds + $0 })
        }
        edges += brought
    }

    func set(_ outputs: PumpOutputs) { state.withLock { $0.outputs = outputs } }

    func wake() { woken.signal() }
}

@Suite(.timeLimit(.minutes(10)))
struct FrozenPumpTests {
    private static let farAway = CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)
    private let lines = StandingLines()
    private let mailbox = Mailbox()
    private let pump: PumpThread

    init() throws {
        let mailbox = mailbox
        pump = try PumpThread(
            name: "pump frozen",
            lines: lines,
            calibration: Calibration(
                countsPerLitre: 400,
                points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
            ),
            kind: .quadrature(.alarm)
        ) { mailbox.post($0) }
    }

    private func next() -> SideEvent? { mailbox.next(until: MonotonicClock.nanoseconds + 20_000_000_000) }

    private func edge(_ channel: PulserChannel, _ rising: Bool, _ milliseconds: UInt64, _ number: UInt32) -> PumpEdge {
        PumpEdge(
            input: .pulser(channel),
            rising: rising,
            nanoseconds: 1_000_000 * milliseconds,
            sequence: number
        )
    }

    @Test func aThreadThatStoodStillClosesFirstAndThenCountsWhatTheQueueKept() throws {
        try pump.perform(.beginSale)
        try pump.perform(.open(Self.farAway))
        lines.standStill(thenBring: [edge(.a, true, 10, 1), edge(.b, true, 13, 1), edge(.a, false, 16, 2)])
        guard case .pump(.stopped(.frozen(let milliseconds))) = next() else {
            Issue.record("nothing was said of the freeze")
            return
        }
        #expect(milliseconds > 1_000)
        try pump.perform(.close)
        #expect(lines.outputs == [] && pump.snapshot.totalCounts == 3)
        #expect(pump.snapshot.stop == .frozen(milliseconds: milliseconds))
        try pump.perform(.open(Self.farAway))
        #expect(lines.outputs == [])
    }

    /// The nozzle's return is among what the queue dropped.
    @Test func afterALossTheLevelsOfTheOtherLinesAreRead() throws {
        try pump.perform(.beginSale)
        try pump.perform(.open(Self.farAway))
        lines.standStill(thenBring: [edge(.a, true, 10, 1), edge(.a, false, 16, 900)], nozzle: false)
        var events: [SideEvent] = []
        while events.last != .pump(.nozzle(lifted: false)), let event = next() { events.append(event) }
        #expect(events.contains(.pump(.nozzle(lifted: false))))
        #expect(pump.snapshot.faults.sequenceGaps == [898, 0] && !pump.snapshot.nozzleIsLifted)
    }

    @Test func withClosedValvesNobodyMissesTheThreadAndItsTurnsGoOn() throws {
        lines.standStill(thenBring: [])
        let before = pump.lastTurnNanoseconds
        let deadline = before + 20_000_000_000
        while pump.lastTurnNanoseconds == before, MonotonicClock.nanoseconds < deadline {
            #expect(mailbox.next(until: MonotonicClock.nanoseconds + 10_000_000) == nil)
        }
        let turned = pump.lastTurnNanoseconds
        #expect(turned > before)
        // Without any event it turns again within a second.
        while pump.lastTurnNanoseconds == turned, MonotonicClock.nanoseconds < deadline {
            #expect(mailbox.next(until: MonotonicClock.nanoseconds + 10_000_000) == nil)
        }
        #expect(pump.lastTurnNanoseconds > turned)
        #expect(pump.snapshot.stop == nil)
    }
}
