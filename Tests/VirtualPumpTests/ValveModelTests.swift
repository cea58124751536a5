import Metering
import Testing

@testable import VirtualPump

/// Valves that take their time: when counts come.
@Suite struct ValveModelTests {
    private static let all: PumpOutputs = [.motor, .mainValve, .slowValve]
    private static let slowOnly: PumpOutputs = [.motor, .slowValve]

    /// 400 and 40 counts a second.
    private func model(jitter: Int = 0, ageing: Int = 0, seed: UInt64 = 1) -> ValveModel {
        let main = ValveModel.Valve(delay: 100_000_000, fall: 50_000_000, jitter: jitter, ageing: ageing)
        let slow = ValveModel.Valve(delay: 100_000_000, fall: 100_000_000, jitter: jitter, ageing: ageing)
        return ValveModel(main: main, slow: slow, fullFlow: 400_000, slowFlow: 40_000, seed: seed)
    }

    private func counts(_ model: inout ValveModel, until end: UInt64) -> [UInt64] {
        var instants: [UInt64] = []
        while let next = model.nextCount, next <= end {
            model.takeCount(at: next)
            instants.append(next)
        }
        return instants
    }

    @Test func aSteadyFlowIsEven() {
        var model = model()
        model.set(Self.all, now: 1_000_000_000)
        let instants = counts(&model, until: 2_000_000_000)
        #expect(instants == (1...400).map { 1_000_000_000 + UInt64($0) * 2_500_000 })
    }

    /// By hand: 0.1 s at 400 a second, then half of 0.05 s, and 0.1 s and half of 0.1 s at 40.
    @Test func aClosingTakesItsDelayAndHalfOfItsFall() {
        var model = model()
        model.set(Self.all, now: 0)
        _ = counts(&model, until: 1_000_000_000)
        model.set([], now: 1_000_000_000)
        #expect((49...50).contains(counts(&model, until: 9_000_000_000).count))
        #expect(model.nextCount == nil)
        model.set(Self.slowOnly, now: 10_000_000_000)
        _ = counts(&model, until: 11_000_000_000)
        model.set([], now: 11_000_000_000)
        #expect((5...6).contains(counts(&model, until: 19_000_000_000).count))
    }

    @Test func behindAChangeOverTheFlowIsSlow() {
        var model = model()
        model.set(Self.all, now: 0)
        _ = counts(&model, until: 1_000_000_000)
        model.set(Self.slowOnly, now: 1_000_000_000)
        // 40 of the delay and 11 of the fall.
        #expect((50...52).contains(counts(&model, until: 1_150_000_000).count))
        #expect(counts(&model, until: 2_150_000_000).count == 40)
    }

    @Test func jitterHasItsBoundAndItsSeed() {
        func overruns(_ seed: UInt64) -> [Int] {
            var model = model(jitter: 20_000_000, seed: seed)
            return (0..<50).map { sale in
                let begin = UInt64(sale) * 10_000_000_000
                model.set(Self.all, now: begin)
                _ = counts(&model, until: begin + 1_000_000_000)
                model.set([], now: begin + 1_000_000_000)
                return counts(&model, until: begin + 9_000_000_000).count
            }
        }
        #expect(overruns(7) == overruns(7) && overruns(7) != overruns(8))
        // 20 ms are 8 counts.
        #expect(overruns(7).allSatisfy { (41...58).contains($0) } && Set(overruns(7)).count > 8)
    }

    @Test func eachClosingMakesTheValveSlower() {
        var model = model(ageing: 1_000_000)
        for sale in 0..<30 as Range<UInt64> {
            model.set(Self.all, now: sale * 10_000_000_000)
            model.set([], now: sale * 10_000_000_000 + 1_000_000_000)
        }
        #expect(model.main.delay == 130_000_000 && model.slow.delay == 100_000_000)
    }

    /// The simulated lines have the same valves, and nothing is lost by an owner that is a little late.
    @Test(arguments: [0, 30_000_000 as UInt64]) func simulatedLinesHaveTheSameValves(late: UInt64) {
        var script = SimulatedPumpLines.Script(countsPerLitre: 400, centilitres: 100_000, litresPerMinute: 60)
        script.valves = model()
        var flow = SimulatedFlow(script: script)
        flow.moveNozzle(lifted: true, now: 1)
        _ = flow.takeEdge(now: 1)
        flow.set(Self.all, now: 1)
        var count = 0
        while flow.takeEdge(now: 1_000_000_001) != nil { count += 1 }
        #expect(count == 400)
        flow.set([], now: 1_000_000_001 + late)
        while flow.takeEdge(now: 9_000_000_000) != nil { count += 1 }
        #expect((449...450).contains(count - Int(late / 2_500_000)))
    }
}
