import Codes
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// Where one sale stands between two events.
private struct FuellingProgress {
    let target: Volume
    let authorisedAt: UInt64
    /// The turn's, of which the record's reading is too.
    var snapshot: MeterSnapshot
    /// The valves opened in this sale.
    var hasOpened = false
    /// Until when the sale waits for its card; nil while the card is here.
    var waitsForCardUntil: UInt64?
    var checkpointVolume = Volume.zero
    var checkpointAt: UInt64
    /// The last one; nil before the valves opened.
    var cutOff: CutOff?

    static let checkpointNanoseconds: UInt64 = 1_000_000_000
}

/// Step 1.10: the cardholder refuels, while checkpoints keep the journal able to settle the sale. A prepaid sale flows the same
/// way, on its payment.
final class Flow {
    let settings: SideSettings
    private let device: any Pump
    private let visit: Visit
    let books: Books
    private let stray: StrayFuel
    let display: any SideDisplay
    private let plan: CutOffPlan

    init(_ settings: SideSettings, _ edges: SideEdges, _ visit: Visit, _ books: Books, _ stray: StrayFuel) {
        self.settings = settings
        device = edges.pump
        display = edges.display
        self.visit = visit
        self.books = books
        self.stray = stray
        plan = CutOffPlan(calibration: settings.calibration, slowFlow: settings.slowFlow)
    }

    /// Outside a sale: each turn of one works on its own.
    var presentSnapshot: MeterSnapshot { device.snapshot }

    func checkNoEmergency() throws(Interruption) {
        guard !presentSnapshot.emergencyIsActive else { throw .refused(.emergencyStop) }
    }

