package import CardCryptography
package import FuelPassbook

/// Which of the scheme's keys: its index, as the terminal asks for it, and its version, as the card answers.
package struct KeyReference: Hashable, Sendable {
    package let index: KeyIndex
    package let version: KeyVersion

    package init(index: KeyIndex, version: KeyVersion) {
        self.index = index
        self.version = version
    }
}

/// A purchase and petrol master key (MPK) with the sealing key drawn from it.
final class MasterKey: Sendable {
    let purchase: DoubleLengthKey
    let sealing: SealingKey

    init(_ raw: consuming LockedBuffer) {
        purchase = DoubleLengthKey(raw)
        sealing = SealingKey(from: purchase, label: "GL-GMAC")
    }
}

/// The master keys that a terminal's security module holds, by index and version. Loaded once, before the first sale.
package struct MasterKeys: Sendable {
    package static let keysMax = 32

    private var keys: [KeyReference: MasterKey] = [:]

    package init() {}

    /// Takes the 16 bytes of a master key; the buffer is wiped.
    package mutating func load(_ raw: consuming LockedBuffer, as reference: KeyReference) {
        precondition(keys.count < Self.keysMax)
        keys[reference] = MasterKey(raw)
    }

    subscript(reference: KeyReference) -> MasterKey? { keys[reference] }
}
