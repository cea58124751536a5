package import FuelPassbook
package import Quantities

/// What settles an escaped card at its next visit (claim 5 of the source): card, lock, amount and GMAC. It is whole: one that
/// came from another terminal is paid as this terminal's own.
package struct GreyRecord: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        case open
        /// Paid; the sale or a local unlock has the TAC.
        case settled
        /// A later lock at the same number proved that this one never was.
        case void
        /// The card was released without this terminal: by the issuer or another terminal.
        case elsewhere
    }

    /// The sale that escaped; of a record that came from another terminal a number of this journal's, which no sale has.
    package let number: RecordNumber
    package let card: ApplicationSerialNumber
    /// The number before the lock.
    package let ctc: CTC
    package let mac3: [UInt8]
    package let amount: Amount
    /// Its terminal and TTC are the lock's.
    package let gmac: SealedGMAC
    /// Before the lock, as MAC3 proved it; nil of a record that an earlier version wrote.
    package let balance: Amount?
    /// When it came from another terminal; nil of this terminal's own.
    package let imported: TransactionTime?
    /// Changed by what proves it.
    package private(set) var state: State
    /// As in its sale.
    package var debits: [DebitAttempt]

    package init(
        number: RecordNumber,
        card: ApplicationSerialNumber,
        ctc: CTC,
        mac3: [UInt8],
        amount: Amount,
        gmac: SealedGMAC,
        balance: Amount? = nil,
        imported: TransactionTime? = nil,
        state: State,
        debits: [DebitAttempt]
    ) {
        self.number = number
        self.card = card
        self.ctc = ctc
        self.mac3 = mac3
        self.amount = amount
        self.gmac = gmac
        self.balance = balance
        self.imported = imported
        self.state = state
        self.debits = debits
    }
}

extension GreyRecord {
    /// Whose sale it was, in words; nil of this terminal's own.
    package var origin: String? {
        imported == nil ? nil : "of record \(gmac.ttc.number) of terminal \(gmac.terminal)"
    }

    /// Step 3.7, or a proof of it.
    package mutating func settle(by proof: ProvenDebit) {
        precondition(card == proof.card && amount == proof.amount && ctc == proof.lock)
        debits = [proof.attempt]
        state = .settled
    }

    /// The card answered what only a card does that was released from this lock, and proved no debit of this terminal.
    package mutating func release(by proof: ProvenRelease) {
        precondition(card == proof.card && ctc == proof.lock)
        state = .elsewhere
    }

    /// - Returns: whether the record is void: the card still had this lock's number to lock with.
    package mutating func void(by proof: ProvenLock) -> Bool {
        guard card == proof.card, ctc == proof.ctc, !isOf(proof) else { return false }
        state = .void
        return true
    }

    private func isOf(_ proof: ProvenLock) -> Bool { gmac.terminal == proof.terminal && gmac.ttc == proof.ttc }

    /// What is left of a sale that its card has not paid.
    package init(of number: RecordNumber, _ unpaid: LockTender.Unpaid) {
        self.init(
            number: number,
            card: unpaid.lock.standing.card,
            ctc: unpaid.lock.standing.ctc,
            mac3: unpaid.lock.mac3,
            amount: unpaid.due.amount,
            gmac: unpaid.due,
            balance: unpaid.lock.standing.balance,
            state: .open,
            debits: unpaid.debits
        )
    }
}
