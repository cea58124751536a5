package import Metering
private import Synchronization
private import Threads

/// A pump without hardware, down to the edges: a pulser that turns while fuel flows, a nozzle, a customer.
///
/// Edges come in real time, stamped with the instant they were due; `wait` brings one at a time, so that what the
/// owner does about it holds for the next: the counts of a sale do not depend on how late a thread ran. An owner that
/// stood still for longer than half a second finds what a kernel's queue of 1,024 edges has kept. Any thread may move the
/// nozzle and cause faults.
package final class SimulatedPumpLines: PumpLines, Sendable {
    package struct Script: Equatable, Sendable {
        package var countsPerLitre: Int
        package var hasChannelB = true
        /// What the customer takes in one sale.
        package var centilitres: Int
        /// With the main valve open; the slow-flow valve alone lets a tenth of it through.
        package var litresPerMinute: Int
        /// How many times faster than real fuel flows.
        package var speed = 1
        /// Counts that still come when the valves have closed.
        package var overrunCounts = 2
        /// The flow through valves that take their time, instead of all of the above but what the customer takes; nil for those
        /// that close at once.
        package var valves: ValveModel?
        /// From the authorisation to the lifted nozzle.
        package var liftNanoseconds: UInt64 = 1_000_000_000
        /// From the end of the flow to the nozzle's return, when the valves ended it.
        package var hangUpNanoseconds: UInt64 = 1_000_000_000

        package init(countsPerLitre: Int, centilitres: Int, litresPerMinute: Int) {
            self.countsPerLitre = countsPerLitre
            self.centilitres = centilitres
            self.litresPerMinute = litresPerMinute
        }

        /// Between two edges at full flow.
        var edgeNanoseconds: UInt64 {
            UInt64(60_000_000_000 / (litresPerMinute * speed * countsPerLitre))
        }
    }

    private let state: Mutex<SimulatedFlow>
    private let changed = MonotonicSemaphore()

    package init(_ script: Script) {
        precondition(script.countsPerLitre > 0 && script.litresPerMinute > 0 && script.speed > 0)
        precondition(script.edgeNanoseconds > 0)
        state = Mutex(SimulatedFlow(script: script))
    }

    /// What the outputs are.
    package var outputs: PumpOutputs { state.withLock { $0.outputs } }

    /// Edges of the pulser since the start.
    package var counts: Int { state.withLock { $0.counts } }

    /// A customer may take fuel: the nozzle is lifted a little later, and comes back when the customer has enough, or
    /// when the valves have stopped the flow.
    package func authorised() { change { $0.customerComes(now: Self.now) } }

    /// As ``authorised()``, somebody who wants another quantity at another flow, from now on.
    package func authorised(centilitres: Int, litresPerMinute: Int) {
        change { $0.customerComes(centilitres, litresPerMinute, now: Self.now) }
    }

    package func liftNozzle() { change { $0.moveNozzle(lifted: true, now: Self.now) } }

    package func hangUp() { change { $0.moveNozzle(lifted: false, now: Self.now) } }

    package func setEmergency(active: Bool) { change { $0.setEmergency(active, now: Self.now) } }

    /// The next `wait` fails, and every one after it.
    package func fail(_ fault: PumpFault) { change { $0.fault = fault } }

    // MARK: - PumpLines

    package func levels() -> PumpLevels { state.withLock { $0.begin() } }

    package func levelsAhead() -> PumpLevels { state.withLock { $0.levels } }

    package func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) throws(PumpFault) {
        let deadline = timeoutNanoseconds.map { Self.now + $0 }
        while true {
            let (edge, next, isWoken) = try state.withLock { (state) throws(PumpFault) in
                if let fault = state.fault { throw fault }
                defer { state.isWoken = false }
                return (state.takeEdge(now: Self.now), state.nextInstant, state.isWoken)
            }
            if let edge { edges.append(edge) }
            if edge != nil || isWoken { return }
            if let deadline, Self.now >= deadline { return }
            _ = changed.wait(until: [deadline, next].compactMap(\.self).min())
        }
    }

    package func set(_ outputs: PumpOutputs) { change { $0.set(outputs, now: Self.now) } }

    package func wake() { change { $0.isWoken = true } }

    private func change(_ body: (inout SimulatedFlow) -> Void) {
        state.withLock { body(&$0) }
        changed.signal()
    }

    private static var now: UInt64 { MonotonicClock.nanoseconds }
}
