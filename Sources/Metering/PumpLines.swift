/// The lines of one nozzle's pump, at their lowest edge: what the kernel reports and what it drives.
///
/// One thread waits, sets and reads; `wake` may be called by any.
package protocol PumpLines: AnyObject {
    /// What the inputs read now; edges that came before are dropped, and each line's next one is number 1.
    func levels() throws(PumpFault) -> PumpLevels

    /// What the inputs read now; edges that came before still come.
    func levelsAhead() throws(PumpFault) -> PumpLevels

    /// Appends the edges that came, in the order of their times; returns after the first of: an edge, `wake`, the
    /// timeout. Without a timeout it waits for ever.
    func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) throws(PumpFault)

    func set(_ outputs: PumpOutputs) throws(PumpFault)

    /// Makes a waiting `wait` return, or the next one.
    func wake()
}

/// The input lines' levels, active being true.
package struct PumpLevels: Equatable, Sendable {
    package let a: Bool
    package let b: Bool
    package let nozzle: Bool
    package let emergency: Bool

    package init(a: Bool, b: Bool, nozzle: Bool, emergency: Bool) {
        self.a = a
        self.b = b
        self.nozzle = nozzle
        self.emergency = emergency
    }
}

/// The pump's lines cannot be driven or read.
package struct PumpFault: Error, Equatable, Sendable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}
