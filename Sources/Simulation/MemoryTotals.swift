package import Records
import Synchronization

/// A place that keeps totals as long as the process, for simulations.
package final class MemoryTotals: TotaliserPlace {
    package let keeper: TotaliserKeeper
    package let nozzlesMax = 99
    private let state = Mutex<(reading: TotaliserReading, fault: String?, writes: Int)>((.missing, nil, 0))

    package init(_ keeper: TotaliserKeeper) { self.keeper = keeper }

    package var name: String { "\(keeper.rawValue) in memory" }

    /// What it says.
    package var content: TotaliserReading {
        get { state.withLock(\.reading) }
        set { state.withLock { $0.reading = newValue } }
    }

    /// Why it takes no write; nil where it does.
    package var fault: String? {
        get { state.withLock(\.fault) }
        set { state.withLock { $0.fault = newValue } }
    }

    package var writes: Int { state.withLock(\.writes) }

    package func read() -> TotaliserReading { content }

    package func write(_ totals: [NozzleTotal]) throws(TotaliserPlaceFault) {
        try state.withLock { (state) throws(TotaliserPlaceFault) in
            if let fault = state.fault { throw TotaliserPlaceFault(fault) }
            state.reading = .totals(totals)
            state.writes += 1
        }
    }
}
