import CardCryptography
import FuelPassbook
import ISO7816
import TestPrograms

/// The secrets of a terminal with the demonstration keys, and of a demonstration card's sales in it, computed by the
/// formulas of spec/grey-lock.md, section 2.
enum TerminalSecrets {
    private static let master = DoubleLengthKey(MasterKey.purchase.demonstration)
    private static let factor = Demonstration.applicationFile.asn.diversificationFactor
    /// DPK, 16 bytes.
    static let cardKey = master.encrypted(factor) + master.encrypted(factor.map { ~$0 })

    /// MPK, and the key that seals the terminal's GMACs.
    static var ofTerminal: [SecretPatterns] {
        let raw = MasterKey.purchase.demonstration.withSpan { [UInt8](copying: $0) }
        // The demonstration's record key has MPK's bytes, and the service of the tests this terminal's id.
        let factor = Array("TL".utf8) + [0x00, 0x11, 0x22, 0x33, 0x44, 0x55]
        var child = master.encrypted(factor) + master.encrypted(factor.map { ~$0 })
        let terminal = DoubleLengthKey(LockedBuffer(wiping: &child))
        let sealing = (UInt8(0)..<4).flatMap { terminal.encrypted(Array("GL-GMAC".utf8) + [$0]) }
        return [
            SecretPatterns("MPK left", des: Array(raw.prefix(8))),
            SecretPatterns("MPK right", des: Array(raw.suffix(8))),
            SecretPatterns("sealing key", aes256: sealing),
        ]
    }

    static var ofCard: [SecretPatterns] {
        [
            SecretPatterns("DPK left", des: Array(cardKey.prefix(8))),
            SecretPatterns("DPK right", des: Array(cardKey.suffix(8))),
        ]
    }

    /// SESPK of a sale.
    static func ofSale(_ data: SaleNumbers) -> SecretPatterns {
        var raw = cardKey
        let key = DoubleLengthKey(LockedBuffer(wiping: &raw))
        let input = data.icc.bytes + data.ctc.bytes + data.ttc.bytes.suffix(2)
        return SecretPatterns("SESPK", des: key.encrypted(input))
    }
}

/// What a sale's session key is made from besides DPK.
struct SaleNumbers {
    let icc: ICCRandom
    let ctc: CTC
    let ttc: TTC
}
