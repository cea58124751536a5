import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import SecurityModule

/// What a card that comes back says of a debit whose answer was not seen.
private enum LostAnswer {
    /// It has paid, and proved it.
    case paid(TransactionProof)
    /// It bears the grey mark of this sale: the debit was not executed.
    case notExecuted
    /// It left, or failed, before it said.
    case unknown
}

/// How one DEBIT FOR PETROL went.
private enum DebitOutcome {
    case answered(DebitForPetrol.Response)
    case refused(StatusWord)
    /// Sent, and no answer seen: the card has paid or not.
    case lost
}

// Steps 1.12 to 1.15: the debit, which unlocks the card in the same step.

extension Position {
    /// Debits the card, waiting for it within the grace time, and leaves a grey record when it does not come or refuses.
    func settle(_ record: inout SaleRecord, _ pin: borrowing PIN) throws(Interruption) {
        show(.settling, .settling)
        do throws(Interruption) {
            try settleWithinGrace(&record, pin)
        } catch {
            if case .refused(let refusal) = error {
                try escape(&record, as: .cardFault, remark: refusal.description)
            }
            throw error
        }
    }

    private func settleWithinGrace(_ record: inout SaleRecord, _ pin: borrowing PIN) throws(Interruption) {
        let begun = now
        while true {
            let left = saleCardLeftAt ?? begun
            let deadline = (settings.closesValveOnCardRemoval ? left : max(begun, left)) + settings.timeouts.grace
            var isReady = presence == .connected
            if !isReady { isReady = try awaitCard(of: record, pin, until: deadline) }
            guard isReady, record.debit == nil || now < deadline else {
                try escape(&record, as: .escape, remark: nil)
                if stopIsRequested { throw .stop }
                return
            }
            switch try record.debit.map({ (attempt) throws(Interruption) in try lostAnswer(attempt, record) }) {
            case .paid(let proof): return try finish(&record, proof.tac, proof.mac)
            case .unknown: disconnectCard()
            case .notExecuted, nil:
                switch try debit(&record) {
                case .answered(let response): return try finish(&record, response.debitTAC, response.mac4)
                case .refused(.memoryFailure), .lost: disconnectCard()
                case .refused(let status): throw .refused(refusal(of: .debitForPetrol, status))
                }
            }
        }
    }

    /// - Returns: whether the card of this sale is connected, with its PIN verified.
    private func awaitCard(
        of record: SaleRecord,
        _ pin: borrowing PIN,
        until deadline: UInt64
    ) throws(Interruption) -> Bool {
        if presence == .present, try isSameCard(record, pin) { return true }
        while !stopIsRequested {
            guard let event = nextEvent(until: deadline) else { return false }
            switch event {
            case .cardInserted: if try isSameCard(record, pin) { return true }
            case .pumpFailed(let fault): throw .failure(.pump(fault))
            case .cardRemoved, .readerLost: disconnectCard()
            case .pump(.strayFlow): try stored { (_) throws(StorageFault) in try recordStrayFlow() }
            case .readerBack, .pump, .pinEntered, .pinRefused, .stopRequested: break
            }
        }
        return false
    }

    /// A card that is not grey has paid, and still has the proof (D23). Only what it said counts: while nothing is
    /// known, no other debit is sent.
    private func lostAnswer(_ attempt: DebitAttempt, _ record: SaleRecord) throws(Interruption) -> LostAnswer {
        do throws(Interruption) {
            if let status = try greyStatus(), let mac3 = record.mac3, status.mac3.isValid(MAC(bytes: mac3)) {
                return .notExecuted
            }
            guard let proof = try proof(of: attempt.type, ctc: record.ctc) else {
                throw .refused(.answer(.getTransactionProve, .proofNotAvailable))
            }
            return .paid(proof)
        } catch {
            guard case .card(let fault) = error else { throw error }
            show(.settling, .cardFault(fault))
            return .unknown
        }
    }

    private func debit(_ record: inout SaleRecord) throws(Interruption) -> DebitOutcome {
        guard let gmac = record.gmac, let ctc = record.ctc.next else {
            preconditionFailure("a locked card has counted up, and an unpaid sale has a GMAC")
        }
        let attempt = DebitAttempt(
            ttc: record.ttc,
            type: record.debit == nil ? .refuel : .localUnlock,
            time: try stored { (_) throws(StorageFault) in try stampTime() }
        )
        record.debit = attempt
        record.phase = .debitSent
        try commit(JournalEntry(record))
        return try sendDebit(gmac, ctc: ctc, attempt)
    }

    private func sendDebit(_ gmac: SealedGMAC, ctc: CTC, _ attempt: DebitAttempt) throws(Interruption) -> DebitOutcome {
        let opened: MAC
        do throws(SecurityModuleError) { opened = try edges.module.open(gmac) } catch { throw .refused(.module(error)) }
        let command = DebitForPetrol(
            amount: gmac.amount,
            ctc: ctc,
            terminal: edges.module.terminal,
            ttc: attempt.ttc,
            time: attempt.time,
            gmac: opened
        )
        do throws(Interruption) {
            switch try send(command) {
            case .success(let response): return .answered(response)
            case .status(let status): return .refused(status)
            }
        } catch {
            switch error {
            case .card(let fault):
                show(.settling, .cardFault(fault))
                return .lost
            case .refused(.answerMalformed): return .lost
            case .refused, .stop, .failure: throw error
            }
        }
    }

