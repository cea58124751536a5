package import CardCryptography
package import FuelPassbook
private import ISO7816

/// A purchase and petrol master key (MPK) with the journals' key drawn from it.
final class MasterKey: Sendable {
    let purchase: DoubleLengthKey
    /// One for every terminal: opens what a version of this program before the terminals' own sealed, and seals nothing.
    let sealing: SealingKey
    let journals: CodeKey
    /// Of files that grey records travel in.
    let greyRecords: CodeKey

    init(_ raw: consuming LockedBuffer) {
        purchase = DoubleLengthKey(raw)
        sealing = SealingKey(from: purchase, label: "GL-GMAC")
        journals = CodeKey(from: purchase, label: "GL-JRNL")
        greyRecords = CodeKey(from: purchase, label: "GL-GREY")
    }
}

/// The sealing key of one terminal. Its nonces are drawn at random, so no two terminals may share one.
final class TerminalSeal: Sendable {
    let key: SealingKey

    /// The factor is no card's: `4C` is no two BCD digits, and neither is its complement `B3`.
    init(_ master: borrowing DoubleLengthKey, _ terminal: TerminalID) {
        key = SealingKey(from: master.child(of: Array("TL".utf8) + terminal.bytes), label: "GL-GMAC")
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

    func seals(of terminal: TerminalID) -> [KeyReference: TerminalSeal] {
        keys.mapValues { TerminalSeal($0.purchase, terminal) }
    }

    /// The one that a new journal's key is drawn from: the last version of the first index; nil without any.
    package var newest: KeyReference? {
        keys.keys.min {
            $0.index == $1.index ? $0.version.number > $1.version.number : $0.index.number < $1.index.number
        }
    }
}
