package import CardCryptography
package import FuelPassbook
package import Quantities

/// MAC2 was right. No purchase is called paid without it. How much it proves, and what not: decision record 0009 and D31.
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

extension PurchaseSessionKey {
    /// Seed 002, step 1.7: judges MAC2 of the card and session whose key this is; nil when it is wrong.
    package borrowing func provePurchase(
        mac2: MAC,
        tac: MAC,
        card: ApplicationSerialNumber,
        session: PurchaseSessionData,
        amount: Amount
    ) -> ProvenPurchase? {
        self.mac2(amount: amount).isValid(mac2)
            ? ProvenPurchase(card: card, session: session, amount: amount, tac: tac) : nil
    }
}
