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
        _ record: inout SaleRecord,
        on before: Totaliser,
        lock: PositionLock? = nil
    ) throws(StorageFault) -> SaleRecord? {
        record.settlePaid()
        record.endTime = endTime(after: record.lockTime)
        let next = before.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = next
        var entry = JournalEntry(record, totaliser: next, lock: lock)
        let refund = try refund(of: record)
        if let refund { entry.records.append(refund) }
        try write(entry)
        return refund
    }

    /// What a settled prepaid sale owes its card; nil where nothing was paid before fuel flowed, or all of it flowed.
    func refund(of sale: SaleRecord) throws(StorageFault) -> SaleRecord? {
        guard sale.undelivered > .zero else { return nil }
        var refund = SaleRecord(
            ttc: try edges.journal.reserveTTC(),
            kind: .refund,
            phase: .settled,
            position: sale.position,
            terminal: sale.terminal,
            lockTime: sale.endTime ?? sale.lockTime,
            card: sale.card,
            key: sale.key,
            balanceBefore: sale.balanceBefore,
            ctc: sale.ctc,
            mac3: nil,
            nozzle: sale.nozzle,
            grade: sale.grade,
            unitPrice: sale.unitPrice,
            reading: .none(points: settings.calibration.points.count),
            amount: sale.undelivered,
            gmac: nil
        )
        refund.endTime = sale.endTime
        refund.settles = sale.ttc
        return refund
    }

    /// Paid: the sale is settled at its last checkpoint. Intent: the card may have paid, and its next visit tells. Torn:
    /// it still may.
    func recoverPrepaid(_ open: SaleRecord) throws(StorageFault) {
        var record = open
        record.remark = "interrupted in phase \(open.phase.rawValue)"
        switch open.phase {
        case .intent:
            record.advance(to: .torn)
            try write(JournalEntry(record))
            show(.closed, .refused(.purchaseUnproven(record.amount)))
        case .paid:
            let refund = try settlePrepaid(&record, on: totaliser(before: record))
            if let refund { show(.closed, .refund(refund.amount)) }
        case .torn: break
        case .locked, .flowing, .ended, .debitSent, .settled, .escaped, .void:
            throw StorageFault(
                operation: "recovery",
                reason: "prepaid sale \(open.ttc.number) is open and \(open.phase.rawValue)"
            )
        }
    }
}

// MARK: - Torn purchases, when the card is back

extension Position {
    /// No fuel flowed for a torn purchase. A card that paid it keeps MAC2 as its proof, and all of it is refunded. With a
    /// wrong MAC2 the TAC is kept, which the issuer can check, because the card's next purchase replaces the proof.
    func refundProvenPurchases(of card: ApplicationSerialNumber) throws(Interruption) {
        for var record in try tornPurchases(of: card) {
            guard let answer = try proof(of: .purchase, ctc: record.ctc) else { continue }
            guard let proof = try prove(answer, record) else {
                record.noteWrongMAC2(tac: answer.tac)
                try commit(JournalEntry(record))
                continue
            }
            record.pay(by: proof)
            let refund = try stored { (_) throws(StorageFault) in
                try settlePrepaid(&record, on: totaliser(before: record))
            }
            edges.display.printReceipt(record, balance: nil)
            if let refund { show(.calling, .refund(refund.amount)) }
        }
    }

    func tornPurchases(of card: ApplicationSerialNumber) throws(Interruption) -> [SaleRecord] {
        let open = try stored { (journal) throws(StorageFault) in try journal.openRecords() }
        return open.filter { $0.kind == .prepaid && $0.phase == .torn && $0.card == card }
    }

    private func prove(_ answer: TransactionProof, _ record: SaleRecord) throws(Interruption) -> ProvenPurchase? {
        guard let icc = record.icc else { return nil }
        do throws(SecurityModuleError) {
            return try edges.module.provePurchase(
                mac2: answer.mac,
                tac: answer.tac,
                card: record.card,
                key: record.key,
                session: PurchaseSessionData(icc: icc, ctc: record.ctc, ttc: record.ttc),
                amount: record.amount
            )
        } catch {
            throw .refused(.module(error))
        }
    }
}
