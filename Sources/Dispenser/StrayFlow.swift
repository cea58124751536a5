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
    var record: SaleRecord
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
        try commitStrayFlow(counts, .flowing)
    }

    /// The same for any number of counts, and the record is finished.
    func finishStrayFlow() throws(StorageFault) {
        let counts = strayCounts
        guard strayFlow != nil || counts.contains(where: { $0 > 0 }) else { return }
        try commitStrayFlow(counts, .settled)
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

    private func commitStrayFlow(_ counts: [Int], _ phase: RecordPhase) throws(StorageFault) {
        var flow: StrayFlow
        if let strayFlow {
            flow = strayFlow
        } else {
            flow = StrayFlow(record: try newStrayRecord(), before: totaliser, grewAt: now)
        }
        if counts.contains(where: { $0 > 0 }) { flow.grewAt = now }
        if phase == .settled { flow.record.settleWithoutCard() }
        flow.record.endTime = endTime(after: flow.record.lockTime)
        flow.record.reading.counts = zip(flow.record.reading.counts, counts).map(+)
        // A sale that the stop left open is in the totaliser after the next start only, and before this.
        let base = saleLeftOpen.map { flow.before.adding($0, fen: 0) } ?? flow.before
        flow.record.reading.volume = base.volume(of: flow.record.reading.counts, settings.calibration)
        flow.record.nonCardPart = flow.record.price
        var after = flow.before.adding(flow.record.reading, fen: Int(flow.record.price.fen))
        after.overrunCounts = totaliser.overrunCounts
        flow.record.totaliser = after
        try write(JournalEntry(flow.record, totaliser: after))
        totaliser = after
        recordedCounts = zip(recordedCounts, counts).map(+)
        strayFlow = flow
    }

    private func newStrayRecord() throws(StorageFault) -> SaleRecord {
        SaleRecord(
            ttc: try edges.journal.reserveTTC(),
            kind: .noCard,
            phase: .flowing,
            position: settings.position,
            terminal: edges.module.terminal,
            lockTime: try stampTime(),
            card: .none,
            key: KeyReference(index: settings.keyIndex, version: KeyVersion(0)),
            balanceBefore: .zero,
            ctc: CTC(0),
            mac3: nil,
            nozzle: settings.nozzle,
            grade: settings.grade,
            unitPrice: settings.unitPrice,
            reading: .none(points: settings.calibration.points.count),
            amount: .zero,
            gmac: nil
        )
    }
}