    /// Step 1.15, and the sale's last durable write.
    private func finish(_ record: inout SaleRecord, _ tac: MAC, _ mac4: MAC) throws(Interruption) {
        guard let attempt = record.debit else { preconditionFailure("a debit was sent") }
        settled(&record, attempt, tac, mac4, amount: record.amount)
        record.gmac = nil
        try commit(JournalEntry(record))
        edges.display.printReceipt(record, balance: record.balanceBefore.less(record.amount))
    }

    private func settled(
        _ record: inout SaleRecord,
        _ attempt: DebitAttempt,
        _ tac: MAC,
        _ mac4: MAC,
        amount: Amount
    ) {
        record.phase = .settled
        record.debitTAC = tac.bytes
        do throws(SecurityModuleError) {
            record.mac4IsValid = try edges.module.verifyMAC4(
                mac4,
                card: record.card,
                key: record.key,
                amount: amount,
                type: attempt.type,
                terminal: record.terminal,
                time: attempt.time
            )
        } catch {
            record.remark = "MAC4 not checked: \(error)"
        }
        if record.mac4IsValid == false { record.remark = "MAC4 of the card is wrong" }
    }
}

// MARK: - Local unlock, steps 3.1 to 3.7

extension Position {
    /// A grey card is in the reader: pays the sale that this terminal has a record of.
    func localUnlock(_ card: PublicApplicationFile, _ status: GetGreyStatus.Response) throws(Interruption) {
        // 3.3
        let known = try stored { (journal) throws(StorageFault) in try journal.openGreyRecords(of: card.asn) }
        guard var grey = known.first(where: { status.mac3.isValid(MAC(bytes: $0.mac3)) }) else {
            throw .refused(.greyElsewhere)
        }
        show(.calling, .settlingEarlierSale(grey.amount))
        _ = try verifiedPIN()
        var record = try localUnlockRecord(of: grey, status)
        guard let attempt = record.debit else { preconditionFailure("the record was made with its debit") }
        grey.debit = attempt
        try commit(JournalEntry(record, grey: grey))
        // 3.4 to 3.6
        switch try sendDebit(grey.gmac, ctc: status.ctc, attempt) {
        case .answered(let response):
            // 3.7
            settled(&record, attempt, response.debitTAC, response.mac4, amount: grey.amount)
            record.endTime = endTime(after: record.lockTime)
            grey.state = .settled
            try commit(JournalEntry(record, grey: grey))
            edges.display.printReceipt(record, balance: status.balance.less(grey.amount))
            show(.completed, .earlierSaleSettled(grey.amount))
        case .refused(.memoryFailure), .lost:
            // The card has paid or not: its next visit tells.
            throw .card(.removed)
        case .refused(let answer):
            // No code covers a status word: the record stays open until the card is seen grey again, or proves that it
            // paid.
            record.remark = "DEBIT FOR PETROL was answered \(answer)"
            try commit(JournalEntry(record))
            throw .refused(refusal(of: .debitForPetrol, answer))
        }
    }

    /// The record of this local unlock: the one that an earlier attempt left open, or a new one.
    private func localUnlockRecord(
        of grey: GreyRecord,
        _ status: GetGreyStatus.Response
    ) throws(Interruption) -> SaleRecord {
        let time = try stored { (_) throws(StorageFault) in try stampTime() }
        let sale = try stored { (_) throws(StorageFault) in try self.sale(of: grey) }
        let open = try stored { (journal) throws(StorageFault) in try journal.openRecords() }
        if var record = open.first(where: { $0.settles == grey.ttc }) {
            record.debit = DebitAttempt(ttc: record.ttc, type: .localUnlock, time: time)
            return record
        }
        let ttc = try stored { (journal) throws(StorageFault) in try journal.nextTTC() }
        var record = SaleRecord(
            ttc: ttc,
            kind: .localUnlock,
            phase: .debitSent,
            position: settings.position,
            terminal: edges.module.terminal,
            lockTime: time,
            card: grey.card,
            key: sale.key,
            balanceBefore: status.balance,
            ctc: grey.ctc,
            mac3: grey.mac3,
            nozzle: sale.nozzle,
            grade: sale.grade,
            unitPrice: sale.unitPrice,
            reading: .none(points: settings.calibration.points.count),
            amount: grey.amount,
            gmac: nil
        )
        record.lockTAC = status.lockTAC.bytes
        record.settles = grey.ttc
        record.totaliser = totaliser
        record.debit = DebitAttempt(ttc: ttc, type: .localUnlock, time: time)
        return record
    }

    /// The card is not grey: what it can prove of debits whose answers this terminal has not seen.
    func settleByProof(_ card: ApplicationSerialNumber) throws(Interruption) {
        for var grey in try stored({ (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }) {
            guard
                let attempt = grey.debit, let proof = try proof(of: attempt.type, ctc: grey.ctc),
                var record = try stored({ (journal) throws(StorageFault) in try journal.record(attempt.ttc) })
            else { continue }
            settled(&record, attempt, proof.tac, proof.mac, amount: grey.amount)
            if record.settles == nil { record.kind = .sale }
            record.gmac = nil
            record.endTime = record.endTime ?? endTime(after: record.lockTime)
            grey.state = .settled
            try commit(JournalEntry(record, grey: grey))
            show(.calling, .earlierSaleSettled(grey.amount))
        }
    }
}
