package import CardCryptography
package import FuelPassbook

/// The keys of one card, children of the issuer's masters (spec/grey-lock.md, section 2).
package struct CardKeys: ~Copyable, Sendable {
    /// DPK
    let purchase: PurchaseKey
    /// DTK, folded
    let tac: TACKey
    /// DULKK
    let unlock: UnlockKey
    /// Seals the PIN in the card's image.
    let sealing: SealingKey

    package init(
        card: ApplicationSerialNumber,
        purchase: borrowing DoubleLengthKey,
        tac: borrowing DoubleLengthKey,
        unlock: borrowing DoubleLengthKey
    ) {
        self.purchase = PurchaseKey(master: purchase, card: card)
        self.tac = TACKey(master: tac, card: card)
        self.unlock = UnlockKey(master: unlock, card: card)
        sealing = SealingKey(from: unlock.child(of: card.diversificationFactor), label: "GL-CARD")
    }
}
