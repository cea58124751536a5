package import CardApplication
private import CardCryptography
package import Dispenser
package import FuelPassbook
package import ISO7816

/// A whole card with the published demonstration keys. One thread owns it.
package final class VirtualCard<Memory: CardMemory> {
    private var application: CardApplication<Memory>

    /// The card whose image `memory` holds.
    ///
    /// - Parameter stored: that image, from ``DemonstrationCard/image(balance:)`` for a new card.
    /// - Throws: `ParseError` when the bytes are no card's image.
    package init(stored: [UInt8], memory: Memory) throws(ParseError) {
        let image = try CardImage(parsing: stored)
        application = CardApplication(
            aid: Demonstration.aid,
            keys: DemonstrationCard.keys(of: image.file.asn),
            image: image,
            memory: memory,
            random: SystemRandom()
        )
    }

    package var image: CardImage { application.image }

    /// Power came or was lost, or the reader reset the card.
    package func reset() { application.reset() }

    package func respond(to command: Span<UInt8>) -> ResponseAPDU { application.respond(to: command) }
}

/// What makes a new demonstration card.
package enum DemonstrationCard {
    /// The image of a card that has done nothing yet (spec/grey-lock.md, section 7).
    package static func image(balance: Amount = Demonstration.balance) -> [UInt8] {
        let file = Demonstration.applicationFile
        return CardImage(
            personalising: file,
            keyIndex: Demonstration.keyIndex,
            keyVersion: Demonstration.keyVersion,
            balance: balance,
            pin: Demonstration.pin,
            pinTries: Demonstration.pinTries,
            gmacTries: Demonstration.gmacTries,
            keys: keys(of: file.asn),
            random: SystemRandom()
        ).bytes
    }

    fileprivate static func keys(of card: ApplicationSerialNumber) -> CardKeys {
        CardKeys(card: card, scheme: Demonstration.schemeKeys)
    }
}

/// A reader in this process, and the one card that is ever put into it. The thread that owns the card owns it too.
package final class VirtualCardReader<Memory: CardMemory>: CardReader {
    private enum Slot {
        case empty
        case unpowered
        case powered
    }

    package let card: VirtualCard<Memory>
    private var slot = Slot.empty

    package init(card: VirtualCard<Memory>) { self.card = card }

    /// Puts the card in. A card that is in stays as it is.
    package func insert() {
        switch slot {
        case .empty: slot = .unpowered
        case .unpowered, .powered: break
        }
    }

    /// Takes the card out, whatever it was doing.
    package func pull() {
        slot = .empty
        card.reset()
    }

    package func connect() throws(CardFault) {
        switch slot {
        case .empty: throw .removed
        case .unpowered, .powered:
            card.reset()
            slot = .powered
        }
    }

    /// - Throws: `.removed` when the card is out, or was put in again and not connected.
    package func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        switch slot {
        case .empty, .unpowered: throw .removed
        case .powered: return card.respond(to: command)
        }
    }

    package func disconnect() {
        switch slot {
        case .empty, .unpowered: break
        case .powered:
            card.reset()
            slot = .unpowered
        }
    }
}
