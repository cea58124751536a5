import Dispenser
import Metering
import Pump
import Station
import TestPrograms
import Testing
import VirtualPump

/// A pump thread over simulated lines, and what it posted.
private final class TestPump {
    static let calibration = Calibration(
        countsPerLitre: 400,
        points: [CalibrationPoint(litresPerMinute: 40, factorMillionths: 1_000_000)]
    )
    /// For anything that happens by itself.
    static let patienceNanoseconds: UInt64 = 20_000_000_000

    let pump: PumpThread
    let mailbox = Mailbox()

    init(_ lines: sending any PumpLines) throws {
        let mailbox = mailbox
        pump = try PumpThread(
            name: "pump test",
            lines: lines,
            calibration: Self.calibration,
            kind: .quadrature(.alarm),
            post: { mailbox.post($0) }
        )
    }

    /// A new sale with the valves open. They open for a lifted nozzle only.
    func sell(to cutOff: CutOff = farAway) throws {
        try pump.perform(.beginSale)
        _ = events { $0 == .pump(.nozzle(lifted: true)) }
        try pump.perform(.open(cutOff))
    }

    /// The events up to the first that `ends`.
    func events(until ends: (SideEvent) -> Bool) -> [SideEvent] {
        let deadline = SystemClock().monotonicNanoseconds + Self.patienceNanoseconds
        var events: [SideEvent] = []
        while let event = mailbox.next(until: deadline) {
            events.append(event)
            if ends(event) { return events }
        }
        Issue.record("it did not happen; before: \(events)")
        return events
    }

    func waitForSnapshot(_ condition: (MeterSnapshot) -> Bool) {
        let deadline = SystemClock().monotonicNanoseconds + Self.patienceNanoseconds
        while !condition(pump.snapshot) {
            guard SystemClock().monotonicNanoseconds < deadline else {
                Issue.record("it did not happen: \(pump.snapshot)")
                return
            }
            _ = mailbox.next(until: SystemClock().monotonicNanoseconds + 1_000_000)
        }
    }
}

/// Full flow is 13,333 edges a second.
private func script(centilitres: Int = 100_000) -> SimulatedPumpLines.Script {
    var script = SimulatedPumpLines.Script(countsPerLitre: 400, centilitres: centilitres, litresPerMinute: 40)
    script.speed = 50
    script.liftNanoseconds = 1_000_000
    script.hangUpNanoseconds = 50_000_000
    return script
}

private let farAway = CutOff(slowAtCounts: .max, stopAtCounts: .max, reportAtCounts: .max)
private let fault = PumpFault(reason: "the cable is cut")

