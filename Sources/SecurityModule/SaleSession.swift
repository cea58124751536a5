package import CardCryptography
package import FuelPassbook
private import ISO7816

/// What every step of one sale's session knows besides SESPK.
struct SaleContext {
    let card: ApplicationSerialNumber
    let terminal: TerminalID
    let ttc: TTC
    let ctc: CTC
    let balance: Amount
    let key: KeyReference
    let seal: TerminalSeal
    let random: any RandomSource & Sendable

    func seal(_ gmac: MAC, amount: Amount) -> SealedGMAC {
        let unsealed = SealedGMAC(
            card: card,
            terminal: terminal,
            ttc: ttc,
            ctc: ctc,
            amount: amount,
            key: key,
            sealed: []
        )
        return SealedGMAC(
            card: card,
            terminal: terminal,
            ttc: ttc,
            ctc: ctc,
            amount: amount,
            key: key,
            sealed: seal.key.seal(gmac.bytes, context: unsealed.context, random: random)
        )
    }
}

/// A GMAC as it rests on disk: encrypted, and bound to the card, the terminal, the sale and the amount that it is for.
package struct SealedGMAC: Equatable, Sendable {
    package let card: ApplicationSerialNumber
    /// That locked the card.
    package let terminal: TerminalID
    package let ttc: TTC
    /// The card's number before the lock.
    package let ctc: CTC
    package let amount: Amount
    package let key: KeyReference
    /// Nonce 12, ciphertext 4, tag 16.
    package let sealed: [UInt8]

    package static let sealedLength = SealingKey.nonceLength + MAC.length + SealingKey.tagLength

    package init(
        card: ApplicationSerialNumber,
        terminal: TerminalID,
        ttc: TTC,
        ctc: CTC,
        amount: Amount,
        key: KeyReference,
        sealed: [UInt8]
    ) {
        self.card = card
        self.terminal = terminal
        self.ttc = ttc
        self.ctc = ctc
        self.amount = amount
        self.key = key
        self.sealed = sealed
    }

    var context: [UInt8] { contextWithoutTerminal + terminal.bytes }

    /// Of a seal that was made before terminals had keys of their own.
    var contextWithoutTerminal: [UInt8] {
        card.bytes + ttc.bytes + ctc.bytes + amount.bytes + key.index.bytes + key.version.bytes
    }
}

/// MAC1 was right: a card that holds DPK stood at this balance and number at some time (D25). Nothing is locked yet.
package struct AuthenticatedSale: ~Copyable, Sendable {
    private let key: PetrolSessionKey
    private let context: SaleContext

    init(key: consuming PetrolSessionKey, context: SaleContext) {
        self.key = key
        self.context = context
    }

    /// Whether the card was released from a lock at `ctc`; nil where its number is not above that, which proves nothing.
    package borrowing func release(fromLockAt ctc: CTC) -> ProvenRelease? {
        guard context.ctc > ctc else { return nil }
        return ProvenRelease(card: context.card, lock: ctc, present: context.ctc, balance: context.balance)
    }

    /// Step 1.5: MAC2, which proves this module to the card.
    package consuming func makeMAC2(time: TransactionTime) -> LockingSale {
        let mac2 = key.mac2(terminal: context.terminal, time: time)
        return LockingSale(key: key, context: context, time: time, mac2: mac2)
    }
}

/// MAC2 is made: LOCK FOR PETROL may be on its way, and the card locked or not.
package struct LockingSale: ~Copyable, Sendable {
    private let key: PetrolSessionKey
    private let context: SaleContext
    package let time: TransactionTime
    package let mac2: MAC
    /// The grey-lock code (MAC3) that the card must answer, and by which a grey card is known again if it does not.
    package let greyLockCode: MAC

    init(key: consuming PetrolSessionKey, context: SaleContext, time: TransactionTime, mac2: MAC) {
        greyLockCode = key.mac3(balance: context.balance, ctc: context.ctc, terminal: context.terminal, time: time)
        self.key = key
        self.context = context
        self.time = time
        self.mac2 = mac2
    }

    /// The GMAC that releases the card without taking money, made before the card is locked.
    package borrowing func gmacOfZero() -> SealedGMAC {
        context.seal(key.gmac(amount: .zero), amount: .zero)
    }

    /// Step 1.9: checks MAC3. A wrong one ends the session.
    package consuming func verifyMAC3(_ mac3: MAC) throws(SecurityModuleError) -> LockedSale {
        guard greyLockCode.isValid(mac3) else { throw .mac3Wrong }
        return LockedSale(key: key, context: context)
    }
}

/// The card is locked by this session: fuel may flow, and GMACs be made.
package struct LockedSale: ~Copyable, Sendable {
    private let key: PetrolSessionKey
    private let context: SaleContext

    init(key: consuming PetrolSessionKey, context: SaleContext) {
        self.key = key
        self.context = context
    }

    /// What the lock proves of the card.
    package borrowing func proof() -> ProvenLock {
        ProvenLock(card: context.card, ttc: context.ttc, ctc: context.ctc)
    }

    /// The GMAC of the amount so far, for a checkpoint.
    package borrowing func gmac(of amount: Amount) -> SealedGMAC {
        context.seal(key.gmac(amount: amount), amount: amount)
    }

    /// Step 1.11: the GMAC of the sale's amount. SESPK is wiped.
    package consuming func end(amount: Amount) -> SealedGMAC {
        gmac(of: amount)
    }
}
