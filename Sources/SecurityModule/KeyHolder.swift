package import CardCryptography
package import FuelPassbook

/// Where the purchase and petrol master keys (MPK) are. Each holder answers which it has, and draws from one of them the key
/// of a card, or the code of a file in which grey records travel between terminals of a scheme; MPK itself leaves none.
package enum KeyHolder: Sendable {
    case lockedMemory(MasterKeys)

    package var references: Set<KeyReference> {
        switch self {
        case .lockedMemory(let keys): keys.references
        }
    }

    /// DPK of a card.
    func purchaseKey(
        of card: ApplicationSerialNumber,
        _ reference: KeyReference
    ) throws(SecurityModuleError) -> PurchaseKey {
        switch self {
        case .lockedMemory(let keys): PurchaseKey(master: try keys.loaded(reference).purchase, card: card)
        }
    }

    /// The code of a file of grey records.
    func greyRecordCode(of body: [UInt8], _ reference: KeyReference) throws(SecurityModuleError) -> StoredCode {
        switch self {
        case .lockedMemory(let keys): try keys.loaded(reference).greyRecords.code(of: body)
        }
    }
}

/// The master keys in this process's own locked memory, by index and version. Loaded once, before the first sale.
package struct MasterKeys: Sendable {
    package static let keysMax = 32

    private var keys: [KeyReference: PurchaseMaster] = [:]

    package init() {}

    /// Takes the 16 bytes of a master key; the buffer is wiped.
    package mutating func load(_ raw: consuming LockedBuffer, as reference: KeyReference) {
        precondition(keys.count < Self.keysMax)
        keys[reference] = PurchaseMaster(raw)
    }

    fileprivate var references: Set<KeyReference> { Set(keys.keys) }

    fileprivate func loaded(_ reference: KeyReference) throws(SecurityModuleError) -> PurchaseMaster {
        guard let key = keys[reference] else { throw .keyNotLoaded(reference) }
        return key
    }
}

private final class PurchaseMaster: Sendable {
    let purchase: DoubleLengthKey
    /// Terminals of a scheme share MPK and no other key: so it is drawn from it.
    let greyRecords: CodeKey

    init(_ raw: consuming LockedBuffer) {
        purchase = DoubleLengthKey(raw)
        greyRecords = CodeKey(from: purchase, label: "GL-GREY")
    }
}
