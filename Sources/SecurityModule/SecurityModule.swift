package import CardCryptography
package import FuelPassbook
package import Quantities
package import Records
import Synchronization

/// What the security module refuses.
package enum SecurityModuleError: Error, Equatable, Sendable {
    /// No master key of this index and version is loaded.
    case keyNotLoaded(KeyReference)
    /// The master key of this index and version is not active yet, or retired.
    case keyNotInUse(KeyReference)
    /// The holder of the master key draws nothing from it now, in words.
    case holderFails(KeyReference, String)
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
        case .keyNotInUse(let key):
            "the master key of index \(key.index.number), version \(key.version.number) does not sell now"
        case .holderFails(let key, let reason):
            "the master key of index \(key.index.number), version \(key.version.number) cannot be asked: \(reason)"
        case .algorithmNotSupported(let algorithm): "the card wants algorithm \(algorithm.number), only 0 is known"
        case .mac1Wrong: "MAC1 of the card is wrong: not a card of this scheme"
        case .mac3Wrong: "MAC3 of the card is wrong: the lock is not proven"
        case .mac2Wrong: "MAC2 of the card is wrong: the payment is not proven"
        case .sealBroken: "the sealed GMAC does not belong to its record"
        }
    }
}

/// The terminal's security module (PSAM), in software: a holder gives it the keys of cards, never the unlock key, and the
/// record key is lent to it.
///
/// A sale's session is a value that each step consumes:
/// `verifyMAC1` -> ``AuthenticatedSale`` -> `makeMAC2` -> ``LockingSale`` -> `verifyMAC3` -> ``LockedSale`` -> `end`.
/// A purchase's session has one state: `makeMAC1` -> ``DebitingPurchase`` -> `verifyMAC2`.
/// SESPK lives in it and nowhere else, and is wiped when the value ends, on every path.
package final class SecurityModule: Sendable {
    package let terminal: TerminalID
    private let holder: Mutex<KeyHolder>
    let recordKey: RecordKey
    let random: any RandomSource & Sendable
    private let seal: TerminalSeal
    private let numbers: @Sendable (RecordNumber) -> TTC

    /// - Parameter numbers: what gives the module's own number of a record's transaction.
    package init(
        terminal: TerminalID,
        keys: KeyHolder,
        recordKey: RecordKey,
        random: any RandomSource & Sendable,
        numbers: @escaping @Sendable (RecordNumber) -> TTC = SecurityModule.recordNumber
    ) {
        self.numbers = numbers
        self.terminal = terminal
        holder = Mutex(keys)
        self.recordKey = recordKey
        self.random = random
        seal = recordKey.seal(of: terminal)
    }

    var keys: KeyHolder { holder.withLock(\.self) }

    /// From now on these keys serve. A session that has begun ends with the key it has.
    package func replaceKeys(_ keys: KeyHolder) { holder.withLock { $0 = keys } }

    /// A module in software counts nothing by itself: it takes the record's number.
    package static let recordNumber: @Sendable (RecordNumber) -> TTC = { TTC($0.value) }

    /// The number of the next transaction, which is for that record; asked for once.
    package func ttc(for record: RecordNumber) -> TTC { numbers(record) }

    /// Step 1.3: derives DPK and SESPK and checks MAC1.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForPetrol,
        answer: InitializeForPetrol.Response,
        for use: KeyHolder.Use = .sale
    ) throws(SecurityModuleError) -> AuthenticatedSale {
        guard answer.algorithm == .tripleDES else { throw .algorithmNotSupported(answer.algorithm) }
        let reference = KeyReference(index: command.keyIndex, version: answer.keyVersion)
        let purchaseKey = try keys.purchaseKey(of: card, reference, for: use)
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
            ttc: command.ttc,
            key: reference,
            seal: seal,
            random: random
        )
        return AuthenticatedSale(key: key, context: context)
    }

    /// - Throws: `.keyNotLoaded` or `.holderFails` where no answer of a card under this key could be judged.
    package func requireKey(_ reference: KeyReference) throws(SecurityModuleError) { try keys.require(reference) }

    /// Opens a sealed GMAC for the one DEBIT FOR PETROL that it authorises.
    package func open(_ gmac: SealedGMAC) throws(SecurityModuleError) -> MAC {
        guard let opened = recordKey.open(gmac, own: seal) else { throw .sealBroken }
        return opened
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
        try keys.purchaseKey(of: card, key, for: .settlement)
            .verifyMAC4(mac4, tac: tac, card: card, amount: amount, attempts: attempts)
    }
}
