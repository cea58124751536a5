import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule

// Fuel that the meter counts outside any sale: a valve that leaks, or what still comes when a sale has settled. It is
// nobody's card, and still belongs to the totaliser.
//
// The pump never resets ``MeterSnapshot/allCounts``. What of them is in no record is stray: one snapshot tells it, so
// nothing is handed over between threads and no count falls between a sale's last reading and its end.

/// A no-card record that still grows.
struct StrayFlow {
    var record: Record
    /// The totals without it.
    let before: Totaliser
    /// On the monotonic clock.
    var grewAt: UInt64
}

extension Position {
    /// Puts what has flowed outside any sale on disk, in one step with the totaliser: one record grows until it is
    /// finished.
    ///
    /// - Parameter least: fewer counts than this wait for the next time.
    func recordStrayFlow(least: Int = 1) throws(StorageFault) {
        let counts = strayCounts
        guard counts.reduce(0, +) >= least else { return }
        try commitStrayFlow(counts, isFlowing: true)
    }

    /// The same for any number of counts, and the record is finished.
    func finishStrayFlow() throws(StorageFault) {
        let counts = strayCounts
        guard strayFlow != nil || counts.contains(where: { $0 > 0 }) else { return }
        try commitStrayFlow(counts, isFlowing: false)
        strayFlow = nil
    }

    /// At the time of rest: finished, unless a trickle that makes no report yet went on.
    func restOrGrow() throws(StorageFault) {
        if strayCounts.contains(where: { $0 > 0 }) { try recordStrayFlow() } else { try finishStrayFlow() }
    }

    /// As often as the pump reports.
    var strayReportCounts: Int { max(1, settings.calibration.countsPerLitre / 10) }

    /// Without a count for as long as ends a sale, what flowed has come to rest.
    var strayFlowRestsAt: UInt64? { strayFlow.map { $0.grewAt + settings.timeouts.noFlow } }

    /// In no record; between two sales.
    private var strayCounts: [Int] { zip(edges.pump.snapshot.allCounts, recordedCounts).map(-) }

    private func commitStrayFlow(_ counts: [Int], isFlowing: Bool) throws(StorageFault) {
        var flow: StrayFlow
        if let strayFlow {
            flow = strayFlow
        } else {
            let ttc = try edges.journal.reserveTTC()
            let record = newSale(ttc, try stampTime(), .none(isFlowing: true))
            flow = StrayFlow(record: record, before: totaliser, grewAt: now)
        }
        if counts.contains(where: { $0 > 0 }) { flow.grewAt = now }
        if !isFlowing { flow.record.settleWithoutCard() }
        flow.record.ended = endTime(after: flow.record.begun)
        var reading = flow.record.reading
        reading.counts = zip(reading.counts, counts).map(+)
        // A sale that the stop left open is in the totaliser after the next start only, and before this.
        let base = saleLeftOpen.map { flow.before.adding($0, fen: 0) } ?? flow.before
        reading.volume = base.volume(of: reading.counts, settings.calibration)
        flow.record.measure(reading)
        var after = flow.before.adding(reading, fen: Int(flow.record.price.fen))
        after.overrunCounts = totaliser.overrunCounts
        flow.record.totaliser = after
        try write(JournalEntry(flow.record, totaliser: after))
        totaliser = after
        recordedCounts = zip(recordedCounts, counts).map(+)
        strayFlow = flow
    }
}
