package import CardCryptography
package import FuelPassbook
import ISO7816

/// A card's reference PIN as its image keeps it: a length and 8 bytes, sealed for this card.
package struct StoredPIN {
    package let sealed: [UInt8]

    private static let blockLength = 9

    package init(_ sealed: [UInt8]) { self.sealed = sealed }

    /// Seals the PIN that a VERIFY command would present.
    package init(
        _ pin: borrowing PIN,
        sealing: borrowing SealingKey,
        card: ApplicationSerialNumber,
        random: any RandomSource
    ) {
        self = pin.withBytes { Self($0, sealing: sealing, card: card, random: random) }
    }

    /// Seals the PIN whose bytes are given.
    init(
        _ pin: Span<UInt8>,
        sealing: borrowing SealingKey,
        card: ApplicationSerialNumber,
        random: any RandomSource
    ) {
        var block = LockedBuffer(count: Self.blockLength)
        Self.fill(&block, with: pin)
        sealed = sealing.seal(block, context: card.bytes, random: random)
    }

    /// Whether these keys sealed it; false when it was altered.
    func isSealed(under sealing: borrowing SealingKey, card: ApplicationSerialNumber) -> Bool {
        switch sealing.openSecret(sealed, context: card.bytes) {
        case .some: true
        case nil: false
        }
    }

    /// Compares in constant time; false when the stored PIN was altered.
    func matches(_ presented: Span<UInt8>, _ sealing: borrowing SealingKey, card: ApplicationSerialNumber) -> Bool {
        var block = LockedBuffer(count: Self.blockLength)
        Self.fill(&block, with: presented)
        return sealing.opens(sealed, context: card.bytes, to: block)
    }

    private static func fill(_ block: inout LockedBuffer, with presented: Span<UInt8>) {
        precondition(presented.count < blockLength)
        block.withMutableSpan { span in
            span[0] = UInt8(presented.count)
            for index in presented.indices {
                span[index + 1] = presented[index]
            }
        }
    }
}

extension CardImage {
    /// Whether the card was made with these keys: they open the PIN that it keeps.
    package func isSealed(under keys: borrowing CardKeys) -> Bool {
        StoredPIN(sealedPIN).isSealed(under: keys.sealing, card: file.asn)
    }
}
