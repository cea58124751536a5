package import FuelPassbook
package import Metering
import Quantities
package import Records

/// What a tool delivers at one side with the service stopped, and gives back to the tank: each delivery is a record of kind `test`
/// that grows, in one durable step with the totaliser, and nobody pays for it. What flows between two of them is fuel outside
/// any sale.
package final class TestBench {
    private struct Delivering {
        var record: Record
        /// The totals without it.
        let before: Totaliser
        var writtenVolume: Volume
        var writtenFaults = PulserFaults()
        var writtenAt: UInt64
    }

    private let settings: SideSettings
    private let pump: any Pump
    private let books: Books
    private let stray: StrayFuel
    private var delivering: Delivering?

    /// A power cut costs as much of a test as of a sale.
    private static let unwrittenMax = Volume(centilitres: 50)
    private static let unwrittenNanosecondsMax: UInt64 = 1_000_000_000

    /// - Parameter board: what a crash left open is finished, so that the totals are whole.
    package init(
        _ settings: SideSettings,
        pump: any Pump,
        terminal: TerminalID,
        journal: any SaleJournal,
        clock: any StationClock,
        display: any SideDisplay,
        after board: RecoveredBoard
    ) throws(SideFailure) {
        self.settings = settings
        self.pump = pump
        books = Books(
            settings,
            terminal: terminal,
            journal: journal,
            clock: clock,
            display: display,
            board: board
        )
        stray = StrayFuel(settings, pump, books)
        try onDisk { () throws(StorageFault) in try books.loadTotaliser() }
    }

    /// Of the side's nozzle, as on disk.
    package var totaliser: Totaliser { books.totaliser }

    /// The delivery that goes on, as measured last; nil between two.
    package var record: Record? { delivering?.record }

    /// Begins a delivery: its record is on disk, and the pump counts for it from zero. Nothing is open yet.
    ///
    /// - Throws: `.storage` also when no number is given; nothing has begun then.
    package func begin() throws(SideFailure) -> RecordNumber {
        precondition(delivering == nil, "a delivery goes on")
        try recordStray()
        var number = RecordNumber(0)
        try onDisk { () throws(StorageFault) in
            number = try books.journal.reserve()
            let delivery = books.newDelivery()
            let record = books.newRecord(number, try books.stampTime(), .test(delivery))
            let before = books.totaliser
            try books.write(JournalEntry(record))
            delivering = Delivering(record: record, before: before, writtenVolume: .zero, writtenAt: books.now)
        }
        try command(.beginSale)
        return number
    }

    /// What the pump has counted for the delivery. It is written when half a litre or a second is not on disk.
    package func measure() throws(SideFailure) -> MeterReading {
        var delivering = going
        try onDisk { () throws(StorageFault) in
            try delivering.record.measure(reading(after: delivering.before))
            let volume = delivering.record.reading.volume
            let isDue =
                volume - delivering.writtenVolume >= Self.unwrittenMax
                || books.now >= delivering.writtenAt + Self.unwrittenNanosecondsMax
            if isDue, volume != delivering.writtenVolume { try write(&delivering) }
        }
        self.delivering = delivering
        return delivering.record.reading
    }

    /// Ends the delivery, whose valves are closed and whose fuel is at rest. What comes behind is fuel outside any sale.
    ///
    /// - Parameter remark: as what spoilt it; nil where nothing did.
    /// - Returns: its record, settled.
    package func finish(remark: String? = nil) throws(SideFailure) -> Record {
        var delivering = going
        try onDisk { () throws(StorageFault) in
            try delivering.record.measure(reading(after: delivering.before))
            try delivering.record.take(.rested)
            delivering.record.remark = remark
            try write(&delivering)
        }
        stray.isRecorded(delivering.record.reading.counts)
        self.delivering = nil
        try command(.endSale)
        return delivering.record
    }

    /// Between two deliveries: what has flowed since, as a record of its own.
    package func recordStray() throws(SideFailure) {
        try onDisk { () throws(StorageFault) in try stray.finish() }
    }

    private var going: Delivering {
        guard let delivering else { preconditionFailure("no delivery goes on") }
        return delivering
    }

    private func reading(after before: Totaliser) -> MeterReading {
        let snapshot = pump.snapshot
        return MeterReading(
            counts: snapshot.counts,
            volume: before.volume(of: snapshot.counts, settings.calibration),
            faults: snapshot.faults
        )
    }

    private func write(_ delivering: inout Delivering) throws(StorageFault) {
        let reading = delivering.record.reading
        let after = delivering.before.adding(reading, fen: 0)
        delivering.record.ended = books.endTime(after: delivering.record.begun)
        delivering.record.totaliser = after
        let faults = NewPulserFaults(side: settings.number, reading.faults.since(delivering.writtenFaults))
        try books.write(JournalEntry(delivering.record, totaliser: after, faults: faults))
        (delivering.writtenVolume, delivering.writtenAt) = (reading.volume, books.now)
        delivering.writtenFaults = reading.faults
    }

    private func command(_ command: PumpCommand) throws(SideFailure) {
        do throws(PumpFault) { try pump.perform(command) } catch { throw .pump(error) }
    }

    private func onDisk(_ write: () throws(StorageFault) -> Void) throws(SideFailure) {
        do throws(StorageFault) { try write() } catch { throw .storage(error) }
    }
}
