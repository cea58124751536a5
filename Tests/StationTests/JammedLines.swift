import Metering
import Synchronization
import VirtualPump

/// Lines whose cable breaks while fuel flows: nothing is read and nothing switched any more.
final class JammedLines: PumpLines, Sendable {
    private let lines: SimulatedPumpLines
    private let isJammed = Atomic(false)

    init(_ lines: SimulatedPumpLines) { self.lines = lines }

    private static let fault = PumpFault(reason: "the cable broke")

    func jam() {
        isJammed.store(true, ordering: .sequentiallyConsistent)
        lines.fail(Self.fault)
    }

    func levels() -> PumpLevels { lines.levels() }

    func levelsAhead() -> PumpLevels { lines.levelsAhead() }

    func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) throws(PumpFault) {
        try lines.wait(timeoutNanoseconds: timeoutNanoseconds, into: &edges)
    }

    func set(_ outputs: PumpOutputs) throws(PumpFault) {
        guard !isJammed.load(ordering: .sequentiallyConsistent) else { throw Self.fault }
        lines.set(outputs)
    }

    func wake() { lines.wake() }
}
