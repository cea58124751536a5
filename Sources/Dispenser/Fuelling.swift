import FuelPassbook
import ISO7816
import Metering
import SecurityModule

/// Why fuel no longer flows.
enum FuellingEnd: Equatable {
    /// Nozzle down, target reached, a timeout, or the card's owner did not come back.
    case regular
    case remarkable(String)
    case pumpFailed(PumpFault)
}

/// Where one sale stands between two events.
private struct FuellingProgress {
    let target: Volume
    let authorisedAt: UInt64
    var nozzleWasLifted: Bool
    /// Since when the card is away, and until when the sale waits for it.
    var waitsForCardUntil: UInt64?
    var checkpointVolume = Volume.zero
    var checkpointAt: UInt64

    /// At least every 0.5 L (spec/dispenser.md, section 3): asked for a little before.
    static let checkpointEvery = Volume(centilitres: 45)
    static let checkpointNanoseconds: UInt64 = 1_000_000_000
}

// Step 1.10: the cardholder refuels, while checkpoints keep the journal able to settle the sale.

extension Position {
    /// Lets fuel flow until the sale ends, and leaves the proven reading and amounts in `record`.
    ///
    /// - Throws: `.stop` when the service ends, with the last checkpoint on disk; `.failure` when storage fails, with
    ///   the outputs off.
    func fuel(
        _ record: inout SaleRecord,
        _ session: borrowing LockedSale,
        _ pin: borrowing PIN,
        _ target: Volume
    ) throws(Interruption) -> FuellingEnd {
        do throws(Interruption) {
            let end = try flow(&record, session, pin, target)
            try pump(.close)
            try awaitStandstill()
            measure(&record)
            if case .regular = end { learnOverrun(target, record.reading) }
            try pump(.endSale)
            if case .remarkable(let remark) = end { record.remark = remark }
            return end
        } catch {
            if case .failure(.pump(let fault)) = error {
                measure(&record)
                record.remark = fault.reason
                return .pumpFailed(fault)
            }
            try pump(.endSale)
            throw error
        }
    }

    private func flow(
        _ record: inout SaleRecord,
        _ session: borrowing LockedSale,
        _ pin: borrowing PIN,
        _ target: Volume
    ) throws(Interruption) -> FuellingEnd {
        try pump(.beginSale)
        var progress = FuellingProgress(
            target: target,
            authorisedAt: now,
            nozzleWasLifted: edges.pump.snapshot.nozzleIsLifted,
            checkpointAt: now
        )
        show(.authorised, .liftNozzle(balance: record.balanceBefore))
        if progress.nozzleWasLifted { try open(record, progress) }
        while true {
            let event = nextEvent(until: now + settings.timeouts.tick)
            if let end = try handle(event, &record, &progress, session, pin) { return end }
            measure(&record)
            showProgress(record, progress)
            try checkpointIfDue(record, &progress, session)
            if let end = endByMeter(record, progress) { return end }
        }
    }

    private func handle(
        _ event: PositionEvent?,
        _ record: inout SaleRecord,
        _ progress: inout FuellingProgress,
        _ session: borrowing LockedSale,
        _ pin: borrowing PIN
    ) throws(Interruption) -> FuellingEnd? {
        switch event {
        case .stopRequested:
            try pump(.close)
            try awaitStandstill()
            measure(&record)
            try checkpoint(record, &progress, session)
            throw .stop
        case .pump(.emergency(active: true)):
            return .remarkable("emergency stop")
        case .pump(.nozzle(lifted: true)):
            progress.nozzleWasLifted = true
            if progress.waitsForCardUntil == nil { try open(record, progress) }
        case .pump(.nozzle(lifted: false)):
            return .regular
        case .cardRemoved, .readerLost:
            try cardLeft(record, &progress, session)
        case .cardInserted:
            try cardCameBack(record, &progress, pin)
        case .pumpFailed(let fault):
            return .pumpFailed(fault)
        case .pump(.countsReached), .pump(.pulserFault), .pump(.emergency(active: false)), .readerBack, .pinEntered,
            .pinRefused, nil:
            break
        }
        return nil
    }

    private func endByMeter(_ record: SaleRecord, _ progress: FuellingProgress) -> FuellingEnd? {
        let snapshot = edges.pump.snapshot
        guard record.reading.faults.total <= settings.pulserFaultsMax else {
            show(.suspended, .pulserFaults(record.reading.faults.total))
            return .remarkable("\(record.reading.faults.total) pulser faults: settled at the proven volume")
        }
        if let limit = progress.waitsForCardUntil {
            return now >= limit ? .regular : nil
        }
        if let last = snapshot.lastCountNanoseconds {
            if snapshot.countsAtClosing != nil && snapshot.outputs.isEmpty { return .regular }
            return now >= last + settings.timeouts.noFlow ? .regular : nil
        }
        return now >= progress.authorisedAt + settings.timeouts.firstFlow ? .regular : nil
    }

    private func cardLeft(
        _ record: SaleRecord,
        _ progress: inout FuellingProgress,
        _ session: borrowing LockedSale
    ) throws(Interruption) {
        disconnectCard()
        guard settings.closesValveOnCardRemoval, progress.waitsForCardUntil == nil else { return }
        try pump(.close)
        progress.waitsForCardUntil = now + settings.timeouts.grace
        var record = record
        measure(&record)
        try checkpoint(record, &progress, session)
        show(.suspended, .cardGone(graceSeconds: Int(settings.timeouts.grace / 1_000_000_000)))
    }

