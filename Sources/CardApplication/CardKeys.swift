package import CardCryptography
package import FuelPassbook

/// The keys of one card, children of the issuer's masters (spec/grey-lock.md, section 2; decision 0008).
package struct CardKeys: ~Copyable, Sendable {
    /// DPK
    let purchase: PurchaseKey
    /// DTK, folded
    let tac: TACKey
    /// DULKK
    let unlock: UnlockKey
    /// DLK
    let load: LoadKey
    /// DULK
    let unload: UnloadKey
    /// DUK
    let overdraft: OverdraftKey
    /// DRPK, folded
    let pinReload: PINReloadKey
    /// DPUK
    let pinUnblock: PINUnblockKey
    /// DAMK
    let maintenance: ApplicationMaintenanceKey
    let externalAuthentication: AuthenticationKey
    let internalAuthentication: AuthenticationKey
    /// Seals the PIN in the card's image.
    let sealing: SealingKey

    package init(card: ApplicationSerialNumber, scheme: borrowing SchemeKeys) {
        self.init(
            purchase: PurchaseKey(master: scheme[.purchase], card: card),
            tac: TACKey(master: scheme[.tac], card: card),
            unlock: UnlockKey(master: scheme[.greyUnlock], card: card),
            load: LoadKey(master: scheme[.load], card: card),
            unload: UnloadKey(master: scheme[.unload], card: card),
            overdraft: OverdraftKey(master: scheme[.overdraft], card: card),
            pinReload: PINReloadKey(master: scheme[.pinReload], card: card),
            pinUnblock: PINUnblockKey(master: scheme[.pinUnblock], card: card),
            maintenance: ApplicationMaintenanceKey(master: scheme[.applicationMaintenance], card: card),
            externalAuthentication: AuthenticationKey(master: scheme[.externalAuthentication], card: card),
            internalAuthentication: AuthenticationKey(master: scheme[.internalAuthentication], card: card),
            sealing: SealingKey(from: scheme[.greyUnlock].child(of: card.diversificationFactor), label: "GL-CARD")
        )
    }

    package init(
        purchase: consuming PurchaseKey,
        tac: consuming TACKey,
        unlock: consuming UnlockKey,
        load: consuming LoadKey,
        unload: consuming UnloadKey,
        overdraft: consuming OverdraftKey,
        pinReload: consuming PINReloadKey,
        pinUnblock: consuming PINUnblockKey,
        maintenance: consuming ApplicationMaintenanceKey,
        externalAuthentication: consuming AuthenticationKey,
        internalAuthentication: consuming AuthenticationKey,
        sealing: consuming SealingKey
    ) {
        self.purchase = purchase
        self.tac = tac
        self.unlock = unlock
        self.load = load
        self.unload = unload
        self.overdraft = overdraft
        self.pinReload = pinReload
        self.pinUnblock = pinUnblock
        self.maintenance = maintenance
        self.externalAuthentication = externalAuthentication
        self.internalAuthentication = internalAuthentication
        self.sealing = sealing
    }
}
