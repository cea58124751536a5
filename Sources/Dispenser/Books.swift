import FuelPassbook
import Metering
import Quantities
import Records

/// What one side writes: the journal as its sales use it, the totals of its nozzle, and the times and numbers that records bear.
final class Books {
    let journal: any SaleJournal
    let clock: any StationClock
    let display: any SideDisplay
    let settings: SideSettings
    let terminal: TerminalID
    /// Of the side's nozzle.
    private(set) var totaliser: Totaliser
    private(set) var overrun: Overrun
    private var overrunOnDisk: Overrun
    /// Kept for the question behind a debit: once a card is locked, its sale ends also where no more numbers are given.
    private var questionNumber: RecordNumber?
    /// Kept for what a prepaid sale may owe its card, which is paid before fuel flows.
    private var refundNumber: RecordNumber?
    let board: RecoveredBoard

    init(
        _ settings: SideSettings,
        terminal: TerminalID,
        journal: any SaleJournal,
        clock: any StationClock,
        display: any SideDisplay,
        board: RecoveredBoard
    ) {
        self.journal = journal
        self.clock = clock
        self.display = display
        self.terminal = terminal
        self.board = board
        self.settings = settings
        totaliser = .new(nozzle: settings.nozzle, points: settings.calibration.points.count)
        overrun = Overrun(nozzle: settings.nozzle, counts: 0)
        overrunOnDisk = overrun
    }

    var now: UInt64 { clock.monotonicNanoseconds }

    // MARK: - Calls that end the visit when they fail

    /// - Throws: `.refused` where the journal gives no number: nothing is written then.
    func stored<Value>(_ call: (any SaleJournal) throws(StorageFault) -> Value) throws(Interruption) -> Value {
        do throws(StorageFault) { return try call(journal) } catch {
            throw error.refusesNumbers ? .refused(.noNumber(error.reason)) : .failure(.storage(error))
        }
    }

    func commit(_ entry: JournalEntry) throws(Interruption) {
        try stored { (_) throws(StorageFault) in try write(entry) }
    }

    /// The next number for what a card is to be asked.
    func takeNumber() throws(Interruption) -> RecordNumber {
        try stored { (journal) throws(StorageFault) in try journal.reserve() }
    }

    /// Before a card is locked.
    func keepQuestionNumber() throws(Interruption) { questionNumber = try takeQuestionNumber() }

    /// The number that is kept, or a new one.
    func takeQuestionNumber() throws(Interruption) -> RecordNumber {
        guard let kept = questionNumber.take() else { return try takeNumber() }
        return kept
    }

    /// Before a card pays for what may not flow: then its sale ends also where no more numbers are given.
    func keepRefundNumber() throws(Interruption) { refundNumber = try takeNumber() }

    /// The number that is kept, or a new one.
    func takeRefundNumber() throws(StorageFault) -> RecordNumber {
        guard let kept = refundNumber.take() else { return try journal.reserve() }
        return kept
    }

    /// The clock, which must not be behind any record, whatever it calls the hour. It is read last: meanwhile another side
    /// writes.
    func saleTime() throws(Interruption) -> TransactionTime {
        let last = try stored { (journal) throws(StorageFault) in try journal.latestTime() }
        guard let now = clock.now else { throw .refused(.clockNotSet) }
        if let last, now.isBefore(last) { throw .refused(.clockBehind(last: last.local)) }
        return now.local
    }

    // MARK: - What an entry bears

    /// Every entry bears the moment at which it is written. Totals of this side's nozzle are its own when they are on disk, and
    /// what was learnt of it goes with them.
    func write(_ entry: JournalEntry) throws(StorageFault) {
        var entry = entry
        entry.moment = clock.now
        let isOfNozzle = entry.totaliser?.nozzle == totaliser.nozzle
        if isOfNozzle, overrun != overrunOnDisk { entry.overrun = overrun }
        try journal.commit(entry)
        guard let written = entry.totaliser else { return }
        if isOfNozzle { (totaliser, overrunOnDisk) = (written, overrun) }
        // What still grows is written at its end: a cut between is explained by its record.
        guard !entry.records.contains(where: { $0.phase == .flowing }) else { return }
        for notice in board.keep(written) { display.show(.idle, notice) }
    }

