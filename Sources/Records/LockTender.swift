import CardCryptography
package import FuelPassbook
package import Quantities

/// A card as it stood before a lock, a purchase, or what proved its release.
package struct CardStanding: Equatable, Sendable {
    package let card: ApplicationSerialNumber
    package let key: KeyReference
    package let balance: Amount
    package let ctc: CTC

    package init(card: ApplicationSerialNumber, key: KeyReference, balance: Amount, ctc: CTC) {
        self.card = card
        self.key = key
        self.balance = balance
        self.ctc = ctc
    }
}

/// A lock as card and terminal make it in steps 1.1 to 1.9.
package struct Lock: Equatable, Sendable {
    /// Before it.
    package let standing: CardStanding
    /// The code that the card must answer, known before it is sent.
    package let mac3: [UInt8]
    /// nil until it is heard.
    package var tac: [UInt8]?

    package init(_ standing: CardStanding, mac3: [UInt8], tac: [UInt8]?) {
        self.standing = standing
        self.mac3 = mac3
        self.tac = tac
    }

    func isOf(_ gmac: SealedGMAC) -> Bool { gmac.card == standing.card && gmac.ctc == standing.ctc }
}

/// How far a sale on a lock has come. The order is that of the durable writes; each phase knows its next ones, and a debit is
/// called paid by its proof alone.
package enum LockTender: Equatable, Sendable {
    /// Before LOCK FOR PETROL leaves.
    case intent(Intent)
    /// Before the valve may open.
    case locked(Locked)
    /// The final amount and its GMAC, SESPK is gone; and again before each DEBIT FOR PETROL leaves.
    case unpaid(Unpaid)
    /// Prepaid: before the valve may open.
    case paid(Paid)
    case settled(Paid)
    /// The card left unpaid; its grey record waits.
    case escaped(Unpaid, Escape)

    /// Why a card left unpaid.
    package enum Escape: Equatable, Sendable {
        case left
        /// The card, or its reader, failed.
        case fault
    }

    package struct Intent: Equatable, Sendable {
        package internal(set) var lock: Lock
        /// The GMAC that releases the card for nothing.
        package let zero: SealedGMAC

        package init(lock: Lock, zero: SealedGMAC) {
            self.lock = lock
            self.zero = zero
        }

        /// Step 1.9; nil for a proof of another lock.
        package func locked(_ proof: ProvenLock) -> Locked? {
            guard lock.standing.card == proof.card, lock.standing.ctc == proof.ctc else { return nil }
            return Locked(lock: lock, zero: zero)
        }

        /// LOCK FOR PETROL was answered, with this TAC; MAC3 is judged after.
        package func heard(_ tac: [UInt8]) -> Intent {
            Intent(lock: Lock(lock.standing, mac3: lock.mac3, tac: tac), zero: zero)
        }

        /// The lock was not proven: what is owed is nothing.
        package var unproven: Unpaid { Unpaid(lock: lock, due: zero) }
    }

    package struct Locked: Equatable, Sendable {
        package let lock: Lock
        package let zero: SealedGMAC

        /// Step 1.11; nil for the GMAC of another lock.
        package func ended(_ due: SealedGMAC) -> Unpaid? { lock.isOf(due) ? Unpaid(lock: lock, due: due) : nil }
    }

    package struct Unpaid: Equatable, Sendable {
        package let lock: Lock
        package let due: SealedGMAC
        package internal(set) var debits = Debits()
        /// Of an answer whose MAC4 was right: the issuer can judge it, and it proves nothing here.
        package internal(set) var tac: [UInt8]?

        /// With a debit that has to be on disk before it leaves; nil for one of another lock, and for one more than are kept.
        package func sending(_ attempt: DebitAttempt) -> Unpaid? {
            guard attempt.ttc == due.ttc, let debits = debits.adding(attempt) else { return nil }
            return Unpaid(lock: lock, due: due, debits: debits, tac: tac)
        }

        /// nil for an answer to something else.
        package func answered(_ answer: AnsweredDebit) -> Unpaid? {
            guard debits.has(answer.attempt), answer.card == lock.standing.card, answer.amount == due.amount else {
                return nil
            }
            return Unpaid(lock: lock, due: due, debits: debits, tac: answer.tac.bytes)
        }

        /// nil for a proof of something else.
        package func paid(by proof: ProvenDebit) -> Paid? {
            guard debits.isPaid(by: proof, lock.standing.card, lock.standing.ctc, due.amount) else { return nil }
            return Paid(lock: lock, amount: due.amount, debit: proof.attempt, tac: proof.tac.bytes)
        }
    }

    package struct Paid: Equatable, Sendable {
        package let lock: Lock
        package let amount: Amount
        /// Its MAC4 was right, and behind it the card was free.
        package let debit: DebitAttempt
        package let tac: [UInt8]
    }
}

/// Every debit sent whose answer was not seen, the latest last: any of them may be the one that the card executed.
package typealias Debits = [DebitAttempt]

extension [DebitAttempt] {
    package static let attemptsMax = 16

    /// The debit that is sent next: a new one, or the last once more when there are as many as are kept. So none that was
    /// sent is ever forgotten.
    package func next(_ attempt: DebitAttempt) -> DebitAttempt {
        if count >= Self.attemptsMax, let last { return last }
        return attempt
    }

    /// With `attempt`, which stands once; nil where no more are kept.
    func adding(_ attempt: DebitAttempt) -> Debits? {
        if contains(attempt) { return self }
        return count < Self.attemptsMax ? self + [attempt] : nil
    }

    /// Whether `proof` is of one of these, sent to the card whose number before its lock was `ctc`.
    func isPaid(by proof: ProvenDebit, _ card: ApplicationSerialNumber, _ ctc: CTC, _ amount: Amount) -> Bool {
        card == proof.card && ctc == proof.lock && amount == proof.amount && has(proof.attempt)
    }

    /// Whether `attempt` is one of these, whichever type its card took it for.
    package func has(_ attempt: DebitAttempt) -> Bool {
        contains { $0.ttc == attempt.ttc && $0.terminal == attempt.terminal && $0.time == attempt.time }
    }
}

extension LockTender {
    package var lock: Lock {
        switch self {
        case .intent(let intent): intent.lock
        case .locked(let locked): locked.lock
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.lock
        case .paid(let paid), .settled(let paid): paid.lock
        }
    }

    /// The module's number of the lock: a sale's debits bear it too.
    package var ttc: TTC {
        switch self {
        case .intent(let intent): intent.zero.ttc
        case .locked(let locked): locked.zero.ttc
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.due.ttc
        case .paid(let paid), .settled(let paid): paid.debit.ttc
        }
    }
}
