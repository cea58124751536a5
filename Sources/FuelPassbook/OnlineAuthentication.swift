package import CardCryptography
private import ISO7816
package import Quantities

// The keys of the transactions that the issuer takes part in: load, unload, overdraft limit and online unlock.

/// DLK: the card's load key, a child of MLK. Only card and issuer have it.
package struct LoadKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// SESLK of one load.
    package borrowing func session(icc: ICCRandom, online: OnlineNumber) -> LoadSessionKey {
        LoadSessionKey(key.onlineSession(icc: icc, online: online))
    }
}

/// SESLK: the session key of one load.
package struct LoadSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of INITIALIZE FOR LOAD, the card's.
    package borrowing func mac1(balance: Amount, amount: Amount, terminal: TerminalID) -> MAC {
        key.mac(of: message(balance, amount, TransactionType.load, terminal))
    }

    /// MAC2 of CREDIT FOR LOAD, the issuer's.
    package borrowing func mac2(amount: Amount, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(amount, TransactionType.load, terminal, time))
    }
}

/// DULK: the card's unload key, a child of MULK. Only card and issuer have it.
package struct UnloadKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// SESULK of one unload.
    package borrowing func session(icc: ICCRandom, online: OnlineNumber) -> UnloadSessionKey {
        UnloadSessionKey(key.onlineSession(icc: icc, online: online))
    }
}

/// SESULK: the session key of one unload.
package struct UnloadSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of INITIALIZE FOR UNLOAD, the card's.
    package borrowing func mac1(balance: Amount, amount: Amount, terminal: TerminalID) -> MAC {
        key.mac(of: message(balance, amount, TransactionType.unload, terminal))
    }

    /// MAC2 of DEBIT FOR UNLOAD, the issuer's.
    package borrowing func mac2(amount: Amount, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(amount, TransactionType.unload, terminal, time))
    }

    /// MAC3 of DEBIT FOR UNLOAD, the card's; `balance` is the one after, `online` the number before it counted up.
    package borrowing func mac3(
        balance: Amount,
        online: OnlineNumber,
        amount: Amount,
        terminal: TerminalID,
        time: TransactionTime
    ) -> MAC {
        key.mac(of: message(balance, online, amount, TransactionType.unload, terminal, time))
    }
}

/// DUK: the card's overdraft key, a child of MUK. Only card and issuer have it.
package struct OverdraftKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// SESUK of one change of the limit.
    package borrowing func session(icc: ICCRandom, online: OnlineNumber) -> OverdraftSessionKey {
        OverdraftSessionKey(key.onlineSession(icc: icc, online: online))
    }
}

/// SESUK: the session key of one change of the overdraft limit.
package struct OverdraftSessionKey: ~Copyable, Sendable {
    private let key: SingleLengthKey

    fileprivate init(_ key: consuming SingleLengthKey) { self.key = key }

    /// MAC1 of INITIALIZE FOR UPDATE, the card's.
    package borrowing func mac1(balance: Amount, limit: OverdraftLimit, terminal: TerminalID) -> MAC {
        key.mac(of: message(balance, limit, TransactionType.overdraft, terminal))
    }

    /// MAC2 of UPDATE OVERDRAFT LIMIT, the issuer's; `limit` is the new one.
    package borrowing func mac2(limit: OverdraftLimit, terminal: TerminalID, time: TransactionTime) -> MAC {
        key.mac(of: message(limit, TransactionType.overdraft, terminal, time))
    }
}

/// DULKK: the card's grey-unlock key, a child of MULKK. Only card and issuer have it.
package struct UnlockKey: ~Copyable, Sendable {
    private let key: DoubleLengthKey

    package init(master: borrowing DoubleLengthKey, card: ApplicationSerialNumber) {
        key = master.child(of: card.diversificationFactor)
    }

    package init(_ key: consuming DoubleLengthKey) { self.key = key }

    /// SESULKK of one online unlock.
    package borrowing func session(icc: ICCRandom, online: OnlineNumber) -> UnlockSessionKey {
        UnlockSessionKey(key.onlineSession(icc: icc, online: online))
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

extension DoubleLengthKey {
    /// Random, online number, `80 00`: the data of every session key between card and issuer.
    fileprivate borrowing func onlineSession(icc: ICCRandom, online: OnlineNumber) -> SingleLengthKey {
        sessionKey(from: message(icc, online) + [0x80, 0x00])
    }
}