@Suite(.timeLimit(.minutes(10)))
struct PumpThreadTests {
    @Test
    func theCutOffStopsAtItsCountAndTheOverrunIsCounted() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.authorised()
        try test.sell(to: CutOff(slowAtCounts: 7_800, stopAtCounts: 8_000, reportAtCounts: 2_000))
        let events = test.events { $0 == .pump(.nozzle(lifted: false)) }
        #expect(
            events == [
                .pump(.countsReached), .pump(.countsReached), .pump(.countsReached),
                .pump(.nozzle(lifted: false)),
            ]
        )
        #expect(test.pump.snapshot.countsAtClosing == 8_000)
        #expect(test.pump.snapshot.totalCounts == 8_002)
        #expect(lines.counts == 8_002)
        #expect(test.pump.snapshot.faults.total == 0)
    }

    @Test
    func theCustomerTakesWhatTheScriptSays() throws {
        let lines = SimulatedPumpLines(script(centilitres: 1_234))
        let test = try TestPump(lines)
        lines.authorised()
        try test.sell()
        let events = test.events { $0 == .pump(.nozzle(lifted: false)) }
        #expect(events == [.pump(.nozzle(lifted: false))])
        #expect(test.pump.snapshot.totalCounts == 4_936)
        #expect(lines.outputs == [])
    }

    @Test
    func theCustomerGoesOnWhenTheValvesOpenAgainAtOnce() throws {
        var script = script(centilitres: 1_234)
        script.hangUpNanoseconds = TestPump.patienceNanoseconds
        let lines = SimulatedPumpLines(script)
        let test = try TestPump(lines)
        lines.authorised()
        try test.sell()
        test.waitForSnapshot { $0.totalCounts > 500 }
        try test.pump.perform(.close)
        try test.pump.perform(.open(farAway))
        _ = test.events { $0 == .pump(.nozzle(lifted: false)) }
        #expect(test.pump.snapshot.totalCounts == 4_936)
        #expect(test.pump.snapshot.faults.total == 0)
    }

    @Test
    func closeReturnsWithTheOutputsOff() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.authorised()
        try test.sell()
        #expect(lines.outputs == [.motor, .mainValve, .slowValve])
        test.waitForSnapshot { $0.totalCounts > 500 }
        try test.pump.perform(.close)
        #expect(lines.outputs == [])
        let closed = try #require(test.pump.snapshot.countsAtClosing)
        _ = test.events { $0 == .pump(.nozzle(lifted: false)) }
        #expect(test.pump.snapshot.totalCounts == closed + 2)
    }

    @Test
    func theEmergencyLineClosesEverything() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.liftNozzle()
        try test.sell()
        test.waitForSnapshot { $0.totalCounts > 100 }
        lines.setEmergency(active: true)
        _ = test.events { $0 == .pump(.emergency(active: true)) }
        #expect(lines.outputs == [])
        try test.pump.perform(.open(farAway))
        #expect(lines.outputs == [])
    }

    @Test
    func failingLinesSwitchTheOutputsOffAndEndThePump() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.liftNozzle()
        try test.sell()
        test.waitForSnapshot { $0.totalCounts > 100 }
        lines.fail(fault)
        let events = test.events { $0 == .pumpFailed(fault) }
        #expect(events.last == .pumpFailed(fault))
        #expect(lines.outputs == [])
        #expect(test.pump.snapshot.outputs == [])
        #expect(throws: fault) { try test.pump.perform(.open(farAway)) }
    }

    @Test
    func stopSwitchesTheOutputsOffAndRefusesCommands() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.liftNozzle()
        try test.sell()
        test.pump.stop()
        test.pump.stop()
        #expect(lines.outputs == [])
        #expect(throws: PumpFault(reason: "the pump was stopped")) { try test.pump.perform(.close) }
    }

    @Test
    func shutClosesWithoutTheCommandingThreadAndNothingOpensAgain() throws {
        let lines = SimulatedPumpLines(script())
        let test = try TestPump(lines)
        lines.liftNozzle()
        try test.sell()
        test.waitForSnapshot { $0.totalCounts > 100 }
        test.pump.shut()
        test.waitForSnapshot { $0.outputs.isEmpty }
        #expect(lines.outputs == [])
        try test.pump.perform(.open(farAway))
        #expect(lines.outputs == [])
        try test.pump.perform(.close)
        #expect(test.pump.snapshot.totalCounts == lines.counts)
    }

    @Test
    func anOpeningThatComesTooLateDoesNotStayOpen() throws {
        let lines = StuckLines()
        let test = try TestPump(lines)
        try test.pump.perform(.beginSale)
        let late = PumpFault(reason: "the pump did not answer in 1000 ms")
        #expect(throws: late) { try test.pump.perform(.open(farAway)) }
        lines.release()
        _ = test.events { $0 == .pumpFailed(late) }
        #expect(lines.outputs == [])
    }

    @Test
    func countsTheDesignRateWhileTheSnapshotIsReadWithoutPause() throws {
        let lines = QueuedEdges(edgesPerSecond: 20_000, edges: 40_000)
        let test = try TestPump(lines)
        try test.pump.perform(.beginSale)
        let reader = SnapshotReader(test.pump)
        try test.pump.perform(.open(farAway))
        #expect(lines.waitForEnd(patienceNanoseconds: TestPump.patienceNanoseconds))
        try test.pump.perform(.close)
        #expect(reader.stop() > 10_000)
        #expect(lines.droppedCount == 0)
        #expect(test.pump.snapshot.totalCounts == 40_000)
        #expect(test.pump.snapshot.faults.total == 0)
    }

    /// One report at the first fault, then at most one in 100 ms.
    @Test
    func aStormOfFaultsIsFewReports() throws {
        let lines = QueuedEdges(edgesPerSecond: 10_000, edges: 5_000, withholdingEvery: 10)
        let test = try TestPump(lines)
        let begin = SystemClock().monotonicNanoseconds
        try test.pump.perform(.beginSale)
        try test.pump.perform(.open(farAway))
        #expect(lines.waitForEnd(patienceNanoseconds: TestPump.patienceNanoseconds))
        try test.pump.perform(.close)
        var reports = 0
        let intervals = Int((SystemClock().monotonicNanoseconds - begin) / PumpThread.faultReportNanoseconds)
        while let event = test.mailbox.next(until: 0) {
            #expect(event == .pump(.pulserFault))
            reports += 1
        }
        #expect(test.pump.snapshot.faults.total > 400)
        #expect((2...intervals + 2).contains(reports))
    }
}
