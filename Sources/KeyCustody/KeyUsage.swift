package import FuelPassbook

/// What a key that a terminal holds is for.
package enum KeyUsage: UInt8, CaseIterable, Sendable {
    /// Wraps the others on their way to this terminal, and is no other terminal's.
    case transport = 1
    /// Seals GMACs and codes rows, parameters and the audit log, of this terminal alone.
    case record = 2
    /// MPK: proves cards, the same at every terminal of the scheme.
    case purchaseMaster = 3
}

extension KeyUsage {
    /// As it is called on sheets, in labels of key blocks and in lists.
    package var name: String {
        switch self {
        case .transport: "TRANSPORT"
        case .record: "RECORD"
        case .purchaseMaster: "MPK"
        }
    }
}

/// Which key of a usage: a transport key has index 0, a record key index and version of the store that it is drawn from.
package struct HeldKeyName: Hashable, Sendable {
    package let usage: KeyUsage
    package let reference: KeyReference

    package init(_ usage: KeyUsage, _ reference: KeyReference) {
        self.usage = usage
        self.reference = reference
    }

    /// "MPK 1 2": usage, index and version.
    package var words: String { "\(usage.name) \(reference.index.number) \(reference.version.number)" }
}

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
