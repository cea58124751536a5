package import CardCryptography
package import FuelPassbook
private import ISO7816
package import Quantities
package import Records

/// What every step of one sale's session knows besides SESPK.
struct SaleContext {
    let standing: ProvenStanding
    let ttc: TTC
    let key: KeyReference
    let seal: TerminalSeal
    let random: any RandomSource & Sendable

    var terminal: TerminalID { seal.terminal }

    func seal(_ gmac: MAC, amount: Amount) -> SealedGMAC {
        seal.seal(
            gmac,
            card: standing.card,
            ttc: ttc,
            ctc: standing.ctc,
            amount: amount,
            key: key,
            random: random
        )
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

    package var standing: ProvenStanding { context.standing }

    package borrowing func release(fromLockAt ctc: CTC) -> ProvenRelease? {
        context.standing.release(fromLockAt: ctc)
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
        greyLockCode = key.mac3(
            balance: context.standing.balance,
            ctc: context.standing.ctc,
            terminal: context.terminal,
            time: time
        )
        self.key = key
        self.context = context
        self.time = time
        self.mac2 = mac2
    }

    /// The GMAC that releases the card without taking money, made before the card is locked.
    package borrowing func gmacOfZero() -> SealedGMAC {
        context.seal(key.gmac(amount: .zero), amount: .zero)
    }

    /// Before the lock nothing is owed yet, and the grey record that the sale may become releases the card for nothing.
    package borrowing func intent() -> LockTender.Intent {
        let standing = CardStanding(
            card: context.standing.card,
            key: context.key,
            balance: context.standing.balance,
            ctc: context.standing.ctc
        )
        return LockTender.Intent(
            lock: Lock(standing, mac3: greyLockCode.bytes, tac: nil),
            zero: gmacOfZero()
        )
    }

    /// Step 1.9: checks MAC3. A wrong one ends the session.
    package consuming func verifyMAC3(_ mac3: MAC) throws(SecurityModuleError) -> LockedSale {
        let proof = key.proveLock(
            mac3: mac3,
            of: context.standing,
            ttc: context.ttc,
            terminal: context.terminal,
            time: time
        )
        guard let proof else { throw .mac3Wrong }
        return LockedSale(key: key, context: context, proof: proof)
    }
}

/// The card is locked by this session: fuel may flow, and GMACs be made.
package struct LockedSale: ~Copyable, Sendable {
    private let key: PetrolSessionKey
    private let context: SaleContext
    /// What the lock proves of the card.
    package let proof: ProvenLock

    init(key: consuming PetrolSessionKey, context: SaleContext, proof: ProvenLock) {
        self.key = key
        self.context = context
        self.proof = proof
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
