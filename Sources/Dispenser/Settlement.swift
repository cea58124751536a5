import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// What a card that comes back says of a debit whose answer was not seen.
private enum LostAnswer {
    /// It has paid, and proved it.
    case paid(ProvenDebit)
    /// It bears the grey mark of this sale: the debit was not executed.
    case notExecuted
    /// It left, failed, or proved nothing.
    case unknown
}

/// How one DEBIT FOR PETROL went.
enum DebitOutcome {
    case paid(ProvenDebit)
    /// No code covers a status word: the card has paid or not.
    case refused(StatusWord)
    /// Sent, and no answer seen that proves a payment (D27): the card has paid or not. With the answer whose MAC4 was right.
    case lost(AnsweredDebit?)
}

// Steps 1.12 to 1.15: the debit, which unlocks the card in the same step.

extension Position {
    /// Of one sale, until its card proves one or is asked again at its next visit.
    private static let debitTriesMax = 5

    /// Debits the card, waiting for it within the grace time, and leaves a grey record when it does not come, refuses, or
    /// proves nothing.
    func settle(
        _ record: inout Record,
        _ ended: LockTender.Unpaid,
        _ pin: borrowing PIN
    ) throws(Interruption) {
        var unpaid = ended
        show(.settling, .settling)
        do throws(Interruption) {
            try settleWithinGrace(&record, &unpaid, pin)
        } catch {
            if case .refused(let refusal) = error {
                try escape(&record, unpaid, .fault, remark: refusal.description)
            }
            throw error
        }
    }

    private func settleWithinGrace(
        _ record: inout Record,
        _ unpaid: inout LockTender.Unpaid,
        _ pin: borrowing PIN
    ) throws(Interruption) {
        let begun = now
        var triesLeft = Self.debitTriesMax
        while true {
            let left = saleCardLeftAt ?? begun
            let deadline = (settings.closesValveOnCardRemoval ? left : max(begun, left)) + settings.timeouts.grace
            var isReady = presence == .connected
            if !isReady { isReady = try awaitCard(of: record, pin, until: deadline) }
            guard isReady, unpaid.debits.isEmpty || now < deadline else {
                try escape(&record, unpaid, .left, remark: nil)
                if stopIsRequested { throw .stop }
                return
            }
            guard triesLeft > 0 else { throw .refused(.debitUnproven(record.amount)) }
            triesLeft -= 1
            switch unpaid.debits.isEmpty ? .notExecuted : try lostAnswer(GreyRecord(of: record.ttc, unpaid)) {
            case .paid(let proof): return try finish(&record, proof)
            case .unknown: disconnectCard()
            case .notExecuted:
                switch try debit(&record, &unpaid) {
                case .paid(let proof): return try finish(&record, proof)
                case .refused(.memoryFailure), .lost(_): disconnectCard()
                case .refused(let status): throw .refused(refusal(of: .debitForPetrol, status))
                }
            }
        }
    }

    /// - Returns: whether the card of this sale is connected, with its PIN verified.
    private func awaitCard(
        of record: Record,
        _ pin: borrowing PIN,
        until deadline: UInt64
    ) throws(Interruption) -> Bool {
        if presence == .present || presence == .held, try isSameCard(record, pin) { return true }
        while !stopIsRequested {
            let again = presence == .held ? min(deadline, now + settings.timeouts.tick) : deadline
            guard let event = nextEvent(until: again) else {
                guard presence == .held, now < deadline else { return false }
                if try isSameCard(record, pin) { return true }
                continue
            }
            switch event {
            case .reader(.cardInserted): if try isSameCard(record, pin) { return true }
            case .pumpFailed(let fault): throw .failure(.pump(fault))
            case .reader(.cardRemoved), .reader(.lost): disconnectCard()
            case .pump(.strayFlow): try stored { (_) throws(StorageFault) in try recordStrayFlow() }
            case .reader(.back), .pump, .pinEntered, .pinRefused, .pinCancelled, .consoleLost, .stopRequested: break
            }
        }
        return false
    }

    /// A card that is not grey has paid, and still has the proof (D23). Only what it proves counts: while nothing is known, no
    /// other debit is sent.
    private func lostAnswer(_ grey: GreyRecord) throws(Interruption) -> LostAnswer {
        do throws(Interruption) {
            if case .grey(let status) = try greyStatus(), status.mac3.isValid(MAC(bytes: grey.mac3)) {
                return .notExecuted
            }
            guard let answered = try answeredDebit(of: grey) else { throw .refused(.debitUnproven(grey.amount)) }
            return try proof(of: answered, grey).map { .paid($0) } ?? .unknown
        } catch {
            guard case .card(let fault) = error else { throw error }
            show(.settling, .cardFault(fault))
            return .unknown
        }
    }

    /// Sends the debit of the amount that is due, with the attempt on disk first. The card's next transaction may take the
    /// place of its proof: what the issuer can judge of an answer is on disk before.
    func debit(_ record: inout Record, _ unpaid: inout LockTender.Unpaid) throws(Interruption) -> DebitOutcome {
        guard let ctc = unpaid.lock.standing.ctc.next else { preconditionFailure("a locked card has counted up") }
        let attempt = unpaid.send(try attempt(record, as: unpaid.debits.isEmpty ? .refuel : .localUnlock))
        record.lockTender = .unpaid(unpaid)
        try commit(JournalEntry(record))
        let outcome = try sendDebit(GreyRecord(of: record.ttc, unpaid), ctc: ctc, attempt, among: unpaid.debits)
        if case .lost(let answered?) = outcome {
            unpaid.note(answered)
            record.lockTender = .unpaid(unpaid)
            try commit(JournalEntry(record))
        }
        return outcome
    }

