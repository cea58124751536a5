import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Records

// Valves, pulser, and what the service may lose of them.

extension SideLedger {
    func performs(_ command: PumpCommand, trueCounts: Int, _ meter: MeterSnapshot) {
        switch command {
        case .beginSale:
            meteringSince = trueCounts
            countsFrozen = 0
            if isSwapped, let running { ledger.books.beyondTarget.insert(running) }
        case .endSale:
            guard let since = meteringSince, let running else { return }
            metered[running] = meter.totalCounts
            meteringSince = nil
            guard lies.lie == nil else { return checkLie(running, meter, trueCounts: trueCounts, since: since) }
            checkLosses(running, meter, trueCounts: trueCounts, since: since)
        case .open, .retarget, .close: break
        }
    }

    /// Nothing is lost unseen; what the kernel's numbers show as lost counts as large as it is.
    private func checkLosses(_ running: RecordNumber, _ meter: MeterSnapshot, trueCounts: Int, since: Int) {
        if isSwappedAlone, trueCounts - max(since, swappedSince) > StationLedger.countsSwappedMax + ledger.overrunCounts
        {
            ledger.fail("fuel flows although the pulser turns back only")
        }
        if since >= disturbedUntil, trueCounts - since != meter.totalCounts { ledger.fail("the meter lost counts") }
        if let swappedUntil, since >= swappedUntil, disturbedUntil <= swappedUntil + StationLedger.edgesThatShow,
            trueCounts - since > meter.totalCounts + StationLedger.edgesThatShow
        {
            ledger.fail("what a swapped pulser read as reverse was worked off")
        }
        let shown = meter.faults.sequenceGaps.reduce(0, +)
        if let lost = losses[running], trueCounts >= disturbedUntil, shown < lost {
            ledger.fail("\(lost) edges were lost in the queue, and sale \(running.value) says \(shown)")
        }
    }

    /// What flows when the pump no longer answers is not the sale's.
    func pumpFails(_ meter: MeterSnapshot) {
        if meteringSince != nil, let running { metered[running] = meter.totalCounts }
        meteringSince = nil
    }

    /// Whether the next counts may show what happened to earlier ones.
    func isDisturbed(trueCounts: Int) -> Bool { isSwapped || trueCounts < disturbedUntil }

    func disturbs(trueCounts: Int) {
        isSwappedAlone = false
        disturbedUntil = max(disturbedUntil, isSwapped ? .max : trueCounts + StationLedger.edgesThatShow)
    }

    /// The kernel's queue drops edges, and their numbers show it.
    func loses(edges: Int, trueCounts: Int) {
        disturbs(trueCounts: trueCounts + edges)
        guard meteringSince != nil, let running else { return }
        losses[running, default: 0] += edges
        ledger.books.beyondTarget.insert(running)
    }

    /// Until somebody puts the plug in right.
    func swaps(trueCounts: Int) {
        isSwapped = true
        isSwappedAlone = trueCounts >= disturbedUntil
        swappedSince = trueCounts
        disturbedUntil = .max
        if meteringSince != nil, let running { ledger.books.beyondTarget.insert(running) }
    }

    /// The pulser trembles, which in a plug put in the other way round is a forward count now and then.
    func rocks() { isSwappedAlone = false }

    func swapsBack(trueCounts: Int) {
        isSwapped = false
        isSwappedAlone = false
        disturbedUntil = trueCounts + StationLedger.edgesThatShow
        swappedUntil = trueCounts
    }

    /// The service stood still while so many counts came, of which the queue lost some.
    func freezes(counts: Int, lost: Int, isOpen: Bool, _ trueCounts: Int) {
        disturbs(trueCounts: trueCounts)
        guard isOpen, let running else { return }
        countsFrozen += counts
        frozen.insert(running)
        losses[running, default: 0] += lost
        ledger.books.beyondTarget.insert(running)
    }

    /// Called whenever anything happened.
    func observe(_ store: MemoryJournal, isOpen: Bool, mayBeOpen: Bool) {
        guard isOpen else { return }
        if let closing { ledger.fail("a valve is open at a position that closed itself: \(closing)") }
        if let running, frozen.contains(running) { ledger.fail("fuel flows on after the service stood still") }
        if !mayBeOpen { ledger.fail("a valve is open with the nozzle hung up, or in an emergency") }
        guard let running, let record = store.records[running] else {
            return ledger.fail("a valve is open without a sale")
        }
        switch record.phase {
        case .locked:
            let grey = ledger.card(record.card)?.image.grey
            let isLocked = grey.map { $0.ttc == record.ttc && ledger.terminals.contains($0.terminal) } ?? false
            if !isLocked { ledger.fail("a valve is open and no card is locked") }
        case .paid:
            if ledger.debits[ledger.key(record)] == nil {
                ledger.fail("a valve is open and nothing is paid")
            }
        case .intent, .flowing, .torn, .ended, .debitSent, .settled, .escaped, .void:
            ledger.fail("a valve is open in phase \(record.phase.rawValue)")
        }
    }

    /// The side waits for what comes next, and knows that the card is gone.
    func waits(_ store: MemoryJournal, isOpen: Bool, isCardGone: Bool) {
        guard isOpen, isCardGone, let running, store.records[running]?.phase == .locked else { return }
        ledger.fail("a valve is open and the card was taken out")
    }

    /// The mains are cut, or the service ended, at whatever instant. Of what the meter counted since the service began, all but
    /// a checkpoint's worth is in a record, or in a checkpoint of the sale that goes on.
    ///
    /// - Returns: the counts that no checkpoint has.
    @discardableResult
    func serviceEnds(_ store: MemoryJournal, _ meter: MeterSnapshot, _ calibration: Calibration) -> Int {
        meteringSince = nil
        faultsStray = faultsStray + meter.strayFaults
        var kept = countsInRecords - countsInRecordsAtStart
        if let running, let record = store.records[running], record.isBeforeEnd {
            let checkpoint = store.checkpoints[running]?.reading ?? record.reading
            metered[running] = checkpoint.totalCounts
            kept += checkpoint.totalCounts - record.reading.totalCounts
        }
        let lost = meter.allCounts.reduce(0, +) - kept
        // The point may have changed since the pump was told where to hold.
        let checkpoint = StationLedger.checkpointMax
        guard let most = calibration.points.indices.map({ calibration.counts(for: checkpoint, at: $0) }).max() else {
            preconditionFailure("a calibration has points")
        }
        if lost < 0 { ledger.fail("the records have more than the meter counted") }
        if lost > most + ledger.overrunCounts + countsFrozen {
            ledger.fail("the power cut cost \(lost) counts, more than one checkpoint (\(most))")
        }
        return lost
    }
}
