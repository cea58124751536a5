package import CardCryptography
package import FuelPassbook
package import Quantities
package import Records

/// What the security module refuses.
package enum SecurityModuleError: Error, Equatable, Sendable {
    /// No master key of this index and version is loaded.
    case keyNotLoaded(KeyReference)
    /// The card asks for an algorithm other than 3DES.
    case algorithmNotSupported(AlgorithmID)
    /// Step 1.3: the card did not prove that it holds this scheme's key.
    case mac1Wrong
    /// Step 1.9: the card's grey-lock code is not the one that this session makes.
    case mac3Wrong
    /// Seed 002, step 1.7: the card did not prove that it paid.
    case mac2Wrong
    /// A sealed GMAC does not belong to the record it stands in, or was altered.
    case sealBroken
}

extension SecurityModuleError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .keyNotLoaded(let key):
            "no master key of index \(key.index.number), version \(key.version.number) is loaded"
        case .algorithmNotSupported(let algorithm): "the card wants algorithm \(algorithm.number), only 0 is known"
        case .mac1Wrong: "MAC1 of the card is wrong: not a card of this scheme"
        case .mac3Wrong: "MAC3 of the card is wrong: the lock is not proven"
        case .mac2Wrong: "MAC2 of the card is wrong: the payment is not proven"
        case .sealBroken: "the sealed GMAC does not belong to its record"
        }
    }
}

/// The terminal's security module (PSAM): it holds the purchase and petrol master keys, never the unlock key.
///
/// A sale's session is a value that each step consumes:
/// `verifyMAC1` -> ``AuthenticatedSale`` -> `makeMAC2` -> ``LockingSale`` -> `verifyMAC3` -> ``LockedSale`` -> `end`.
/// A purchase's session has one state: `makeMAC1` -> ``DebitingPurchase`` -> `verifyMAC2`.
/// SESPK lives in it and nowhere else, and is wiped when the value ends, on every path.
package final class SecurityModule: Sendable {
    package let terminal: TerminalID
    private let masterKeys: MasterKeys
    private let random: any RandomSource & Sendable
    /// This terminal's own, by master key.
    private let seals: [KeyReference: TerminalSeal]

    package init(terminal: TerminalID, masterKeys: MasterKeys, random: any RandomSource & Sendable) {
        self.terminal = terminal
        self.masterKeys = masterKeys
        self.random = random
        seals = masterKeys.seals(of: terminal)
    }

    /// Step 1.3: derives DPK and SESPK and checks MAC1.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForPetrol,
        answer: InitializeForPetrol.Response
    ) throws(SecurityModuleError) -> AuthenticatedSale {
        guard answer.algorithm == .tripleDES else { throw .algorithmNotSupported(answer.algorithm) }
        let reference = KeyReference(index: command.keyIndex, version: answer.keyVersion)
        let master = try masterKey(reference)
        let purchaseKey = PurchaseKey(master: master.purchase, card: card)
        let key = purchaseKey.petrolSession(icc: answer.icc, ctc: answer.ctc, ttc: command.ttc)
        let standing = key.proveStanding(
            mac1: answer.mac1,
            card: card,
            ctc: answer.ctc,
            balance: answer.balance,
            terminal: terminal
        )
        guard let standing else { throw .mac1Wrong }
        let context = SaleContext(
            standing: standing,
            terminal: terminal,
            ttc: command.ttc,
            key: reference,
            seal: try seal(of: terminal, reference),
            random: random
        )
        return AuthenticatedSale(key: key, context: context)
    }

    /// Opens a sealed GMAC for the one DEBIT FOR PETROL that it authorises.
    package func open(_ gmac: SealedGMAC) throws(SecurityModuleError) -> MAC {
        let master = try masterKey(gmac.key)
        let plain =
            try seal(of: gmac.terminal, gmac.key).key.open(gmac.sealed, context: gmac.context)
            ?? master.sealing.open(gmac.sealed, context: gmac.contextWithoutTerminal)
        guard let plain, plain.count == MAC.length else { throw .sealBroken }
        return MAC(bytes: plain)
    }

    /// Step 1.15, or a proof of it: which of the `attempts` the card answered; nil when MAC4 is right for none (D27).
    package func verifyMAC4(
        _ mac4: MAC,
        tac: MAC,
        card: ApplicationSerialNumber,
        key: KeyReference,
        amount: Amount,
        attempts: [DebitAttempt]
    ) throws(SecurityModuleError) -> AnsweredDebit? {
        try purchaseKey(of: card, key)
            .verifyMAC4(mac4, tac: tac, card: card, amount: amount, attempts: attempts)
    }

    func purchaseKey(
        of card: ApplicationSerialNumber,
        _ reference: KeyReference
    ) throws(SecurityModuleError) -> PurchaseKey {
        PurchaseKey(master: try masterKey(reference).purchase, card: card)
    }

    private func seal(
        of terminal: TerminalID,
        _ reference: KeyReference
    ) throws(SecurityModuleError) -> TerminalSeal {
        if terminal == self.terminal, let seal = seals[reference] { return seal }
        return TerminalSeal(try masterKey(reference).purchase, terminal)
    }

    private func masterKey(_ reference: KeyReference) throws(SecurityModuleError) -> MasterKey {
        guard let key = masterKeys[reference] else { throw .keyNotLoaded(reference) }
        return key
    }
}
