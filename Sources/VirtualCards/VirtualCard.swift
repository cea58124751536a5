package import CardApplication
private import CardCryptography
package import FuelPassbook
package import ISO7816

/// What a reader sees of a card: its power, and its answers. One thread owns it.
package protocol PoweredCard: AnyObject {
    /// Power came or was lost, or the reader reset the card.
    func reset()

    func respond(to command: Span<UInt8>) -> ResponseAPDU
}

/// A whole card. One thread owns it.
package final class VirtualCard<Memory: CardMemory>: PoweredCard {
    private var application: CardApplication<Memory>

    /// The card whose image `memory` holds.
    ///
    /// - Parameters:
    ///   - stored: that image, from ``DemonstrationCard/image(number:)`` for a new demonstration card.
    ///   - aid: what a terminal selects it by.
    ///   - scheme: the keys that it was made with.
    package init(
        stored: [UInt8],
        memory: Memory,
        aid: [UInt8] = Demonstration.aid,
        scheme: borrowing SchemeKeys = Demonstration.schemeKeys
    ) throws(VirtualCardRefusal) {
        let image: CardImage
        do throws(ParseError) { image = try CardImage(parsing: stored) } catch { throw .image(error) }
        let keys = CardKeys(card: image.file.asn, scheme: scheme)
        guard image.isSealed(under: keys) else { throw .otherKeys }
        application = CardApplication(
            aid: aid,
            keys: keys,
            image: image,
            memory: memory,
            random: SystemRandom()
        )
    }

    package var image: CardImage { application.image }

    package func reset() { application.reset() }

    package func respond(to command: Span<UInt8>) -> ResponseAPDU { application.respond(to: command) }
}

/// Why a stored image cannot be a card.
package enum VirtualCardRefusal: Error, Equatable, Sendable {
    /// The bytes are no card's image.
    case image(ParseError)
    /// The keys do not open the card's PIN.
    case otherKeys
}

extension VirtualCardRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .image(let error): "it is not a card of this version (\(error)): make a new one"
        case .otherKeys:
            "it was made with other keys, or its PIN was altered: give the key store that its profile names (--keys)"
        }
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
