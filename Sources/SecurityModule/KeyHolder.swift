package import CardCryptography
package import FuelPassbook
import Quantities
import Records

/// Where the purchase and petrol master keys (MPK) are. Each holder answers which it has, and draws from one of them the key
/// of a card, or the one under which grey records travel between terminals of a scheme; MPK itself leaves none. All that is asked
/// of MPK is the encryption of two blocks.
package enum KeyHolder: Sendable {
    case lockedMemory(MasterKeys)
    case token(TokenKeys)

    package var references: Set<KeyReference> {
        switch self {
        case .lockedMemory(let keys): keys.references
        case .token(let keys): keys.references
        }
    }

    /// By which other terminals of the scheme know a file: the last version of the first index that sells, else of any.
    var newest: KeyReference? {
        let all = references
        let selling = all.filter { sells($0) == true }
        return (selling.isEmpty ? all : selling).min {
            $0.index == $1.index ? $0.version.number > $1.version.number : $0.index.number < $1.index.number
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
        guard let sells = sells(reference) else { throw .keyNotLoaded(reference) }
        guard sells || use == .settlement else { throw .keyNotInUse(reference) }
        return PurchaseKey(try child(of: card.diversificationFactor, reference))
    }

    /// The key under which grey records travel. The factor is no card's: `4C` is no two BCD digits, and neither is its
    /// complement `B3`.
    func travelKey(_ reference: KeyReference) throws(SecurityModuleError) -> DoubleLengthKey {
        try child(of: Array("GL-TRVL0".utf8), reference)
    }

    /// - Throws: where nothing could be drawn from it now.
    func require(_ reference: KeyReference) throws(SecurityModuleError) { _ = try travelKey(reference) }

    /// nil where it is not held.
    private func sells(_ reference: KeyReference) -> Bool? {
        switch self {
        case .lockedMemory(let keys): keys.sells(reference)
        case .token(let keys): keys.sells(reference)
        }
    }

    /// 3DES(MPK, f) followed by 3DES(MPK, NOT f), of a factor of 8 bytes.
    private func child(of factor: [UInt8], _ reference: KeyReference) throws(SecurityModuleError) -> DoubleLengthKey {
        switch self {
        case .lockedMemory(let keys): try keys.child(of: factor, reference)
        case .token(let keys): try keys.child(of: factor, reference)
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

    fileprivate func sells(_ reference: KeyReference) -> Bool? { keys[reference]?.sells }

    fileprivate func child(of factor: [UInt8], _ reference: KeyReference) throws(SecurityModuleError) -> DoubleLengthKey
    {
        guard let key = keys[reference] else { throw .keyNotLoaded(reference) }
        return key.purchase.child(of: factor)
    }
}

/// Why a holder outside of this process draws nothing now.
package struct HolderFault: Error, Equatable, Sendable {
    /// In words.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Master keys in a token, which encrypts under them and hands none out, and those beside it that were loaded without one.
package struct TokenKeys: Sendable {
    /// Triple DES in ECB of the blocks under the token's key of that reference.
    package typealias Encrypt = @Sendable (_ blocks: [UInt8], KeyReference) throws(HolderFault) -> LockedBuffer

    private let inToken: [KeyReference: Bool]
    private let beside: MasterKeys
    private let encrypt: Encrypt

    /// - Parameter inToken: whether each sells.
    package init(_ inToken: [KeyReference: Bool], beside: MasterKeys = MasterKeys(), encrypt: @escaping Encrypt) {
        self.inToken = inToken
        self.beside = beside
        self.encrypt = encrypt
    }

    fileprivate var references: Set<KeyReference> { beside.references.union(inToken.keys) }

    fileprivate func sells(_ reference: KeyReference) -> Bool? { inToken[reference] ?? beside.sells(reference) }

    fileprivate func child(of factor: [UInt8], _ reference: KeyReference) throws(SecurityModuleError) -> DoubleLengthKey
    {
        guard inToken[reference] != nil else { return try beside.child(of: factor, reference) }
        do throws(HolderFault) {
            return DoubleLengthKey(try encrypt(factor + factor.map { ~$0 }, reference))
        } catch {
            throw .holderFails(reference, error.reason)
        }
    }
}

private final class PurchaseMaster: Sendable {
    let purchase: DoubleLengthKey
    let sells: Bool

    init(_ raw: consuming LockedBuffer, sells: Bool) {
        self.sells = sells
        purchase = DoubleLengthKey(raw)
    }
}
