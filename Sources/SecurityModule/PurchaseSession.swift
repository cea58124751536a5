package import CardCryptography
package import FuelPassbook

/// MAC1 is made: DEBIT FOR PURCHASE may be on its way, and the card have paid or not.
package struct DebitingPurchase: ~Copyable, Sendable {
    private let key: PurchaseSessionKey
    private let card: ApplicationSerialNumber
    private let session: PurchaseSessionData
    private let amount: Amount
    package let ttc: TTC
    package let time: TransactionTime
    package let mac1: MAC

    init(
        key: consuming PurchaseSessionKey,
        card: ApplicationSerialNumber,
        session: PurchaseSessionData,
        amount: Amount,
        terminal: TerminalID,
        time: TransactionTime
    ) {
        mac1 = key.mac1(amount: amount, type: .purchase, terminal: terminal, time: time)
        self.key = key
        self.card = card
        self.session = session
        self.amount = amount
        ttc = session.ttc
        self.time = time
    }

    /// Step 1.7: checks MAC2. SESPK is wiped, whatever it says.
    package consuming func verifyMAC2(_ mac2: MAC, tac: MAC) throws(SecurityModuleError) -> ProvenPurchase {
        guard key.mac2(amount: amount).isValid(mac2) else { throw .mac2Wrong }
        return ProvenPurchase(card: card, session: session, amount: amount, tac: tac)
    }
}

/// MAC2 was right. Only the security module makes it, and no purchase is called paid without it. How much it proves, and
/// what not: decision record 0009 and D31.
package struct ProvenPurchase: Sendable {
    package let card: ApplicationSerialNumber
    package let session: PurchaseSessionData
    package let amount: Amount
    /// Beside MAC2, for the issuer.
    package let tac: MAC

    fileprivate init(card: ApplicationSerialNumber, session: PurchaseSessionData, amount: Amount, tac: MAC) {
        self.card = card
        self.session = session
        self.amount = amount
        self.tac = tac
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
        return DebitingPurchase(
            key: key,
            card: card,
            session: PurchaseSessionData(icc: answer.icc, ctc: answer.ctc, ttc: ttc),
            amount: command.amount,
            terminal: terminal,
            time: time
        )
    }

    /// Checks MAC2 of a proof that comes after the session. Card, key and amount are those of the record.
    ///
    /// - Returns: nil when it is not the one that the card made when it paid.
    package func provePurchase(
        mac2: MAC,
        tac: MAC,
        card: ApplicationSerialNumber,
        key: KeyReference,
        session: PurchaseSessionData,
        amount: Amount
    ) throws(SecurityModuleError) -> ProvenPurchase? {
        let purchaseKey = try purchaseKey(of: card, key)
        let sessionKey = purchaseKey.purchaseSession(icc: session.icc, ctc: session.ctc, ttc: session.ttc)
        guard sessionKey.mac2(amount: amount).isValid(mac2) else { return nil }
        return ProvenPurchase(card: card, session: session, amount: amount, tac: tac)
    }
}
