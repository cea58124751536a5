private import CardCryptography
package import FuelPassbook

// The issuer's commands for the card's upkeep (FuelPassbook, decision 0008 of CardApplication).

extension Issuer {
    /// RELOAD PIN of a new PIN. It can be played again: send it only where nobody listens.
    package func reloadPIN(
        _ new: borrowing PIN,
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion
    ) throws(IssuerError) -> ReloadPIN {
        let masters = try masters(keyIndex, keyVersion, .tripleDES)
        return ReloadPIN(new: new, key: PINReloadKey(master: masters.scheme[.pinReload], card: card))
    }

    /// PIN UNBLOCK with a new PIN, for the card's challenge.
    package func unblockPIN(
        _ new: borrowing PIN,
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        challenge: Challenge
    ) throws(IssuerError) -> UnblockPIN {
        let masters = try masters(keyIndex, keyVersion, .tripleDES)
        let key = PINUnblockKey(master: masters.scheme[.pinUnblock], card: card)
        return UnblockPIN(new: new, challenge: challenge, key: key)
    }

    /// APPLICATION BLOCK, for the card's challenge.
    package func block(
        _ duration: BlockDuration,
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        challenge: Challenge
    ) throws(IssuerError) -> BlockApplication {
        let masters = try masters(keyIndex, keyVersion, .tripleDES)
        let key = ApplicationMaintenanceKey(master: masters.scheme[.applicationMaintenance], card: card)
        return BlockApplication(duration, challenge: challenge, key: key)
    }

    /// APPLICATION UNBLOCK, for the card's challenge.
    package func unblock(
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        challenge: Challenge
    ) throws(IssuerError) -> UnblockApplication {
        let masters = try masters(keyIndex, keyVersion, .tripleDES)
        let key = ApplicationMaintenanceKey(master: masters.scheme[.applicationMaintenance], card: card)
        return UnblockApplication(challenge: challenge, key: key)
    }

    /// EXTERNAL AUTHENTICATE, the answer to the card's challenge.
    package func externalAuthenticate(
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        challenge: Challenge
    ) throws(IssuerError) -> ExternalAuthenticate {
        let masters = try masters(keyIndex, keyVersion, .tripleDES)
        let key = AuthenticationKey(master: masters.scheme[.externalAuthentication], card: card)
        return ExternalAuthenticate(cryptogram: key.answer(to: challenge))
    }

    /// Judges a card's answer to INTERNAL AUTHENTICATE: whether it was made with these keys.
    package func isGenuine(
        _ answer: Cryptogram,
        challenge: Challenge,
        card: ApplicationSerialNumber,
        _ reference: KeyReference
    ) throws(IssuerError) -> Bool {
        let masters = try masters(reference.index, reference.version, .tripleDES)
        let key = AuthenticationKey(master: masters.scheme[.internalAuthentication], card: card)
        return key.answer(to: challenge).isValid(answer)
    }
}