    /// The same card goes on with its sale; another is told to wait and nothing is changed on it.
    private func cardCameBack(
        _ record: SaleRecord,
        _ progress: inout FuellingProgress,
        _ pin: borrowing PIN
    ) throws(Interruption) {
        guard try isSameCard(record, pin) else { return }
        guard progress.waitsForCardUntil != nil else { return }
        progress.waitsForCardUntil = nil
        if edges.pump.snapshot.nozzleIsLifted { try open(record, progress) }
    }

    /// Connects, and verifies the PIN again when it is the card of this sale (D16).
    func isSameCard(_ record: SaleRecord, _ pin: borrowing PIN) throws(Interruption) -> Bool {
        do throws(Interruption) {
            guard try identify().asn == record.card else {
                disconnectCard()
                otherCardWaits = true
                show(.suspended, .otherCard)
                return false
            }
            try verify(pin)
            return true
        } catch {
            switch error {
            case .card(let fault): show(.suspended, .cardFault(fault))
            case .refused(let refusal): show(.suspended, .refused(refusal))
            case .stop, .failure: throw error
            }
            disconnectCard()
            return false
        }
    }

    // MARK: - Meter

    /// What has flowed and what it costs; the part beyond the card's balance is not the card's.
    private func measure(_ record: inout SaleRecord) {
        let snapshot = edges.pump.snapshot
        record.reading = MeterReading(
            counts: snapshot.counts,
            volume: totaliser.volume(of: snapshot.counts, settings.calibration),
            faults: snapshot.faults
        )
        let fen = UInt32(clamping: settings.unitPrice.fen(forCentilitres: record.reading.volume.shownCentilitres))
        record.amount = min(Amount(fen: fen), record.balanceBefore)
        record.nonCardPart = Amount(fen: fen - record.amount.fen)
    }

    private func open(_ record: SaleRecord, _ progress: FuellingProgress) throws(Interruption) {
        try pump(.open(cutOff(record.reading, progress)))
        show(.started, .fuelling)
    }

    private func cutOff(_ reading: MeterReading, _ progress: FuellingProgress) -> CutOff {
        let calibration = settings.calibration
        let snapshot = edges.pump.snapshot
        let counts = snapshot.totalCounts
        let remaining = max(.zero, progress.target - reading.volume)
        let stop = max(
            counts,
            counts + calibration.counts(for: remaining, at: snapshot.point) - totaliser.overrunCounts
        )
        let toCheckpoint = max(
            .zero,
            progress.checkpointVolume + FuellingProgress.checkpointEvery - reading.volume
        )
        return CutOff(
            slowAtCounts: stop - calibration.counts(for: settings.slowFlow, at: snapshot.point),
            stopAtCounts: stop,
            reportAtCounts: counts + calibration.counts(for: toCheckpoint, at: snapshot.point)
        )
    }

    /// Waits until no pulse came for the settling time after the valves closed.
    private func awaitStandstill() throws(Interruption) {
        let closed = now
        while true {
            let last = max(closed, edges.pump.snapshot.lastCountNanoseconds ?? closed)
            let deadline = last + settings.timeouts.settling
            guard now < deadline else { return }
            _ = nextEvent(until: deadline)
        }
    }

    /// A quarter of each new overrun enters what is anticipated, when the cut-off closed the valves.
    private func learnOverrun(_ target: Volume, _ reading: MeterReading) {
        let snapshot = edges.pump.snapshot
        guard let closing = snapshot.countsAtClosing else { return }
        let point = snapshot.point
        let atTarget = settings.calibration.counts(for: target, at: point)
        guard abs(closing + totaliser.overrunCounts - atTarget) <= 1 else { return }
        let overrun = snapshot.totalCounts - closing
        totaliser.overrunCounts = (3 * totaliser.overrunCounts + overrun + 3) / 4
    }

    private func showProgress(_ record: SaleRecord, _ progress: FuellingProgress) {
        let state: PositionState =
            if progress.waitsForCardUntil != nil {
                .suspended
            } else if edges.pump.snapshot.lastCountNanoseconds == nil {
                .authorised
            } else {
                .fuelling
            }
        edges.display.show(
            state,
            centilitres: record.reading.volume.shownCentilitres,
            fen: Int(record.amount.fen + record.nonCardPart.fen),
            unitPrice: settings.unitPrice
        )
    }

    // MARK: - Checkpoint

    private func checkpointIfDue(
        _ record: SaleRecord,
        _ progress: inout FuellingProgress,
        _ session: borrowing LockedSale
    ) throws(Interruption) {
        let volume = record.reading.volume
        guard volume != progress.checkpointVolume else { return }
        let flowed = volume - progress.checkpointVolume
        let isDue =
            flowed >= FuellingProgress.checkpointEvery
            || now >= progress.checkpointAt + FuellingProgress.checkpointNanoseconds
        guard isDue else { return }
        try checkpoint(record, &progress, session)
        if !edges.pump.snapshot.outputs.isEmpty { try pump(.retarget(cutOff(record.reading, progress))) }
    }

    private func checkpoint(
        _ record: SaleRecord,
        _ progress: inout FuellingProgress,
        _ session: borrowing LockedSale
    ) throws(Interruption) {
        let checkpoint = Checkpoint(
            ttc: record.ttc,
            reading: record.reading,
            amount: record.amount,
            nonCardPart: record.nonCardPart,
            gmac: session.gmac(of: record.amount)
        )
        try stored { (journal) throws(StorageFault) in try journal.checkpoint(checkpoint) }
        progress.checkpointVolume = record.reading.volume
        progress.checkpointAt = now
    }
}
