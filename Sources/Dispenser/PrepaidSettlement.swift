import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// How a prepaid sale ends: settled with its refund record, or void. Live, after a restart, or by the card's next visit.

extension Position {
    /// Settles a paid sale at its reading, in one durable step with the totaliser and the refund record of what did not
    /// flow.
    ///
    /// - Returns: the refund record; nil when everything flowed.
    func settlePrepaid(
        _ record: inout Record,
        on before: Totaliser,
        lock: PositionLock? = nil
    ) throws(StorageFault) -> Record? {
        record.settlePrepaid()
        record.ended = endTime(after: record.begun)
        let next = before.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = next
        var entry = JournalEntry(record, totaliser: next, lock: lock)
        let refund = try refund(of: record)
        if let refund { entry.records.append(refund) }
        try write(entry)
        return refund
    }

    /// What a settled prepaid sale owes its card; nil where nothing was paid before fuel flowed, or all of it flowed.
    func refund(of sale: Record) throws(StorageFault) -> Record? {
        guard sale.undelivered > .zero, let standing = sale.standing else { return nil }
        return Record(
            ttc: try edges.journal.reserveTTC(),
            position: sale.position,
            terminal: sale.terminal,
            begun: sale.ended ?? sale.begun,
            ended: sale.ended,
            .refund(Refund(of: sale.ttc, sale.origin, standing, amount: sale.undelivered))
        )
    }

    /// The card may have paid, and its next visit tells.
    func recoverTorn(_ open: Record, _ purchase: Purchase) throws(StorageFault) {
        var record = open
        record.remark = interruptedRemark(open)
        record.purchaseTender = .torn(PurchaseTender.Torn(purchase))
        try write(JournalEntry(record))
        show(.closed, .refused(.purchaseUnproven(record.amount)))
    }

    /// The sale is settled at its last checkpoint.
    func recoverPaid(_ open: Record) throws(StorageFault) {
        var record = open
        record.remark = interruptedRemark(open)
        let refund = try settlePrepaid(&record, on: totaliser(before: record))
        if let refund { show(.closed, .refund(refund.amount)) }
    }

    private func interruptedRemark(_ open: Record) -> String { "interrupted in phase \(open.phase.rawValue)" }
}

// MARK: - Torn purchases, when the card is back

extension Position {
    /// No fuel flowed for a torn purchase. A card that paid it keeps MAC2 as its proof, and all of it is refunded. With a
    /// wrong MAC2 the TAC is kept, which the issuer can check, because the card's next purchase replaces the proof.
    func refundProvenPurchases(of card: ApplicationSerialNumber) throws(Interruption) {
        for var (record, torn) in try tornPurchases(of: card) {
            guard let answer = try proof(of: .purchase, ctc: record.ctc) else { continue }
            guard let paid = try prove(answer, torn.purchase).flatMap(torn.purchase.paid) else {
                torn.noteWrongMAC2(tac: answer.tac)
                record.purchaseTender = .torn(torn)
                try commit(JournalEntry(record))
                continue
            }
            record.purchaseTender = .paid(paid)
            let refund = try stored { (_) throws(StorageFault) in
                try settlePrepaid(&record, on: totaliser(before: record))
            }
            edges.display.printReceipt(record, balance: nil)
            if let refund { show(.calling, .refund(refund.amount)) }
        }
    }

    func tornPurchases(of card: ApplicationSerialNumber) throws(Interruption) -> [(Record, PurchaseTender.Torn)] {
        try stored { (journal) throws(StorageFault) in try journal.openRecords() }.compactMap { record in
            guard case .torn(let torn) = record.purchaseTender, record.card == card else { return nil }
            return (record, torn)
        }
    }

    private func prove(_ answer: TransactionProof, _ purchase: Purchase) throws(Interruption) -> ProvenPurchase? {
        do throws(SecurityModuleError) {
            return try edges.module.provePurchase(
                mac2: answer.mac,
                tac: answer.tac,
                card: purchase.standing.card,
                key: purchase.standing.key,
                session: purchase.session,
                amount: purchase.amount
            )
        } catch {
            throw .refused(.module(error))
        }
    }
}
