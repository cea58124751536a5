package import CardCryptography
private import ISO7816
package import Quantities

/// DPK: the card's purchase and petrol key, a child of MPK.
package struct PurchaseKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// SESPK of one sale; `ctc` is the card's number before the lock.
    package borrowing func petrolSession(icc: ICCRandom, ctc: CTC, ttc: TTC) -> PetrolSessionKey {
        PetrolSessionKey(key.sessionKey(from: message(icc, ctc) + ttc.bytes.suffix(2)))
    }

    /// SESPK of one purchase or cash withdrawal; `ctc` is the number before the debit.
    package borrowing func purchaseSession(icc: ICCRandom, ctc: CTC, ttc: TTC) -> PurchaseSessionKey {
        PurchaseSessionKey(key.sessionKey(from: message(icc, ctc) + ttc.bytes.suffix(2)))
    }

    /// MAC4 of DEBIT FOR PETROL: under DPK itself, so that it can be checked when SESPK is gone.
    package borrowing func mac4(
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(amount, type, terminal, time))
    }
}

/// SESPK: the lock source. Only this card and this terminal's security module can make it, for one sale.
package struct PetrolSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of INITIALIZE FOR PETROL.
    package borrowing func mac1(balance: Amount, terminal: TerminalID) -> MAC {
        key.mac(of: message(balance, TransactionType.refuel, terminal))
    }

    /// MAC2 of LOCK FOR PETROL.
    package borrowing func mac2(terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(TransactionType.refuel, terminal, time))
    }

    /// MAC3 of LOCK FOR PETROL, the grey-lock code; `ctc` is the number before the lock.
    package borrowing func mac3(balance: Amount, ctc: CTC, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(balance, ctc, TransactionType.refuel, terminal, time))
    }

    /// GMAC of DEBIT FOR PETROL.
    package borrowing func gmac(amount: Amount) -> MAC {
        key.mac(of: message(amount))
    }
}

/// SESPK of one purchase or cash withdrawal (seed 002).
package struct PurchaseSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of DEBIT FOR PURCHASE / CASH WITHDRAW, the terminal's.
    package borrowing func mac1(
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(amount, type, terminal, time))
    }

    /// MAC2 of DEBIT FOR PURCHASE / CASH WITHDRAW, the card's.
    package borrowing func mac2(amount: Amount) -> MAC {
        key.mac(of: message(amount))
    }
}
