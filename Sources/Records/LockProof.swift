package import CardCryptography
package import FuelPassbook
package import Quantities

/// MAC1 was right: a card that holds DPK stood at this balance and number at some time (D25).
package struct ProvenStanding: Sendable {
    package let card: ApplicationSerialNumber
    package let ctc: CTC
    package let balance: Amount

    fileprivate init(card: ApplicationSerialNumber, ctc: CTC, balance: Amount) {
        self.card = card
        self.ctc = ctc
        self.balance = balance
    }

    /// Whether the card was released from a lock at `lock`; nil where its number is not above that, which proves nothing.
    package func release(fromLockAt lock: CTC) -> ProvenRelease? {
        ctc > lock ? ProvenRelease(card: card, lock: lock, present: ctc, balance: balance) : nil
    }
}

/// The card answered INITIALIZE FOR PETROL with a right MAC1 and a number above that of a lock, which no card does before it
/// was released from that lock (D26).
package struct ProvenRelease: Equatable, Sendable {
    package let card: ApplicationSerialNumber
    /// Of the lock.
    package let lock: CTC
    /// The card's number and balance when it answered.
    package let present: CTC
    package let balance: Amount

    fileprivate init(card: ApplicationSerialNumber, lock: CTC, present: CTC, balance: Amount) {
        self.card = card
        self.lock = lock
        self.present = present
        self.balance = balance
    }
}

/// A lock whose MAC3 was right. It is fresh, because MAC3 covers this terminal's time behind a MAC that only the module
/// makes (D25): until this lock the card had counted nothing at `ctc`.
package struct ProvenLock: Equatable, Sendable {
    package let card: ApplicationSerialNumber
    /// That made it, and its number of it.
    package let terminal: TerminalID
    package let ttc: TTC
    /// The number before the lock.
    package let ctc: CTC

    fileprivate init(card: ApplicationSerialNumber, terminal: TerminalID, ttc: TTC, ctc: CTC) {
        self.card = card
        self.terminal = terminal
        self.ttc = ttc
        self.ctc = ctc
    }
}

extension PetrolSessionKey {
    /// Step 1.3: judges MAC1 of INITIALIZE FOR PETROL of the card whose session this is; nil when it is wrong.
    package borrowing func proveStanding(
        mac1: MAC,
        card: ApplicationSerialNumber,
        ctc: CTC,
        balance: Amount,
        terminal: TerminalID
    ) -> ProvenStanding? {
        self.mac1(balance: balance, terminal: terminal).isValid(mac1)
            ? ProvenStanding(card: card, ctc: ctc, balance: balance) : nil
    }

    /// Step 1.9: judges MAC3 of LOCK FOR PETROL of a card that stands so; nil when it is wrong.
    package borrowing func proveLock(
        mac3: MAC,
        of standing: ProvenStanding,
        ttc: TTC,
        terminal: TerminalID,
        time: TransactionTime
    ) -> ProvenLock? {
        self.mac3(balance: standing.balance, ctc: standing.ctc, terminal: terminal, time: time).isValid(mac3)
            ? ProvenLock(card: standing.card, terminal: terminal, ttc: ttc, ctc: standing.ctc) : nil
    }
}
