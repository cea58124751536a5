import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Quantities

/// The simulation's own knowledge of the keys of one station's sales, drawn from the master key and from what the cards
/// truly answered: which codes are right, and which bytes may stand nowhere.
final class SessionOracle {
    private struct Session {
        let card: UInt64
        let key: [UInt8]
    }

    private let master = DoubleLengthKey(MasterKey.purchase.demonstration)
    private var sessions: [TTC: Session] = [:]
    /// DPK by the card's identity.
    private var purchaseKeys: [UInt64: [UInt8]] = [:]

    /// A terminal heard this answer to INITIALIZE FOR PETROL.
    ///
    /// - Parameter number: of the session here; nil where it is `ttc`.
    func begin(_ card: ApplicationSerialNumber, icc: ICCRandom, ctc: CTC, ttc: TTC, as number: TTC? = nil) {
        let raw = purchaseKey(of: card)
        let key = DoubleLengthKey(Self.locked(raw))
        sessions[number ?? ttc] = Session(
            card: card.identity,
            key: key.encrypted(icc.bytes + ctc.bytes + ttc.bytes.suffix(2))
        )
    }

    /// GMAC of the session with which `ttc` locked; nil when no card answered for it.
    func gmac(of ttc: TTC, card: ApplicationSerialNumber, amount: Amount) -> MAC? {
        guard let session = sessions[ttc], session.card == card.identity else { return nil }
        return SingleLengthKey(Self.locked(session.key)).mac(of: amount.bytes)
    }

    /// Whether `bytes` hold SESPK of the sale, or half of DPK or MPK.
    func isKeyMaterial(in bytes: [UInt8], ttc: TTC?, card: ApplicationSerialNumber) -> Bool {
        guard bytes.count >= 8 else { return false }
        let dpk = purchaseKey(of: card)
        var keys = [Self.word(dpk.prefix(8)), Self.word(dpk.suffix(8))]
        keys += [0x1122_3344_5566_7788, 0x8877_6655_4433_2211]
        if let session = ttc.flatMap({ sessions[$0] }) { keys.append(Self.word(session.key[...])) }
        var window: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            window = window << 8 | UInt64(byte)
            if index >= 7, keys.contains(window) { return true }
        }
        return false
    }

    private func purchaseKey(of card: ApplicationSerialNumber) -> [UInt8] {
        if let known = purchaseKeys[card.identity] { return known }
        let factor = card.diversificationFactor
        let key = master.encrypted(factor) + master.encrypted(factor.map { ~$0 })
        purchaseKeys[card.identity] = key
        return key
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func locked(_ bytes: [UInt8]) -> LockedBuffer {
        var bytes = bytes
        return LockedBuffer(wiping: &bytes)
    }
}