    func attempt(_ record: Record, as type: TransactionType) throws(Interruption) -> DebitAttempt {
        DebitAttempt(
            ttc: record.ttc,
            type: type,
            terminal: edges.module.terminal,
            time: try debitTime(of: record.card)
        )
    }

    /// MAC4 covers amount, type, terminal and time, and nothing of the lock: it is fresh (D25) because no two debits of a card
    /// bear the same time, though a clock that is set back, or an autumn's night, has a second twice.
    private func debitTime(of card: ApplicationSerialNumber) throws(Interruption) -> TransactionTime {
        var time = try stored { (_) throws(StorageFault) in try stampTime() }
        while try stored({ (journal) throws(StorageFault) in try journal.hasDebit(of: card, at: time) }) {
            guard let next = time.nextSecond else { return time }
            time = next
        }
        return time
    }

    /// - Parameter attempts: with `attempt`, all whose answers were not seen.
    func sendDebit(
        _ grey: GreyRecord,
        ctc: CTC,
        _ attempt: DebitAttempt,
        among attempts: [DebitAttempt]
    ) throws(Interruption) -> DebitOutcome {
        let opened: MAC
        do throws(SecurityModuleError) { opened = try edges.module.open(grey.gmac) } catch {
            throw .refused(.module(error))
        }
        let command = DebitForPetrol(
            amount: grey.amount,
            ctc: ctc,
            terminal: attempt.terminal,
            ttc: attempt.ttc,
            time: attempt.time,
            gmac: opened
        )
        var answered: AnsweredDebit?
        do throws(Interruption) {
            switch try send(command) {
            case .success(let answer):
                answered = try answeredDebit(answer.mac4, answer.debitTAC, grey, attempts)
                guard let answered else { return .lost(nil) }
                return try proof(of: answered, grey).map { .paid($0) } ?? .lost(answered)
            case .status(let status): return .refused(status)
            }
        } catch {
            switch error {
            case .card(let fault):
                show(.settling, .cardFault(fault))
                return .lost(answered)
            // Without a number the card cannot be asked whether it is free.
            case .refused(.answerMalformed), .refused(.noNumber): return .lost(answered)
            case .refused, .stop, .failure: throw error
            }
        }
    }

    /// nil when MAC4 is right for no debit that was sent.
    private func answeredDebit(
        _ mac4: MAC,
        _ tac: MAC,
        _ grey: GreyRecord,
        _ attempts: [DebitAttempt]
    ) throws(Interruption) -> AnsweredDebit? {
        do throws(SecurityModuleError) {
            return try edges.module.verifyMAC4(
                mac4,
                tac: tac,
                card: grey.card,
                key: grey.gmac.key,
                amount: grey.amount,
                attempts: attempts
            )
        } catch {
            throw .refused(.module(error))
        }
    }

    /// A grey card answers no INITIALIZE FOR PETROL (D26): whoever has had MAC4 made beforehand cannot show a number above the
    /// lock's. nil when the card does not show it. Its PIN is verified.
    private func proof(of answered: AnsweredDebit, _ grey: GreyRecord) throws(Interruption) -> ProvenDebit? {
        let command = initializeForPetrol(try takeQuestionNumber())
        guard case .success(let answer) = try send(command) else { return nil }
        let standing: AuthenticatedSale
        do throws(SecurityModuleError) {
            standing = try edges.module.verifyMAC1(card: grey.card, command: command, answer: answer)
        } catch {
            return nil
        }
        return standing.release(fromLockAt: grey.ctc).map(answered.paid)
    }

    /// What the card proves of the debits that were sent for a grey record; nil when it proves none, which also is what a card
    /// answers that another terminal released (D27).
    func provenDebit(of grey: GreyRecord) throws(Interruption) -> ProvenDebit? {
        try answeredDebit(of: grey).flatMap { (answered) throws(Interruption) in try proof(of: answered, grey) }
    }

    /// What GET TRANSACTION PROVE says of the debits that were sent for a grey record; nil when MAC4 is right for none.
    func answeredDebit(of grey: GreyRecord) throws(Interruption) -> AnsweredDebit? {
        guard let last = grey.debits.last else { return nil }
        for type in [last.type, last.type == .refuel ? .localUnlock : .refuel] {
            // Asked twice: an answer that was altered on its way differs from the next, another terminal's proof does not.
            for _ in 0..<2 {
                guard let answer = try proof(of: type, ctc: grey.ctc) else { break }
                if let answered = try answeredDebit(answer.mac, answer.tac, grey, grey.debits) { return answered }
            }
        }
        return nil
    }

    /// Step 1.15, and the sale's last durable write.
    private func finish(_ record: inout Record, _ proof: ProvenDebit) throws(Interruption) {
        guard record.settle(by: proof) else { preconditionFailure("a sale's own debit pays it") }
        try commit(JournalEntry(record))
        edges.display.printReceipt(record, balance: record.balanceBefore.subtracting(record.amount))
    }
}
