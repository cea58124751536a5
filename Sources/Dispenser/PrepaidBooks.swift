import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// How a prepaid sale ends: settled with its refund record. Live, after a restart, or by the card's next visit.

extension Books {
    /// Settles a paid sale at its reading, in one durable step with the totaliser and the refund record of what did not
    /// flow.
    ///
    /// - Returns: the refund record; nil when everything flowed.
    func settlePrepaid(
        _ record: inout Record,
        on before: Totaliser,
        lock: SideLock? = nil
    ) throws(StorageFault) -> Record? {
        try record.take(.delivered)
        record.ended = endTime(after: record.begun)
        let next = before.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = next
        // Where nothing flowed, the totals may be those of a neighbour that sells: what it wrote meanwhile stays.
        var entry = JournalEntry(
            record,
            totaliser: next == before ? nil : next,
            lock: lock,
            faults: record.newFaults
        )
        let refund = try refund(of: record)
        if let refund { entry.records.append(refund) }
        try write(entry)
        return refund
    }

    /// What a settled prepaid sale owes its card; nil where nothing was paid before fuel flowed, or all of it flowed. It follows from
    /// the volume, and so names the sale's program and parameters.
    func refund(of sale: Record) throws(StorageFault) -> Record? {
        guard let refund = Refund(of: sale) else { return nil }
        let head = RecordHead(
            number: try takeRefundNumber(),
            side: sale.side,
            terminal: sale.terminal,
            begun: sale.ended ?? sale.begun,
            ended: sale.ended,
            identification: sale.head.identification
        )
        return Record(head, .refund(refund))
    }

    /// The totals of the record's own nozzle, under its calibration: the settings may have others by now.
    func totaliser(before record: Record) throws(StorageFault) -> Totaliser {
        try storedTotaliser(of: record.nozzle, at: record.side)
            ?? .new(nozzle: record.nozzle, points: record.reading.counts.count)
    }

    /// The card bought, or was locked, with a number now: an earlier purchase at the same number never reached it.
    func voidTornPurchases(of card: ApplicationSerialNumber, _ use: RecordStep.NumberUse) throws(Interruption) {
        for (torn, _) in try tornPurchases(of: card) {
            guard var record = torn.after(.neverBought(use)) else { continue }
            record.ended = endTime(after: record.begun)
            try commit(JournalEntry(record))
            display.show(.calling, .purchaseVoid(record.amount))
        }
    }

    func tornPurchases(of card: ApplicationSerialNumber) throws(Interruption) -> [(Record, PurchaseTender.Torn)] {
        try stored { (journal) throws(StorageFault) in try journal.openRecords() }.compactMap { record in
            guard case .torn(let torn) = record.purchaseTender, record.card == card else { return nil }
            return (record, torn)
        }
    }
}
