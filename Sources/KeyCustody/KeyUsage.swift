package import FuelPassbook

/// What a key in a store is for. Its number stands in the store's file, and no two holders mean different keys by one number.
package protocol StoreUsage: RawRepresentable<UInt8>, Hashable, Sendable {
    /// As it is called on sheets, in labels of key blocks and in lists.
    var name: String { get }
}

/// What a key that a terminal holds is for.
package enum KeyUsage: UInt8, CaseIterable, StoreUsage {
    /// Wraps the others on their way to this terminal, and is no other terminal's.
    case transport = 1
    /// Seals GMACs and codes rows, parameters and the audit log, of this terminal alone.
    case record = 2
    /// MPK: proves cards, the same at every terminal of the scheme.
    case purchaseMaster = 3
}

extension KeyUsage {
    package var name: String {
        switch self {
        case .transport: "TRANSPORT"
        case .record: "RECORD"
        case .purchaseMaster: "MPK"
        }
    }
}

/// What a key in the issuer's store is for.
package enum IssuerUsage: StoreUsage {
    case master(MasterKey)
    /// Codes the books of the issuer's counters.
    case books

    private static let booksNumber = Self.master(.internalAuthentication).rawValue + 1

    /// The masters follow on MPK, in their order.
    package var rawValue: UInt8 {
        switch self {
        case .master(let master): KeyUsage.purchaseMaster.rawValue + UInt8(master.rawValue)
        case .books: Self.booksNumber
        }
    }

    package init?(rawValue: UInt8) {
        if rawValue == Self.booksNumber {
            self = .books
        } else if let master = MasterKey(rawValue: Int(rawValue) - Int(KeyUsage.purchaseMaster.rawValue)) {
            self = .master(master)
        } else {
            return nil
        }
    }

    package var name: String {
        switch self {
        case .master(let master): master.name
        case .books: "BOOKS"
        }
    }
}

/// Which key of a usage: a transport key has index 0, a record key index and version of the masters that it is drawn from.
package struct StoredKeyName<Usage: StoreUsage>: Hashable, Sendable {
    package let usage: Usage
    package let reference: KeyReference

    package init(_ usage: Usage, _ reference: KeyReference) {
        self.usage = usage
        self.reference = reference
    }

    /// "MPK 1 2": usage, index and version.
    package var words: String { "\(usage.name) \(reference.index.number) \(reference.version.number)" }
}

package typealias HeldKeyName = StoredKeyName<KeyUsage>

extension MasterKey {
    /// As the source calls it. All but MPK are the issuer's: no terminal holds one.
    package var name: String {
        switch self {
        case .purchase: "MPK"
        case .tac: "MTK"
        case .greyUnlock: "MULKK"
        case .load: "MLK"
        case .unload: "MULK"
        case .overdraft: "MUK"
        case .pinReload: "MRPK"
        case .pinUnblock: "MPUK"
        case .applicationMaintenance: "MAMK"
        case .externalAuthentication: "MEAK"
        case .internalAuthentication: "MIAK"
        }
    }
}
