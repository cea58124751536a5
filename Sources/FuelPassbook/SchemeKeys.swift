package import CardCryptography

/// Every master key of a scheme, of one index and version. Only the issuer has them all; a card is made from them.
package struct SchemeKeys: ~Copyable, Sendable {
    /// MPK
    package let purchase: DoubleLengthKey
    /// MTK
    package let tac: DoubleLengthKey
    /// MULKK
    package let greyUnlock: DoubleLengthKey
    /// MLK
    package let load: DoubleLengthKey
    /// MULK
    package let unload: DoubleLengthKey
    /// MUK
    package let overdraft: DoubleLengthKey
    /// Of DRPK
    package let pinReload: DoubleLengthKey
    /// Of DPUK
    package let pinUnblock: DoubleLengthKey
    /// Of DAMK
    package let applicationMaintenance: DoubleLengthKey
    package let externalAuthentication: DoubleLengthKey
    package let internalAuthentication: DoubleLengthKey

    package init(
        purchase: consuming DoubleLengthKey,
        tac: consuming DoubleLengthKey,
        greyUnlock: consuming DoubleLengthKey,
        load: consuming DoubleLengthKey,
        unload: consuming DoubleLengthKey,
        overdraft: consuming DoubleLengthKey,
        pinReload: consuming DoubleLengthKey,
        pinUnblock: consuming DoubleLengthKey,
        applicationMaintenance: consuming DoubleLengthKey,
        externalAuthentication: consuming DoubleLengthKey,
        internalAuthentication: consuming DoubleLengthKey
    ) {
        self.purchase = purchase
        self.tac = tac
        self.greyUnlock = greyUnlock
        self.load = load
        self.unload = unload
        self.overdraft = overdraft
        self.pinReload = pinReload
        self.pinUnblock = pinUnblock
        self.applicationMaintenance = applicationMaintenance
        self.externalAuthentication = externalAuthentication
        self.internalAuthentication = internalAuthentication
    }
}
