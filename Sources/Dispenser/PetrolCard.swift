import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import Records
import SecurityModule

/// How one DEBIT FOR PETROL went.
enum DebitOutcome {
    case paid(ProvenDebit)
    /// No code covers a status word: the card has paid or not.
    case refused(StatusWord)
    /// Sent, and no answer seen that proves a payment (D27): the card has paid or not. With the answer whose MAC4 was right.
    case lost(AnsweredDebit?)
}

/// A card that has the petrol commands, as this terminal's security module answers it: the session, the debit, and what proves
/// it.
struct PetrolCard {
    let visit: Visit
    let books: Books
    let module: SecurityModule
    let settings: SideSettings

    /// The command of step 1.1, and a number for the question behind the debit.
    func beginSession(_ number: RecordNumber) throws(Interruption) -> InitializeForPetrol {
        let command = initializeForPetrol(number)
        try books.keepQuestionNumber()
        return command
    }

    func initializeForPetrol(_ number: RecordNumber) -> InitializeForPetrol {
        InitializeForPetrol(keyIndex: settings.keyIndex, terminal: module.terminal, ttc: module.ttc(for: number))
    }

    func verifyMAC1(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPetrol,
        _ answer: InitializeForPetrol.Response
    ) throws(Interruption) -> AuthenticatedSale {
        do throws(SecurityModuleError) {
            return try module.verifyMAC1(card: card, command: command, answer: answer)
        } catch {
            throw .refused(.module(error))
        }
    }

    /// The lock counts up, and behind it the card must still answer INITIALIZE FOR PETROL, which proves the debit.
    func checkNumbersLeft(_ ctc: CTC) throws(Interruption) {
        guard let locked = ctc.next, locked < .maximum else { throw .refused(.numbersUsedUp) }
    }

    /// Before the lock nothing is owed yet, and the grey record that the sale may become releases the card for nothing.
    func intent(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPetrol,
        _ answer: InitializeForPetrol.Response,
        _ locking: borrowing LockingSale
    ) -> LockTender.Intent {
        let standing = CardStanding(
            card: card,
            key: KeyReference(index: command.keyIndex, version: answer.keyVersion),
            balance: answer.balance,
            ctc: answer.ctc
        )
        return LockTender.Intent(
            lock: Lock(standing, mac3: locking.greyLockCode.bytes, tac: nil),
            zero: locking.gmacOfZero()
        )
    }

    /// Steps 1.6 and 1.9. Whatever goes wrong after the command left, the card may be locked: the record becomes a grey
    /// record of zero, which also covers that it is not.
    func lock(
        _ record: inout Record,
        _ intent: inout LockTender.Intent,
        _ locking: consuming LockingSale
    ) throws(Interruption) -> LockedSale {
        let answer: LockForPetrol.Response
        do throws(Interruption) {
            answer = try visit.exchange(LockForPetrol(time: locking.time, mac2: locking.mac2))
        } catch {
            if case .card(.removed) = error {
                try books.escape(&record, intent.unproven, .left, remark: "the card left before the lock was answered")
            } else {
                try books.escape(&record, intent.unproven, .fault, remark: "LOCK FOR PETROL failed")
            }
            throw error
        }
        intent.lock.tac = answer.lockTAC.bytes
        do throws(SecurityModuleError) {
            return try locking.verifyMAC3(answer.mac3)
        } catch {
            try books.escape(&record, intent.unproven, .fault, remark: error.description)
            throw .refused(.module(error))
        }
    }

    /// Sends the debit of the amount that is due, with the attempt on disk first. The card's next transaction may take the
    /// place of its proof: what the issuer can judge of an answer is on disk before.
    func debit(_ record: inout Record, _ unpaid: inout LockTender.Unpaid) throws(Interruption) -> DebitOutcome {
        guard let ctc = unpaid.lock.standing.ctc.next else { preconditionFailure("a locked card has counted up") }
        let attempt = unpaid.send(
            try attempt(of: record.card, as: unpaid.debits.isEmpty ? .refuel : .localUnlock, ttc: unpaid.due.ttc)
        )
        record.lockTender = .unpaid(unpaid)
        try books.commit(JournalEntry(record))
        let outcome = try sendDebit(unpaid.due, ctc: ctc, attempt, among: unpaid.debits)
        if case .lost(let answered?) = outcome {
            unpaid.note(answered)
            record.lockTender = .unpaid(unpaid)
            try books.commit(JournalEntry(record))
        }
        return outcome
    }

