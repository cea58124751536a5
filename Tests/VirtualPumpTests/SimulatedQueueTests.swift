import Metering
import Testing

@testable import VirtualPump

/// The simulated lines keep for an owner that stood still what the kernel's queue would have kept.
@Suite struct SimulatedQueueTests {
    private func flow(seconds: UInt64) -> (flow: SimulatedFlow, now: UInt64) {
        var script = SimulatedPumpLines.Script(countsPerLitre: 400, centilitres: 100_000, litresPerMinute: 40)
        script.liftNanoseconds = 0
        var flow = SimulatedFlow(script: script)
        flow.moveNozzle(lifted: true, now: 1)
        #expect(flow.takeEdge(now: 1)?.input == .nozzle)
        flow.set([.motor, .mainValve, .slowValve], now: 1)
        return (flow, 1 + seconds * 1_000_000_000)
    }

    @Test func afterAFreezeTheNewestEdgesAreLeftAndTheNumbersShowTheRest() throws {
        var (flow, now) = flow(seconds: 25)
        var edges: [PumpEdge] = []
        while let edge = flow.takeEdge(now: now) { edges.append(edge) }
        #expect(edges.count == 1_024)
        // 40 L/min are 266 edges a second: a step of 3.75 ms.
        #expect(flow.counts == 25_000_000 / 3_750)
        let last = try #require(edges.last)
        #expect(last.nanoseconds <= now && last.nanoseconds + 3_750_000 > now)
        var pulser = Pulser(kind: .quadrature(.alarm), levels: (false, false))
        for edge in edges {
            guard case .pulser(let channel) = edge.input else { continue }
            pulser.edge(channel, rising: edge.rising, time: edge.nanoseconds, sequence: edge.sequence)
        }
        #expect(pulser.faults.sequenceGaps.reduce(0, +) == flow.counts - 1_024)
        #expect(pulser.faults.total >= flow.counts - 1_024)
    }

    /// The valves close when somebody closes them, not when the last edge that was taken came.
    @Test func whatFlowedBeforeTheValvesClosedHasFlowed() {
        var (flow, now) = flow(seconds: 3)
        flow.set([], now: now)
        var count = 0
        while flow.takeEdge(now: now + 1_000_000_000) != nil { count += 1 }
        #expect(count == 800 + 2 && flow.counts == 802)
    }

    @Test func aLateOwnerIsWaitedFor() {
        var (flow, _) = flow(seconds: 0)
        var taken = 0
        while taken < 10, flow.takeEdge(now: 400_000_000) != nil { taken += 1 }
        flow.set([], now: 400_000_000)
        while flow.takeEdge(now: 900_000_000) != nil { taken += 1 }
        #expect(taken == 12)
    }
}
