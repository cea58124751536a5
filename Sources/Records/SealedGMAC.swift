import CardCryptography
package import FuelPassbook
import ISO7816
package import Quantities

/// A GMAC as it rests on disk: encrypted, and bound to the card, the terminal, the sale and the amount that it is for.
package struct SealedGMAC: Equatable, Sendable {
    package let card: ApplicationSerialNumber
    /// That locked the card.
    package let terminal: TerminalID
    package let ttc: TTC
    /// The card's number before the lock.
    package let ctc: CTC
    package let amount: Amount
    package let key: KeyReference
    /// Nonce 12, ciphertext 4, tag 16.
    package let sealed: [UInt8]

    package static let sealedLength = SealingKey.nonceLength + MAC.length + SealingKey.tagLength

    package init(
        card: ApplicationSerialNumber,
        terminal: TerminalID,
        ttc: TTC,
        ctc: CTC,
        amount: Amount,
        key: KeyReference,
        sealed: [UInt8]
    ) {
        self.card = card
        self.terminal = terminal
        self.ttc = ttc
        self.ctc = ctc
        self.amount = amount
        self.key = key
        self.sealed = sealed
    }

    /// What the seal binds.
    package var context: [UInt8] { contextWithoutTerminal + terminal.bytes }

    /// Of a ``LegacySeal``.
    var contextWithoutTerminal: [UInt8] {
        card.bytes + ttc.bytes + ctc.bytes + amount.bytes + key.index.bytes + key.version.bytes
    }
}