    func attempt(
        of card: ApplicationSerialNumber,
        as type: TransactionType,
        ttc: TTC
    ) throws(Interruption) -> DebitAttempt {
        DebitAttempt(
            ttc: ttc,
            type: type,
            terminal: module.terminal,
            time: try debitTime(of: card)
        )
    }

    /// MAC4 covers amount, type, terminal and time, and nothing of the lock: it is fresh (D25) because no two debits of a card
    /// bear the same time, though a clock that is set back, or an autumn's night, has a second twice.
    private func debitTime(of card: ApplicationSerialNumber) throws(Interruption) -> TransactionTime {
        var time = try books.stored { (_) throws(StorageFault) in try books.stampTime() }
        while try books.stored({ (journal) throws(StorageFault) in try journal.hasDebit(of: card, at: time) }) {
            guard let next = time.nextSecond else { return time }
            time = next
        }
        return time
    }

    /// - Parameters:
    ///   - gmac: that authorises it; what it is bound to is the lock.
    ///   - attempts: with `attempt`, all whose answers were not seen.
    func sendDebit(
        _ gmac: SealedGMAC,
        ctc: CTC,
        _ attempt: DebitAttempt,
        among attempts: [DebitAttempt]
    ) throws(Interruption) -> DebitOutcome {
        let opened: MAC
        do throws(SecurityModuleError) { opened = try module.open(gmac) } catch {
            throw .refused(.module(error))
        }
        let command = DebitForPetrol(
            amount: gmac.amount,
            ctc: ctc,
            terminal: attempt.terminal,
            ttc: attempt.ttc,
            time: attempt.time,
            gmac: opened
        )
        var answered: AnsweredDebit?
        do throws(Interruption) {
            switch try visit.send(command) {
            case .success(let answer):
                answered = try answeredDebit(answer.mac4, answer.debitTAC, gmac, attempts)
                guard let answered else { return .lost(nil) }
                return try proof(of: answered, gmac).map { .paid($0) } ?? .lost(answered)
            case .status(let status): return .refused(status)
            }
        } catch {
            switch error {
            case .card(let fault):
                visit.display.show(.settling, .cardFault(fault))
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
        _ gmac: SealedGMAC,
        _ attempts: [DebitAttempt]
    ) throws(Interruption) -> AnsweredDebit? {
        do throws(SecurityModuleError) {
            return try module.verifyMAC4(
                mac4,
                tac: tac,
                card: gmac.card,
                key: gmac.key,
                amount: gmac.amount,
                attempts: attempts
            )
        } catch {
            throw .refused(.module(error))
        }
    }

    /// A grey card answers no INITIALIZE FOR PETROL (D26): whoever has had MAC4 made beforehand cannot show a number above the
    /// lock's. nil when the card does not show it. Its PIN is verified.
    func proof(of answered: AnsweredDebit, _ gmac: SealedGMAC) throws(Interruption) -> ProvenDebit? {
        let command = initializeForPetrol(try books.takeQuestionNumber())
        guard case .success(let answer) = try visit.send(command) else { return nil }
        let standing: AuthenticatedSale
        do throws(SecurityModuleError) {
            standing = try module.verifyMAC1(card: gmac.card, command: command, answer: answer)
        } catch {
            return nil
        }
        return standing.release(fromLockAt: gmac.ctc).map(answered.paid)
    }

    /// What the card proves of the debits that were sent under a GMAC; nil when it proves none, which also is what a card
    /// answers that another terminal released (D27).
    func provenDebit(under gmac: SealedGMAC, _ attempts: [DebitAttempt]) throws(Interruption) -> ProvenDebit? {
        try answeredDebit(under: gmac, attempts).flatMap { (answered) throws(Interruption) in
            try proof(of: answered, gmac)
        }
    }

    /// What GET TRANSACTION PROVE says of the debits that were sent under a GMAC; nil when MAC4 is right for none.
    func answeredDebit(
        under gmac: SealedGMAC,
        _ attempts: [DebitAttempt]
    ) throws(Interruption) -> AnsweredDebit? {
        guard let last = attempts.last else { return nil }
        for type in [last.type, last.type == .refuel ? .localUnlock : .refuel] {
            // Asked twice: an answer that was altered on its way differs from the next, another terminal's proof does not.
            for _ in 0..<2 {
                guard let answer = try visit.proof(of: type, ctc: gmac.ctc) else { break }
                if let answered = try answeredDebit(answer.mac, answer.tac, gmac, attempts) { return answered }
            }
        }
        return nil
    }
}