    /// Lets fuel flow until the sale ends, and leaves the proven reading and amounts in `record`.
    ///
    /// - Throws: `.stop` when the service ends while a card is locked, with the last checkpoint on disk; `.failure` when
    ///   storage fails, with the outputs off.
    func fuel<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ grant: borrowing Grant,
        _ target: Volume
    ) throws(Interruption) -> FuellingEnd {
        defer { stray.isRecorded(record.reading.counts) }
        do throws(PumpFault) { try device.perform(.beginSale) } catch {
            record.remark = FuellingEnd.pumpFailed(error).remark
            return .pumpFailed(error)
        }
        defer { remarkLeastQuantity(&record) }
        var progress = FuellingProgress(
            target: target,
            authorisedAt: now,
            snapshot: device.snapshot,
            checkpointAt: now
        )
        do throws(Interruption) {
            var end = try flow(&record, &progress, grant)
            try close(&record, &progress, grant)
            end = endAfterClosing(end, progress.snapshot.stop)
            if case .regular = end { learn(progress) }
            try pump(.endSale)
            record.remark = end.remark.map { $0 + lossRemark(record) } ?? record.remark
            return end
        } catch {
            if case .failure(.pump(let fault)) = error {
                try measure(&record, &progress)
                record.remark = FuellingEnd.pumpFailed(fault).remark
                return .pumpFailed(fault)
            }
            // What ended the sale is worse than a pump that does not hear of it.
            do throws(PumpFault) { try device.perform(.endSale) } catch {
                display.show(.inoperative, .pumpMissing(error.reason, cause: .pumpFailed))
            }
            throw error
        }
    }

    private func remarkLeastQuantity(_ record: inout Record) {
        guard record.reading.totalCounts > 0, record.reading.volume < settings.minimumQuantity else { return }
        let least = litres(centilitres: settings.minimumQuantity.shownCentilitres)
        let remark = "less than the least quantity, \(least) L"
        record.remark = record.remark.map { "\($0); \(remark)" } ?? remark
    }

    private func flow<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) -> FuellingEnd {
        display.show(.authorised, grant.notice(record))
        try open(&record, &progress)
        while true {
            let event = visit.nextEvent(until: now + settings.timeouts.tick)
            try measure(&record, &progress)
            if let end = try handle(event, &record, &progress, grant) { return end }
            if let end = endByMeter(record, progress) { return end }
            showProgress(record, progress)
            if try checkpointIfDue(&record, &progress, grant) { continue }
            try followRate(record.reading, &progress)
        }
    }

    private func handle<Grant: FuelGrant & ~Copyable>(
        _ event: SideEvent?,
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) -> FuellingEnd? {
        switch event {
        case .stopRequested:
            if !grant.needsCard { return .stopped }
            try close(&record, &progress, grant)
            try checkpoint(record, &progress, grant)
            stray.saleLeftOpen = record.reading
            display.show(.closed, .interrupted(record.amount))
            throw .stop
        case .pump(.emergency(active: true)):
            try pump(.close)
            try measure(&record, &progress)
            try checkpoint(record, &progress, grant)
            display.show(.suspended, .emergency)
            return .emergency
        case .pump(.nozzle(lifted: true)):
            if progress.waitsForCardUntil == nil { try open(&record, &progress) }
        case .pump(.nozzle(lifted: false)):
            // One from before the valves opened says nothing of this sale.
            if progress.hasOpened, !progress.snapshot.nozzleIsLifted { return .regular }
        case .reader(.cardRemoved):
            try cardLeft(&record, &progress, grant)
        case .reader(.lost(let reason)):
            try cardLeft(&record, &progress, grant, withReader: reason)
        case .reader(.cardInserted):
            try cardCameBack(&record, &progress, grant)
        case nil where visit.presence == .held:
            try cardCameBack(&record, &progress, grant)
        case .pumpFailed(let fault):
            return .pumpFailed(fault)
        case .pump(.pulserFault):
            display.show(.fuelling, .pulserFaults(record.reading.faults.total))
        case .pump(.stopped(let stop)): return ended(by: stop)
        case .pump(.countsReached), .pump(.emergency(active: false)), .pump(.strayFlow), .pump(.strayFault),
            .reader(.back),
            .pinEntered, .pinRefused, .pinCancelled, .keypadLost, .keypadBack, .consoleLost, .parametersChanged,
            .ordersChanged,
            .identificationAsked, nil:
            break
        }
        return nil
    }

    private func endByMeter(_ record: Record, _ progress: FuellingProgress) -> FuellingEnd? {
        let snapshot = progress.snapshot
        if let stop = snapshot.stop { return ended(by: stop) }
        guard record.reading.faults.total <= settings.pulserFaultsMax else {
            return .pulserFaults(record.reading.faults.total)
        }
        if let limit = progress.waitsForCardUntil {
            return now >= limit ? .regular : nil
        }
        if let last = snapshot.lastCountNanoseconds {
            if snapshot.countsAtClosing != nil && snapshot.outputs.isEmpty && !snapshot.isHeld { return .regular }
            return now >= last + settings.timeouts.noFlow ? .regular : nil
        }
        return now >= progress.authorisedAt + settings.timeouts.firstFlow ? .regular : nil
    }

    /// The valve closes before anything is said to the reader, which may hang; where it stays open, nothing is said until the
    /// sale is over.
    private func cardLeft<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant,
        withReader reason: String? = nil
    ) throws(Interruption) {
        if !grant.needsCard {
            display.show(state(progress), .prepaidCardGone)
            return
        }
        guard settings.closesValveOnCardRemoval, progress.waitsForCardUntil == nil else { return }
        try pump(.close)
        visit.disconnectCard()
        progress.waitsForCardUntil = now + settings.timeouts.grace
        // The valves have closed since the turn began, and a reader that hangs takes its time.
        try measure(&record, &progress)
        try checkpoint(record, &progress, grant)
        let seconds = Int(settings.timeouts.grace / 1_000_000_000)
        display.show(
            .suspended,
            reason.map { .readerGone($0, graceSeconds: seconds) } ?? .cardGone(graceSeconds: seconds)
        )
    }

    /// The same card goes on with its sale; another is told to wait and nothing is changed on it. While fuel flows
    /// nothing is said to a card: that would keep this thread from the meter.
    private func cardCameBack<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) {
        guard progress.waitsForCardUntil != nil, try grant.isBack(record, in: visit) else { return }
        progress.waitsForCardUntil = nil
        // The dialogue took its time: the nozzle may hang again.
        try measure(&record, &progress)
        try open(&record, &progress)
    }

    // MARK: - Meter

    /// What has flowed and what it costs; the part beyond the card's balance, or beyond what it paid, is not the card's. Once a
    /// turn, and anew where an output was switched, a card asked or a checkpoint written meanwhile.
    private func measure(_ record: inout Record, _ progress: inout FuellingProgress) throws(Interruption) {
        let snapshot = device.snapshot
        progress.snapshot = snapshot
        let reading = MeterReading(
            counts: snapshot.counts,
            volume: books.totaliser.volume(of: snapshot.counts, settings.calibration),
            faults: snapshot.faults
        )
        try books.stored { (_) throws(StorageFault) in try record.measure(reading) }
    }

    /// Opens the valves when the nozzle is lifted.
    private func open(_ record: inout Record, _ progress: inout FuellingProgress) throws(Interruption) {
        guard progress.snapshot.nozzleIsLifted else { return }
        try pump(.open(cutOff(record.reading, &progress)))
        progress.hasOpened = true
        // By the turn's snapshot the valves are closed, which may end a sale.
        try measure(&record, &progress)
        display.show(.started, .fuelling)
    }

    private func cutOff(_ reading: MeterReading, _ progress: inout FuellingProgress) -> CutOff {
        let cutOff = plan.cutOff(
            reading,
            progress.snapshot,
            target: progress.target,
            checkpoint: progress.checkpointVolume,
            books.overrun
        )
        progress.cutOff = cutOff
        return cutOff
    }

    /// The target's count, and when to change over, depend on the rate, which falls before the target.
    private func followRate(_ reading: MeterReading, _ progress: inout FuellingProgress) throws(Interruption) {
        guard plan.isNearTarget(reading, progress.snapshot, target: progress.target), let last = progress.cutOff
        else { return }
        var next = cutOff(reading, &progress)
        // What a checkpoint is due for does not change with the rate.
        (next.reportAtCounts, next.holdAtCounts) = (last.reportAtCounts, last.holdAtCounts)
        progress.cutOff = next
        if next != last { try pump(.retarget(next)) }
    }

    /// Closes the valves and waits until no pulse came for the settling time, with checkpoints as long as fuel flows.
    /// Fuel that does not come to rest is somebody's alarm, and no longer this sale's.
    private func close<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) {
        try pump(.close)
        let closed = now
        let limit = closed + settings.timeouts.standstill
        while true {
            // What comes behind the look at the meter is no standstill, however late this thread goes on.
            let looked = now
            try measure(&record, &progress)
            let isWritten = try checkpointIfDue(&record, &progress, grant)
            let rest = max(closed, progress.snapshot.lastCountNanoseconds ?? closed) + settings.timeouts.settling
            if looked >= rest { return }
            guard looked < limit else {
                display.show(.settling, .fuelDoesNotStop)
                record.remark = "fuel did not come to rest after the valves closed"
                return
            }
            if !isWritten { _ = visit.nextEvent(until: min(rest, limit)) }
        }
    }

    /// Once the fuel has come to rest.
    private func learn(_ progress: FuellingProgress) { books.learn(plan.learning(progress.snapshot, books.overrun)) }

    private func showProgress(_ record: Record, _ progress: FuellingProgress) {
        display.show(
            state(progress),
            centilitres: record.reading.volume.shownCentilitres,
            fen: Int(record.price.fen),
            unitPrice: settings.unitPrice
        )
    }

    private func state(_ progress: FuellingProgress) -> SideState {
        if progress.waitsForCardUntil != nil {
            .suspended
        } else if progress.snapshot.lastCountNanoseconds == nil {
            progress.hasOpened ? .started : .authorised
        } else {
            .fuelling
        }
    }

    // MARK: - Checkpoint

    /// - Returns: whether one was written.
    private func checkpointIfDue<Grant: FuelGrant & ~Copyable>(
        _ record: inout Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) -> Bool {
        let volume = record.reading.volume
        guard volume != progress.checkpointVolume else { return false }
        let isDue =
            progress.cutOff.map { record.reading.totalCounts >= $0.reportAtCounts } ?? false
            || now >= progress.checkpointAt + FuellingProgress.checkpointNanoseconds
        guard isDue else { return false }
        try checkpoint(record, &progress, grant)
        // What came while it was written is the sale's too, and fuel may be held by now.
        try measure(&record, &progress)
        let snapshot = progress.snapshot
        if snapshot.isHeld {
            display.show(.suspended, .heldForCheckpoint)
            if let last = snapshot.lastCountNanoseconds, now >= last + settings.timeouts.settling { learn(progress) }
        }
        if snapshot.isHeld || !snapshot.outputs.isEmpty { try pump(.retarget(cutOff(record.reading, &progress))) }
        return true
    }

    private func checkpoint<Grant: FuelGrant & ~Copyable>(
        _ record: Record,
        _ progress: inout FuellingProgress,
        _ grant: borrowing Grant
    ) throws(Interruption) {
        try grant.keep(record, in: books)
        progress.checkpointVolume = record.reading.volume
        progress.checkpointAt = now
    }

    private var now: UInt64 { books.now }

    private func pump(_ command: PumpCommand) throws(Interruption) {
        do throws(PumpFault) { try device.perform(command) } catch { throw .failure(.pump(error)) }
    }
}
