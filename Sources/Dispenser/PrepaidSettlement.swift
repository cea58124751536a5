import CardCryptography
import FuelPassbook
import ISO7816
import Metering
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
        record.phase = .settled
        record.endTime = endTime(after: record.lockTime)
        let next = before.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = next
        var entry = JournalEntry(record, totaliser: next, lock: lock)
        let refund = try refund(of: record)
        if let refund { entry.records.append(refund) }
        try edges.journal.commit(entry)
        return refund
    }

    private func refund(of sale: SaleRecord) throws(StorageFault) -> SaleRecord? {
        guard sale.undelivered > .zero else { return nil }
        var refund = SaleRecord(
            ttc: try edges.journal.nextTTC(),
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
            record.phase = .torn
            try edges.journal.commit(JournalEntry(record))
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
    /// The card is not grey and its PIN is verified: closes what its earlier visits left open here, as far as the card
    /// can prove it. The TTC of the command that proved its number is that of the first notice, or of the sale that
    /// follows: a number that was only initialised with is free.
    func closeEarlierSales(of card: ApplicationSerialNumber) throws(Interruption) {
        let grey = try stored { (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }
        let torn = try tornPurchases(of: card)
        guard !grey.isEmpty || !torn.isEmpty else { return }
        let present = try provenState(of: card)
        try closeGreyRecords(of: card, present)
        try voidPurchases(of: card, presentCTC: present.ctc)
    }

    /// No fuel flowed for a torn purchase. A card that paid it keeps MAC2 as its proof, and all of it is refunded. With a
    /// wrong MAC2 the TAC is kept, which the issuer can check, because the card's next purchase replaces the proof.
    func refundProvenPurchases(of card: ApplicationSerialNumber) throws(Interruption) {
        for var record in try tornPurchases(of: card) {
            guard let proof = try proof(of: .purchase, ctc: record.ctc) else { continue }
            let isPaid = try isValid(proof, record)
            record.mac2IsValid = isPaid
            guard isPaid else {
                record.debitTAC = record.debitTAC ?? proof.tac.bytes
                try commit(JournalEntry(record))
                continue
            }
            record.debitTAC = proof.tac.bytes
            let refund = try stored { (_) throws(StorageFault) in
                try settlePrepaid(&record, on: totaliser(before: record))
            }
            edges.display.printReceipt(record, balance: nil)
            if let refund { show(.calling, .refund(refund.amount)) }
        }
    }

    /// The card proved its present number: a torn purchase that it never counted is void. Any other stays torn, because
    /// neither payment nor void is proven; the issuer's books decide it.
    func voidPurchases(of card: ApplicationSerialNumber, presentCTC: CTC) throws(Interruption) {
        for var record in try tornPurchases(of: card) where record.ctc == presentCTC {
            record.phase = .void
            record.endTime = endTime(after: record.lockTime)
            try commit(JournalEntry(record))
            show(.calling, .purchaseVoid(record.amount))
        }
    }

    func tornPurchases(of card: ApplicationSerialNumber) throws(Interruption) -> [SaleRecord] {
        let open = try stored { (journal) throws(StorageFault) in try journal.openRecords() }
        return open.filter { $0.kind == .prepaid && $0.phase == .torn && $0.card == card }
    }

    private func isValid(_ proof: TransactionProof, _ record: SaleRecord) throws(Interruption) -> Bool {
        guard let icc = record.icc else { return false }
        do throws(SecurityModuleError) {
            return try edges.module.isValidMAC2(
                proof.mac,
                card: record.card,
                key: record.key,
                session: PurchaseSessionData(icc: icc, ctc: record.ctc, ttc: record.ttc),
                amount: record.amount
            )
        } catch {
            throw .refused(.module(error))
        }
    }

    /// The answer to INITIALIZE FOR PURCHASE proves nothing. MAC1 of INITIALIZE FOR PETROL is made with the number, and
    /// the command writes nothing on the card.
    private func provenState(
        of card: ApplicationSerialNumber
    ) throws(Interruption) -> InitializeForPetrol.Response {
        let ttc = try stored { (journal) throws(StorageFault) in try journal.nextTTC() }
        let command = InitializeForPetrol(
            keyIndex: settings.keyIndex,
            terminal: edges.module.terminal,
            ttc: ttc
        )
        let answer = try exchange(command)
        _ = try verifyMAC1(card, command, answer)
        return answer
    }
}
