package import CardCryptography
package import FuelPassbook
package import Quantities

/// A DEBIT FOR PETROL or DEBIT FOR PURCHASE that was sent: what MAC4 and TAC of its answer cover besides the amount.
///
/// Terminal, number and time are the attempt's own (D28): what the settings say when its answer is checked does not matter.
package struct DebitAttempt: Hashable, Sendable {
    package let ttc: TTC
    package let type: TransactionType
    package let terminal: TerminalID
    package let time: TransactionTime

    package init(ttc: TTC, type: TransactionType, terminal: TerminalID, time: TransactionTime) {
        self.ttc = ttc
        self.type = type
        self.terminal = terminal
        self.time = time
    }
}

/// MAC4 was right for this attempt. It covers neither lock nor number, so the holder of a GMAC that his card still takes can
/// have such a code made beforehand: it proves a payment only beside a release (decision record 0015).
package struct AnsweredDebit: Sendable {
    package let card: ApplicationSerialNumber
    package let amount: Amount
    /// As the card executed it.
    package let attempt: DebitAttempt
    /// Beside MAC4, for the issuer.
    package let tac: MAC

    fileprivate init(card: ApplicationSerialNumber, amount: Amount, attempt: DebitAttempt, tac: MAC) {
        self.card = card
        self.amount = amount
        self.attempt = attempt
        self.tac = tac
    }

    /// - Parameter release: from the lock that this debit pays, shown in the visit in which MAC4 was heard.
    package func paid(_ release: ProvenRelease) -> ProvenDebit {
        precondition(card == release.card)
        return ProvenDebit(answer: self, lock: release.lock)
    }
}

/// A card paid `amount` by this attempt: its MAC4 was right, and it is free of the lock. Nothing is called paid without it.
package struct ProvenDebit: Sendable {
    fileprivate let answer: AnsweredDebit
    /// The number before the lock.
    package let lock: CTC

    package var card: ApplicationSerialNumber { answer.card }
    package var amount: Amount { answer.amount }
    package var attempt: DebitAttempt { answer.attempt }
    package var tac: MAC { answer.tac }
}

extension PurchaseKey {
    /// Step 1.15: judges MAC4 of a debit's answer or of its proof, which needs DPK and not SESPK. Card and amount are those
    /// of the record, `attempts` all debits sent for it whose answers were not seen.
    ///
    /// - Returns: nil when MAC4 is right for none of them: the answer counts as not seen (D27).
    package borrowing func verifyMAC4(
        _ mac4: MAC,
        tac: MAC,
        card: ApplicationSerialNumber,
        amount: Amount,
        attempts: [DebitAttempt]
    ) -> AnsweredDebit? {
        // Two attempts in one second differ by their number alone, which MAC4 does not cover: the later one, of the type that
        // it was sent as.
        let asSent = attempts.reversed()
        let otherwise = asSent.compactMap { attempt in attempt.otherType.map { attempt.executed(as: $0) } }
        for attempt in asSent + otherwise {
            let expected = self.mac4(
                amount: amount,
                type: attempt.type,
                terminal: attempt.terminal,
                time: attempt.time
            )
            guard expected.isValid(mac4) else { continue }
            return AnsweredDebit(card: card, amount: amount, attempt: attempt, tac: tac)
        }
        return nil
    }
}

extension DebitAttempt {
    /// What the card may have taken it for (D10): that is whether GET GREY STATUS came before, which the terminal does not
    /// decide alone. nil for a purchase.
    fileprivate var otherType: TransactionType? {
        switch type {
        case .refuel: .localUnlock
        case .localUnlock: .refuel
        case _: nil
        }
    }

    fileprivate func executed(as type: TransactionType) -> DebitAttempt {
        DebitAttempt(ttc: ttc, type: type, terminal: terminal, time: time)
    }
}
