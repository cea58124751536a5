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

/// What of the pump's counts is in no record, and the record that it gets.
final class StrayFuel {
    private let pump: any Pump
    private let books: Books
    private let settings: SideSettings
    /// Fuel outside any sale that still flows, or has just come to rest.
    private(set) var flow: StrayFlow?
    /// Of all that the pump counted since this side began: what is in a record.
    private var recordedCounts: [Int]
    /// The same of the faults outside any sale.
    private var recordedFaults: PulserFaults
    /// Since when faults wait that no fuel came with; on the monotonic clock.
    private var faultsWaitSince: UInt64?
    /// What a stop in mid-sale left to the next start.
    var saleLeftOpen: MeterReading?

    init(_ settings: SideSettings, _ pump: any Pump, _ books: Books) {
        self.pump = pump
        self.books = books
        self.settings = settings
        let snapshot = pump.snapshot
        (recordedCounts, recordedFaults) = (snapshot.allCounts, snapshot.strayFaults)
    }

    /// Faults that no fuel comes with are written when a minute has gone: a disturbed line makes many.
    private static let faultsWaitNanoseconds: UInt64 = 60_000_000_000

    /// The pump has counted a fault.
    func faultCame() { faultsWaitSince = faultsWaitSince ?? books.now }

    /// A sale's record has these.
    func isRecorded(_ counts: [Int]) { recordedCounts = zip(recordedCounts, counts).map(+) }

    /// Puts what has flowed outside any sale on disk, in one step with the totaliser: one record grows until it is
    /// finished.
    ///
    /// - Parameter least: fewer counts than this wait for the next time.
    func record(least: Int = 1) throws(StorageFault) {
        let new = unrecorded
        guard new.counts.reduce(0, +) >= least else { return }
        try commit(new, isFlowing: true)
    }

    /// The same for any number of counts, and the record is finished. Faults without fuel are counted without a record.
    func finish() throws(StorageFault) {
        let new = unrecorded
        guard flow != nil || new.counts.contains(where: { $0 > 0 }) else {
            guard let faults = NewPulserFaults(side: settings.number, new.faults) else { return }
            try books.write(JournalEntry(faults: faults))
            isRecorded(new.faults)
            return
        }
        try commit(new, isFlowing: false)
        flow = nil
    }

    /// At the time of rest: finished, unless a trickle that makes no report yet went on.
    func restOrGrow() throws(StorageFault) {
        if unrecorded.counts.contains(where: { $0 > 0 }) { try record() } else { try finish() }
    }

    /// As often as the pump reports.
    var reportCounts: Int { max(1, settings.calibration.countsPerLitre / 10) }

    /// Without a count for as long as ends a sale, what flowed has come to rest.
    var restsAt: UInt64? {
        [flow.map { $0.grewAt + settings.timeouts.noFlow }, faultsWaitSince.map { $0 + Self.faultsWaitNanoseconds }]
            .compactMap(\.self).min()
    }

    /// In no record; between two sales.
    private var unrecorded: (counts: [Int], faults: PulserFaults) {
        let snapshot = pump.snapshot
        return (zip(snapshot.allCounts, recordedCounts).map(-), snapshot.strayFaults.since(recordedFaults))
    }

    private func isRecorded(_ faults: PulserFaults) {
        recordedFaults = recordedFaults + faults
        faultsWaitSince = nil
    }

    private func commit(_ new: (counts: [Int], faults: PulserFaults), isFlowing: Bool) throws(StorageFault) {
        let counts = new.counts
        var flow: StrayFlow
        if let present = self.flow {
            flow = present
        } else {
            guard let number = try number() else { return }
            let record = books.newSale(number, try books.stampTime(), .nobodys)
            flow = StrayFlow(record: record, before: books.totaliser, grewAt: books.now)
        }
        if counts.contains(where: { $0 > 0 }) { flow.grewAt = books.now }
        flow.record.ended = books.endTime(after: flow.record.begun)
        var reading = flow.record.reading
        reading.counts = zip(reading.counts, counts).map(+)
        reading.faults = reading.faults + new.faults
        // A sale that the stop left open is in the totaliser after the next start only, and before this.
        let base = saleLeftOpen.map { flow.before.adding($0, fen: 0) } ?? flow.before
        reading.volume = base.volume(of: reading.counts, settings.calibration)
        try flow.record.measure(reading)
        if !isFlowing { try flow.record.take(.rested) }
        let after = flow.before.adding(reading, fen: Int(flow.record.price.fen))
        flow.record.totaliser = after
        let faults = NewPulserFaults(side: settings.number, new.faults)
        try books.write(JournalEntry(flow.record, totaliser: after, faults: faults))
        isRecorded(counts)
        isRecorded(new.faults)
        self.flow = flow
    }

    /// nil while the journal gives none: what flowed waits on the pump's counter.
    private func number() throws(StorageFault) -> RecordNumber? {
        do throws(StorageFault) { return try books.journal.reserve() } catch {
            guard error.refusesNumbers else { throw error }
            books.display.show(.inoperative, .refused(.noNumber(error.reason)))
            return nil
        }
    }
}
