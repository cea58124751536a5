package import CardCryptography
package import FuelPassbook
import Quantities
import Records

/// Where the purchase and petrol master keys (MPK) are. Each holder answers which it has, and draws from one of them the key
/// of a card, or the code of a file in which grey records travel between terminals of a scheme; MPK itself leaves none.
package enum KeyHolder: Sendable {
    case lockedMemory(MasterKeys)

    package var references: Set<KeyReference> {
        switch self {
        case .lockedMemory(let keys): keys.references
        }
    }

    /// By which other terminals of the scheme know a file: the last version of the first index that sells, else of any.
    var newest: KeyReference? {
        switch self {
        case .lockedMemory(let keys):
            let all = keys.references
            let selling = all.filter { keys.sells($0) }
            return (selling.isEmpty ? all : selling).min {
                $0.index == $1.index ? $0.version.number > $1.version.number : $0.index.number < $1.index.number
            }
        }
    }

    /// What a card's key is asked for.
    package enum Use: Sendable {
        case sale
        /// Of what was sold before.
        case settlement
    }

    /// DPK of a card.
    func purchaseKey(
        of card: ApplicationSerialNumber,
        _ reference: KeyReference,
        for use: Use
    ) throws(SecurityModuleError) -> PurchaseKey {
        switch self {
        case .lockedMemory(let keys):
            let master = try keys.loaded(reference)
            guard master.sells || use == .settlement else { throw .keyNotInUse(reference) }
            return PurchaseKey(master: master.purchase, card: card)
        }
    }

    /// The seal of GMACs in a file of grey records.
    func greyRecordSeal(of terminal: TerminalID, _ reference: KeyReference) throws(SecurityModuleError) -> TerminalSeal
    {
        switch self {
        case .lockedMemory(let keys): TerminalSeal(onTheWay: try keys.loaded(reference).purchase, of: terminal)
        }
    }

    /// The code of a file of grey records.
    func greyRecordCode(of body: [UInt8], _ reference: KeyReference) throws(SecurityModuleError) -> StoredCode {
        switch self {
        case .lockedMemory(let keys): try keys.loaded(reference).greyRecords.code(of: body)
        }
    }
}

/// The master keys in this process's own locked memory, by index and version.
package struct MasterKeys: Sendable {
    package static let keysMax = 128

    private var keys: [KeyReference: PurchaseMaster] = [:]

    package init() {}

    /// Takes the 16 bytes of a master key; the buffer is wiped.
    ///
    /// - Parameter sells: false for a key that settles what was sold, and no more.
    package mutating func load(_ raw: consuming LockedBuffer, as reference: KeyReference, sells: Bool = true) {
        precondition(keys.count < Self.keysMax)
        keys[reference] = PurchaseMaster(raw, sells: sells)
    }

    fileprivate var references: Set<KeyReference> { Set(keys.keys) }

    fileprivate func sells(_ reference: KeyReference) -> Bool { keys[reference]?.sells ?? false }

    fileprivate func loaded(_ reference: KeyReference) throws(SecurityModuleError) -> PurchaseMaster {
        guard let key = keys[reference] else { throw .keyNotLoaded(reference) }
        return key
    }
}

private final class PurchaseMaster: Sendable {
    let purchase: DoubleLengthKey
    let sells: Bool
    /// Terminals of a scheme share MPK and no other key: so it is drawn from it.
    let greyRecords: CodeKey

    init(_ raw: consuming LockedBuffer, sells: Bool) {
        self.sells = sells
        purchase = DoubleLengthKey(raw)
        greyRecords = CodeKey(from: purchase, label: "GL-GREY")
    }
}
