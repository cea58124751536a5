package import CardCryptography
package import ISO7816

// Every cryptogram of the fuel passbook: which key, over which elements, in which order (spec/grey-lock.md, section 2).
// Card, terminal and issuer call these; none spells an input again.

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

/// The TAC key: DTK-left XOR DTK-right, DTK being a child of MTK. The terminal never has it.
package struct TACKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.foldedChild(of: card.diversificationFactor)
    }

    /// TAC of LOCK FOR PETROL; `ctc` is the number before the lock.
    package borrowing func lock(balance: Amount, ctc: CTC, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(balance, ctc, TransactionType.refuel, terminal, time))
    }

    /// TAC of DEBIT FOR PETROL.
    package borrowing func debit(
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        ttc: TTC,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(amount, type, terminal, ttc, time))
    }

    /// TAC of DEBIT FOR UNLOCK; `balance` is the one after, `online` the number before it counted up (D14, D15).
    package borrowing func unlock(
        balance: Amount,
        online: OnlineNumber,
        amount: Amount,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(balance, online, amount, TransactionType.onlineUnlock, terminal, time))
    }
}

/// DULKK: the card's grey-unlock key, a child of MULKK. Only card and issuer have it.
package struct UnlockKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    /// SESULKK of one online unlock.
    package borrowing func session(icc: ICCRandom, online: OnlineNumber) -> UnlockSessionKey {
        UnlockSessionKey(key.sessionKey(from: message(icc, online) + [0x80, 0x00]))
    }
}

/// SESULKK: the session key of one online unlock.
package struct UnlockSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of INITIALIZE FOR UNLOCK.
    package borrowing func mac1(balance: Amount, terminal: TerminalID) -> MAC {
        key.mac(of: message(balance, TransactionType.onlineUnlock, terminal))
    }

    /// MAC2 of DEBIT FOR UNLOCK, the issuer's.
    package borrowing func mac2(amount: Amount, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(amount, TransactionType.onlineUnlock, terminal, time))
    }

    /// MAC3 of DEBIT FOR UNLOCK, the card's; `balance` is the one after, `online` the number before (D15).
    package borrowing func mac3(
        balance: Amount,
        online: OnlineNumber,
        amount: Amount,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(balance, online, amount, TransactionType.onlineUnlock, terminal, time))
    }
}

/// The elements' bytes one after the other.
private func message<each Element: DataElement>(_ elements: repeat each Element) -> [UInt8] {
    var bytes: [UInt8] = []
    for element in repeat each elements {
        element.append(to: &bytes)
    }
    return bytes
}

extension MAC: DataElement {
    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        guard bytes.count == Self.length else { throw .wrongLength("MAC") }
        self.init(bytes: Array(bytes))
    }

    package func append(to bytes: inout [UInt8]) { bytes += self.bytes }
}
