package import CardCryptography
package import FuelPassbook

/// MAC1 is made: DEBIT FOR PURCHASE may be on its way, and the card have paid or not.
package struct DebitingPurchase: ~Copyable, Sendable {
    private let key: PurchaseSessionKey
    private let amount: Amount
    package let ttc: TTC
    package let time: TransactionTime
    package let mac1: MAC

    init(
        key: consuming PurchaseSessionKey,
        amount: Amount,
        terminal: TerminalID,
        ttc: TTC,
        time: TransactionTime
    ) {
        mac1 = key.mac1(amount: amount, type: .purchase, terminal: terminal, time: time)
        self.key = key
        self.amount = amount
        self.ttc = ttc
        self.time = time
    }

    /// Step 1.7: checks MAC2. SESPK is wiped, whatever it says.
    package consuming func verifyMAC2(_ mac2: MAC) throws(SecurityModuleError) {
        guard key.mac2(amount: amount).isValid(mac2) else { throw .mac2Wrong }
    }
}

/// What brings the session key of a past purchase back: the card's random and number, and the terminal's number.
package struct PurchaseSessionData: Equatable, Sendable {
    package let icc: ICCRandom
    /// The number before the debit.
    package let ctc: CTC
    package let ttc: TTC

    package init(icc: ICCRandom, ctc: CTC, ttc: TTC) {
        self.icc = icc
        self.ctc = ctc
        self.ttc = ttc
    }
}

extension SecurityModule {
    /// Step 1.3: derives DPK and SESPK and makes MAC1. The card has proven nothing yet: MAC2 is its first proof.
    package func makeMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForPurchase,
        answer: InitializeForPurchase.Response,
        ttc: TTC,
        time: TransactionTime
    ) throws(SecurityModuleError) -> DebitingPurchase {
        guard answer.algorithm == .tripleDES else { throw .algorithmNotSupported(answer.algorithm) }
        let reference = KeyReference(index: command.keyIndex, version: answer.keyVersion)
        let purchaseKey = try purchaseKey(of: card, reference)
        let key = purchaseKey.purchaseSession(icc: answer.icc, ctc: answer.ctc, ttc: ttc)
        return DebitingPurchase(key: key, amount: command.amount, terminal: terminal, ttc: ttc, time: time)
    }

    /// Whether MAC2 is the one that the card made when it paid: for a proof that comes after the session. Card, key
    /// and amount are those of the record.
    package func isValidMAC2(
        _ mac2: MAC,
        card: ApplicationSerialNumber,
        key: KeyReference,
        session: PurchaseSessionData,
        amount: Amount
    ) throws(SecurityModuleError) -> Bool {
        let purchaseKey = try purchaseKey(of: card, key)
        let sessionKey = purchaseKey.purchaseSession(icc: session.icc, ctc: session.ctc, ttc: session.ttc)
        return sessionKey.mac2(amount: amount).isValid(mac2)
    }
}
