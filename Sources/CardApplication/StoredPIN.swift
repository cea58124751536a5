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
        var block = LockedBuffer(count: Self.blockLength)
        pin.withVerifyCommand { command in Self.fill(&block, with: command.extracting(5...)) }
        sealed = sealing.seal(block, context: card.bytes, random: random)
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