    /// A totaliser that was kept under another calibration goes on from its volume.
    func loadTotaliser() throws(StorageFault) {
        overrun = try journal.overrun(of: settings.nozzle) ?? overrun
        overrunOnDisk = overrun
        guard let stored = try storedTotaliser(of: settings.nozzle, at: settings.number) else { return }
        totaliser = stored.under(settings.calibration)
        if totaliser != stored { try write(JournalEntry(totaliser: totaliser)) }
    }

    /// It goes to disk with the sale.
    func learn(_ overrun: Overrun) { self.overrun = overrun }

    /// The time of a debit that releases a card, of a notice, and of fuel outside any sale, none of which waits for the
    /// clock: that of the last record when the clock is behind it or not set.
    func stampTime() throws(StorageFault) -> TransactionTime {
        let last = try journal.latestTime()
        guard let now = clock.now else { return last?.local ?? .unknown }
        if let last, now.isBefore(last), last.local != .unknown { return last.local }
        return now.local
    }

    /// The end of what began at `begin`, in local words never before it: what ends in the hour that autumn repeats is shown
    /// as long as it takes to catch up; nil when the clock is not set.
    func endTime(after begin: TransactionTime) -> TransactionTime? { clock.localTime.map { max($0, begin) } }

    /// What the side sells at now, where it sold at another price before.
    func keepPrice() throws(StorageFault) {
        let last = try journal.lastPrice(of: settings.number)
        guard last != settings.unitPrice else { return }
        var entry = JournalEntry()
        entry.price = PriceChange(
            side: settings.number,
            at: clock.now,
            from: last,
            to: settings.unitPrice,
            user: settings.priceUser
        )
        try write(entry)
    }

    // MARK: - New records

    /// A sale here for which nothing has flowed.
    func newSale(_ number: RecordNumber, _ begun: TransactionTime, _ beginning: SaleBeginning) -> Record {
        newRecord(number, begun, .sale(newDelivery(), beginning))
    }

    /// At the side's nozzle and price; nothing has flowed.
    func newDelivery() -> Delivery {
        Delivery(
            nozzle: settings.nozzle,
            grade: settings.grade,
            unitPrice: settings.unitPrice,
            reading: .none(points: settings.calibration.points.count)
        )
    }

    func newRecord(_ number: RecordNumber, _ begun: TransactionTime, _ beginning: RecordBeginning) -> Record {
        var head = RecordHead(number: number, side: settings.number, terminal: terminal, begun: begun)
        head.identification = settings.identification
        return Record(head, beginning)
    }

    // MARK: - What becomes of them

    func take(_ step: RecordStep, _ record: inout Record) throws(Interruption) {
        try stored { (_) throws(StorageFault) in try record.take(step) }
    }

    /// What the card of a sale that has ended is to pay.
    func unpaid(_ record: Record) throws(Interruption) -> LockTender.Unpaid {
        try stored { (_) throws(StorageFault) in try record.unpaid() }
    }

    /// Turns an unpaid sale into a grey record: from now on the journal alone settles it.
    func escape(
        _ record: inout Record,
        _ escape: LockTender.Escape,
        remark: String?
    ) throws(Interruption) {
        let grey = try stored { (_) throws(StorageFault) in try record.leave(.escaped(escape)) }
        record.ended = record.ended ?? endTime(after: record.begun)
        record.totaliser = record.totaliser ?? totaliser
        record.remark = remark ?? record.remark
        try commit(JournalEntry(record, grey: grey))
        display.show(.completed, .escaped(record.amount))
    }
}

extension Record {
    /// Of a sale whose meter is read for the last time.
    var newFaults: NewPulserFaults? { NewPulserFaults(side: side, reading.faults) }
}
