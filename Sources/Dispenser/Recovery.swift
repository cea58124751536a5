import FuelPassbook
import Metering
import SecurityModule

// After a restart an open sale is finished from its record alone (spec/dispenser.md, section 3).

extension Position {
    /// A totaliser that was kept under another calibration goes on from its volume.
    func loadTotaliser() throws(PositionFailure) {
        do throws(StorageFault) {
            guard let stored = try edges.journal.totaliser(of: settings.nozzle) else { return }
            totaliser = stored.under(settings.calibration)
            if totaliser != stored { try edges.journal.commit(JournalEntry(totaliser: totaliser)) }
        } catch {
            throw .storage(error)
        }
    }

    /// Intent or locked: a grey record of zero, or of the last checkpoint. Ended or debit sent: a grey record of the
    /// sale's amount. A prepaid sale: see `recoverPrepaid`. Fuel outside any sale is settled as it is. A local unlock
    /// waits for its card, and is counted. No other record is ever open.
    func recover() throws(PositionFailure) {
        do throws(StorageFault) {
            for record in try edges.journal.openRecords() {
                switch (record.kind, record.phase) {
                case (.sale, .intent), (.sale, .locked), (.sale, .ended), (.sale, .debitSent): try recover(record)
                case (.prepaid, .intent), (.prepaid, .paid), (.prepaid, .torn): try recoverPrepaid(record)
                case (.noCard, .flowing): try recoverStrayFlow(record)
                case (.localUnlock, .debitSent): break
                case _:
                    throw StorageFault(
                        operation: "recovery",
                        reason: "record \(record.ttc.number) is \(record.kind.words) in phase \(record.phase.rawValue)"
                    )
                }
            }
            let waiting = try edges.journal.openRecords().count
            if waiting > 0 { show(.closed, .waitForTheirCards(waiting)) }
        } catch {
            throw .storage(error)
        }
    }

    /// The totaliser had its counts with each write.
    private func recoverStrayFlow(_ open: SaleRecord) throws(StorageFault) {
        var record = open
        record.phase = .settled
        record.remark = "interrupted while fuel flowed, finished at the next start"
        try edges.journal.commit(JournalEntry(record))
    }

    /// The totals of the record's own nozzle, under its calibration: the settings may have others by now.
    func totaliser(before record: SaleRecord) throws(StorageFault) -> Totaliser {
        try edges.journal.totaliser(of: record.nozzle)
            ?? .new(nozzle: record.nozzle, points: record.reading.counts.count)
    }

    private func recover(_ open: SaleRecord) throws(StorageFault) {
        var record = open
        var after: Totaliser?
        if record.phase == .intent || record.phase == .locked {
            if let checkpoint = try edges.journal.lastCheckpoint(of: record.ttc) {
                record.reading = checkpoint.reading
                record.amount = checkpoint.amount
                record.nonCardPart = checkpoint.nonCardPart
                record.gmac = checkpoint.gmac
            }
            after = try totaliser(before: record).adding(record.reading, fen: Int(record.price.fen))
            record.totaliser = after
        }
        guard let grey = GreyRecord(unpaid: record) else {
            throw StorageFault(operation: "recovery", reason: "sale \(record.ttc.number) has no GMAC or MAC3")
        }
        record.kind = .escape
        record.phase = .escaped
        record.endTime = record.endTime ?? endTime(after: record.lockTime)
        record.remark = "interrupted in phase \(open.phase.rawValue), finished at the next start"
        try edges.journal.commit(JournalEntry(record, grey: grey, totaliser: after))
        show(.closed, .recovered(ttc: record.ttc, amount: record.amount))
    }
}
