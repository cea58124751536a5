import FuelPassbook
package import ISO7816
package import TestCards

/// A reader that loses a command with MAC2, or its answer.
package final class LossyReader: CardReader {
    package enum Loss: CaseIterable, Sendable {
        /// The card never gets it.
        case before
        /// The card did it.
        case after
        /// The card did it, and a refusal arrives in its answer's place.
        case answerReplaced
        /// A refusal arrives, and the card never gets it.
        case refusalMadeUp
    }

    package let card: TestCard
    package var loss: Loss?
    /// Called as a command with MAC2 arrives.
    package var arrived: () -> Void = {}
    /// Asked before and after each exchange: whether the power has gone.
    package var isOff: () -> Bool = { false }
    /// Commands with MAC2 that the card got.
    package private(set) var deliveries = 0

    package init(_ card: TestCard) { self.card = card }

    package func connect() throws(CardFault) { card.reset() }

    package func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        guard !isOff() else { throw .removed }
        let answer = try exchange(command)
        guard !isOff() else { throw .removed }
        return answer
    }

    private func exchange(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let bytes = [UInt8](copying: command)
        guard [[0x80, 0x52], [0x80, 0x54], [0xE0, 0x54]].contains(Array(bytes.prefix(2))) else {
            return card.send(bytes)
        }
        arrived()
        switch loss {
        case .before: throw .removed
        case .refusalMadeUp: return ResponseAPDU(status: .macInvalid)
        case nil, .after, .answerReplaced: break
        }
        deliveries += 1
        let answer = card.send(bytes)
        switch loss {
        case .after: throw .removed
        case .answerReplaced: return ResponseAPDU(status: .macInvalid)
        case nil, .before, .refusalMadeUp: return answer
        }
    }

    package func disconnect() {}
}
