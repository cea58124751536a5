import FuelPassbook
import GreyLock
import ISO7816
import Metering
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

/// Steps 1.12 to 1.15 and 3.4 to 3.7 of the source, for every sale that locked its card: the debit, and what proves it.
struct GreyDebiting: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// Sends the debit of the amount that is due, with the attempt on disk first. The card's next transaction may take the
    /// place of its proof: what the issuer can judge of an answer is on disk before.
    func run(_ record: inout Record) throws(Interruption) -> DebitOutcome {
        let unpaid = try books.unpaid(record)
        try requireKey(of: unpaid.due)
        guard let ctc = unpaid.lock.standing.ctc.next else { preconditionFailure("a locked card has counted up") }
        let attempt = unpaid.debits.next(
            try attempt(of: record.card, as: unpaid.debits.isEmpty ? .refuel : .localUnlock, ttc: unpaid.due.ttc)
        )
        try books.take(.sending(attempt), &record)
        try books.commit(JournalEntry(record))
        let outcome = try send(unpaid.due, ctc: ctc, attempt, among: record.debits)
        if case .lost(let answered?) = outcome {
            try books.take(.answered(answered), &record)
            try books.commit(JournalEntry(record))
        }
        return outcome
    }

    /// A GMAC opens without the card's key, and MAC4 of a card that has paid could not be judged.
    func requireKey(of gmac: SealedGMAC) throws(Interruption) {
        do throws(SecurityModuleError) { try module.requireKey(gmac.key) } catch { throw .refused(.module(error)) }
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

    /// Sends what is on disk; its answer counts once the card has shown that it is free.
    func send(
        _ gmac: SealedGMAC,
        ctc: CTC,
        _ attempt: DebitAttempt,
        among attempts: [DebitAttempt]
    ) throws(Interruption) -> DebitOutcome {
        var answered: AnsweredDebit?
        do throws(Interruption) {
            let answer = try onCard { () throws(CardStop) in
                try purse.debit(gmac, ctc: ctc, attempt, among: attempts)
            }
            switch answer {
            case .success(let debit):
                answered = debit
                guard let answered else { return .lost(nil) }
                return try proof(of: answered, gmac).map { .paid($0) } ?? .lost(answered)
            case .status(let status): return .refused(status)
            }
        } catch {
            switch error {
            case .card(let fault):
                display.show(.settling, .cardFault(fault))
                return .lost(answered)
            // Without a number the card cannot be asked whether it is free.
            case .refused(.answerMalformed), .refused(.noNumber): return .lost(answered)
            case .refused, .stop, .failure: throw error
            }
        }
    }

    /// nil when the card does not show that it is free of the lock. Its PIN is verified.
    func proof(of answered: AnsweredDebit, _ gmac: SealedGMAC) throws(Interruption) -> ProvenDebit? {
        let number = try books.takeQuestionNumber()
        return try onCard { () throws(CardStop) in try purse.release(fromLockOf: gmac, number) }.map(answered.paid)
    }

    /// What the card proves of the debits that were sent under a GMAC; nil when it proves none.
    func proof(under gmac: SealedGMAC, _ attempts: [DebitAttempt]) throws(Interruption) -> ProvenDebit? {
        try answered(under: gmac, attempts).flatMap { (answered) throws(Interruption) in
            try proof(of: answered, gmac)
        }
    }

    /// What the card says of them, of which nothing is called paid yet.
    func answered(under gmac: SealedGMAC, _ attempts: [DebitAttempt]) throws(Interruption) -> AnsweredDebit? {
        try onCard { () throws(CardStop) in try purse.answeredDebit(under: gmac, attempts) }
    }
}
