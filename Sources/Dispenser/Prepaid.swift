import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import SecurityModule

// The prepaid sale: the ordinary purchase, steps 1.1 to 1.7 of seed 002, then fuel for exactly what was paid.
//
// Durable writes, each on disk before the next act: intent, before DEBIT FOR PURCHASE leaves; paid, before the valve
// may open; the reading at every checkpoint; settled, in one step with the refund record of what did not flow.
//
// Invariant of a settled prepaid sale, to the fen: paid = (price of what flowed - part beyond the payment) + refund.

extension Position {
    func prepaidSale(_ card: PublicApplicationFile, _ preset: Preset) throws(Interruption) {
        try checkMayServe(card)
        guard let centilitres = centilitresMax(within: preset), centilitres > 0 else {
            preconditionFailure("a preset is for at least a centilitre")
        }
        let amount = Amount(fen: UInt32(clamping: settings.unitPrice.fen(forCentilitres: centilitres)))
        show(.calling, .prepaying(amount))
        _ = try verifiedPIN()
        try closeEarlierSales(of: card.asn)
        try beginAnew()

        // 1.1, 1.2
        let command = InitializeForPurchase(
            keyIndex: settings.keyIndex,
            amount: amount,
            terminal: edges.module.terminal
        )
        let answer = try initialize(command)
        // 1.3
        let debiting = try makeMAC1(card.asn, command, answer)
        try checkNoEmergency()
        var record = intent(card.asn, command, answer, debiting)
        try commit(JournalEntry(record))
        // 1.4 to 1.7
        try pay(&record, debiting)
        let end = try fuel(&record, .payment, Volume(centilitres: centilitres))
        try finishPrepaid(&record, lock: lock(after: end, record))
        if case .pumpFailed(let fault) = end { throw .failure(.pump(fault)) }
    }

    /// Step 1.2 refuses for want of money without saying how much there is.
    private func initialize(
        _ command: InitializeForPurchase
    ) throws(Interruption) -> InitializeForPurchase.Response {
        switch try send(command) {
        case .success(let response):
            // No code covers this balance: one that cannot pay is not believed, nor is it worked with.
            guard response.balance >= command.amount else {
                throw .refused(.notEnoughMoney(balance: response.balance, needed: command.amount))
            }
            return response
        case .status(.insufficientFunds):
            let balance = try exchange(GetBalance()).balance
            throw .refused(.notEnoughMoney(balance: balance, needed: command.amount))
        case .status(let status): throw .refused(refusal(of: .initializeForPurchase, status))
        }
    }

    private func makeMAC1(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPurchase,
        _ answer: InitializeForPurchase.Response
    ) throws(Interruption) -> DebitingPurchase {
        let ttc = try stored { (journal) throws(StorageFault) in try journal.nextTTC() }
        let time = try saleTime()
        do throws(SecurityModuleError) {
            return try edges.module.makeMAC1(card: card, command: command, answer: answer, ttc: ttc, time: time)
        } catch {
            throw .refused(.module(error))
        }
    }

    private func intent(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPurchase,
        _ answer: InitializeForPurchase.Response,
        _ debiting: borrowing DebitingPurchase
    ) -> SaleRecord {
        var record = SaleRecord(
            ttc: debiting.ttc,
            kind: .prepaid,
            phase: .intent,
            position: settings.position,
            terminal: edges.module.terminal,
            lockTime: debiting.time,
            card: card,
            key: KeyReference(index: command.keyIndex, version: answer.keyVersion),
            balanceBefore: answer.balance,
            ctc: answer.ctc,
            mac3: nil,
            nozzle: settings.nozzle,
            grade: settings.grade,
            unitPrice: settings.unitPrice,
            reading: .none(points: settings.calibration.points.count),
            amount: command.amount,
            gmac: nil
        )
        record.icc = answer.icc
        record.debit = DebitAttempt(ttc: debiting.ttc, type: .purchase, time: debiting.time)
        return record
    }

    /// Steps 1.4 to 1.7. Whatever goes wrong after the command left, the card may have paid: the purchase is torn until
    /// the card proves it, at once when it is still there.
    private func pay(_ record: inout SaleRecord, _ debiting: consuming DebitingPurchase) throws(Interruption) {
        do throws(Interruption) {
            // 1.4 to 1.6
            let answer = try exchange(
                DebitForPurchase(ttc: debiting.ttc, time: debiting.time, mac1: debiting.mac1)
            )
            record.debitTAC = answer.tac.bytes
            // 1.7
            do throws(SecurityModuleError) { try debiting.verifyMAC2(answer.mac2) } catch {
                record.mac2IsValid = false
                throw .refused(.module(error))
            }
        } catch {
            try leaveTorn(&record, because: error)
        }
        record.mac2IsValid = true
        record.phase = .paid
        try commit(JournalEntry(record))
    }

    /// Ends the visit: with what went wrong when the card could prove whether it paid, and else with that it could not.
    private func leaveTorn(
        _ record: inout SaleRecord,
        because interruption: Interruption
    ) throws(Interruption) -> Never {
        record.phase = .torn
        switch interruption {
        case .card(let fault):
            record.remark = "DEBIT FOR PURCHASE was not answered: \(fault)"
            try commit(JournalEntry(record))
            show(.settling, .cardFault(fault))
        case .refused(let refusal):
            record.remark = "\(refusal)"
            try commit(JournalEntry(record))
            // Void is for another power session: a card that failed to write does not know yet whether it paid.
            try refundProvenPurchases(of: record.card)
        case .stop, .failure:
            throw interruption
        }
        let ttc = record.ttc
        let isTorn = try tornPurchases(of: record.card).contains { $0.ttc == ttc }
        throw isTorn ? .refused(.purchaseUnproven(record.amount)) : interruption
    }

    /// The sale's last durable write, and with it the refund record.
    private func finishPrepaid(_ record: inout SaleRecord, lock: PositionLock?) throws(Interruption) {
        let refund = try stored { (_) throws(StorageFault) in
            try settlePrepaid(&record, on: totaliser, lock: lock)
        }
        if let after = record.totaliser { totaliser = after }
        edges.display.printReceipt(record, balance: record.balanceBefore.less(record.amount))
        if let refund { show(.completed, .refund(refund.amount)) }
    }
}
