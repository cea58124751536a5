package import CardCryptography
package import FuelPassbook
package import Quantities
package import Records

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
        guard let proof = key.provePurchase(mac2: mac2, tac: tac, card: card, session: session, amount: amount) else {
            throw .mac2Wrong
        }
        return proof
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
        let purchaseKey = try keys.purchaseKey(of: card, reference, for: .sale)
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
        let purchaseKey = try keys.purchaseKey(of: card, key, for: .settlement)
        let sessionKey = purchaseKey.purchaseSession(icc: session.icc, ctc: session.ctc, ttc: session.ttc)
        return sessionKey.provePurchase(mac2: mac2, tac: tac, card: card, session: session, amount: amount)
    }
}
