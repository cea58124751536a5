package import CardCryptography

/// The master keys of a scheme. The number is the key's place among them.
package enum MasterKey: Int, CaseIterable, Sendable {
    /// MPK
    case purchase
    /// MTK
    case tac
    /// MULKK
    case greyUnlock
    /// MLK
    case load
    /// MULK
    case unload
    /// MUK
    case overdraft
    /// Of DRPK
    case pinReload
    /// Of DPUK
    case pinUnblock
    /// Of DAMK
    case applicationMaintenance
    case externalAuthentication
    case internalAuthentication

    package static let allBytes = allCases.count * DoubleLengthKey.length
}

/// Every master key of a scheme, of one index and version. Only the issuer has them all; a card is made from them.
package struct SchemeKeys: ~Copyable, Sendable {
    package let raw: LockedBuffer

    /// - Parameter raw: 16 bytes each, in the order of ``MasterKey``.
    package init(_ raw: consuming LockedBuffer) {
        precondition(raw.count == MasterKey.allBytes)
        self.raw = raw
    }

    package subscript(master: MasterKey) -> DoubleLengthKey {
        let start = master.rawValue * DoubleLengthKey.length
        return DoubleLengthKey(raw.part(start..<start + DoubleLengthKey.length))
    }
}
