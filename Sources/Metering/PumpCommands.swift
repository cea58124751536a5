/// The outputs that move fuel. All off is the safe state.
package struct PumpOutputs: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let motor = PumpOutputs(rawValue: 1)
    package static let mainValve = PumpOutputs(rawValue: 2)
    package static let slowValve = PumpOutputs(rawValue: 4)

    // Asked at each edge: what the library gives every set of options is called by way of its type.
    package var isEmpty: Bool { rawValue == 0 }
    package static func == (left: PumpOutputs, right: PumpOutputs) -> Bool { left.rawValue == right.rawValue }
}

/// A line that the pump reports on.
package enum PumpInput: Hashable, Sendable {
    case pulser(PulserChannel)
    /// Active while the nozzle is lifted.
    case nozzle
    /// Active on power failure or emergency stop.
    case emergency
}

/// One change of an input line, as the kernel reported it.
package struct PumpEdge: Hashable, Sendable {
    package let input: PumpInput
    package let rising: Bool
    /// Monotonic.
    package let nanoseconds: UInt64
    /// The event's number on its line: 1 for the first after ``PumpLines/levels()``, and one more with each event that the
    /// kernel saw.
    package let sequence: UInt32

    package init(input: PumpInput, rising: Bool, nanoseconds: UInt64, sequence: UInt32) {
        self.input = input
        self.rising = rising
        self.nanoseconds = nanoseconds
        self.sequence = sequence
    }
}

/// At which counts, from the start of the sale, valves close by themselves; and when to report next.
package struct CutOff: Equatable, Sendable {
    /// The main valve closes, the slow-flow valve goes on.
    package var slowAtCounts: Int
    /// Everything closes.
    package var stopAtCounts: Int
    /// The next report.
    package var reportAtCounts: Int
    /// Everything closes until the next targets come: more than this must not flow before a checkpoint is on disk.
    package var holdAtCounts: Int

    package init(slowAtCounts: Int, stopAtCounts: Int, reportAtCounts: Int, holdAtCounts: Int = .max) {
        self.slowAtCounts = slowAtCounts
        self.stopAtCounts = stopAtCounts
        self.reportAtCounts = reportAtCounts
        self.holdAtCounts = holdAtCounts
    }
}

/// What the fuelling side tells the pump.
package enum PumpCommand: Equatable, Sendable {
    /// A new sale: counts begin at zero; nothing opens yet.
    case beginSale
    /// Motor on, valves open, until the cut-off; nothing while the nozzle hangs.
    case open(CutOff)
    /// The same sale with other targets; valves that closed stay closed, but for those that were held.
    case retarget(CutOff)
    /// Everything off. Counting goes on.
    case close
    /// The sale is over and its counts are forgotten: those from now on belong to none.
    case endSale
}
