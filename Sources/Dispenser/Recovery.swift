import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule

// After a restart an open sale is finished from its record alone (spec/dispenser.md, section 3).

/// How an open record is finished that a crash left, before any card is served.
struct Recovery {
    let books: Books

    /// Intent or locked: a grey record of zero, or of the last checkpoint. Ended or debit sent: a grey record of the
    /// sale's amount. A prepaid sale: see `PrepaidBooks.swift`. Fuel outside any sale, and a test, is settled as it
    /// is. A local unlock waits for its card.
    ///
    /// One that would take the place of a row that is not believed, or needs a number where none is given, is left as it is.
    func finish(_ record: Record) throws(StorageFault) {
        do throws(StorageFault) {
            switch record.content {
            case .sale(_, .prepaid(.paid)): try recoverPaid(record)
            case .sale(_, .greyLock), .sale(_, .prepaid): try recover(record)
            case .sale(_, .purchase(.intent)): try recoverTorn(record)
            case .sale(_, .purchase(.paid)): try recoverPaid(record)
            case .sale(_, .none(isFlowing: true)), .test(_, isFlowing: true): try recoverStrayFlow(record)
            // The others wait for their cards, or are over.
            case .sale(_, .purchase), .sale(_, .none), .test, .release, .notice, .refund: break
            }
        } catch {
            guard error.row != nil || error.refusesNumbers else { throw error }
            if let row = error.row { books.display.show(.closed, .damagedRow(row)) }
        }
    }

    /// The totaliser had its counts with each write.
    private func recoverStrayFlow(_ open: Record) throws(StorageFault) {
        var record = open
        try record.take(.rested)
        record.remark = "interrupted while fuel flowed, finished at the next start"
        try books.write(JournalEntry(record))
    }

    /// The card may have paid, and its next visit tells.
    private func recoverTorn(_ open: Record) throws(StorageFault) {
        var record = open
        record.remark = interruptedRemark(open)
        try record.take(.torn(tac: nil))
        try books.write(JournalEntry(record))
        books.display.show(.closed, .refused(.purchaseUnproven(record.amount)))
    }

    /// The sale is settled at its last checkpoint.
    private func recoverPaid(_ open: Record) throws(StorageFault) {
        var record = open
        record.remark = interruptedRemark(open)
        let refund = try books.settlePrepaid(&record, on: books.totaliser(before: record))
        if let refund { books.display.show(.closed, .refund(refund.amount)) }
    }

    private func interruptedRemark(_ open: Record) -> String { "interrupted in phase \(open.phase.rawValue)" }

    private func recover(_ open: Record) throws(StorageFault) {
        var record = open
        var after: Totaliser?
        var due: SealedGMAC?
        record.remark = "interrupted in phase \(open.phase.rawValue), finished at the next start"
        if record.phase == .intent || record.phase == .locked {
            switch try books.checkpoint(of: record) {
            case .success(let checkpoint):
                try record.measure(checkpoint.reading)
                due = checkpoint.gmac
            case .failure(let fault):
                record.remark = "its checkpoint is not believed, finished at what the record says: \(fault)"
            case nil: break
            }
            after = try books.totaliser(before: record).adding(record.reading, fen: Int(record.price.fen))
        }
        // A sale's end had them, and for a prepaid debit that is not proven nothing flows.
        if let totals = after ?? record.totaliser {
            record.totaliser = totals
        } else {
            record.totaliser = try books.totaliser(before: record)
        }
        let grey = try record.leave(.interrupted(checkpoint: due))
        record.ended = record.ended ?? books.endTime(after: record.begun)
        let faults = after == nil ? nil : record.newFaults
        try books.write(JournalEntry(record, grey: grey, totaliser: after, faults: faults))
        books.display.show(.closed, .recovered(number: record.number, amount: record.amount))
    }
}
