/// Why a card cannot be talked to.
package enum CardFault: Error, Equatable, Sendable {
    /// The card left the reader.
    case removed
    /// Nothing was heard of the reader, or it failed; the text keeps the operation and its code.
    case reader(String)
    /// Another program holds the card, and will let it go or not; the text keeps the operation and its code.
    case inUse(String)
    /// There is a card but no chip answers: upside down, or dirty.
    case unresponsive(String)
    /// The card's bytes are no answer.
    case malformed(ParseError)
}

/// One reader and the card in it. Calls block; one thread makes them.
package protocol CardReader: AnyObject {
    /// Powers the card up and takes it for this process alone.
    func connect() throws(CardFault)

    /// Sends one command APDU and returns the card's answer; `61xx` and `6Cxx` are followed.
    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU

    /// Powers the card down and gives it back. Without a connection it does nothing.
    func disconnect()
}

/// What happens at a reader.
package enum ReaderEvent: Equatable, Sendable {
    case cardInserted
    case cardRemoved
    /// The reader is gone; the text says what to do.
    case lost(String)
    case back
}

extension CardFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .removed: "the card was removed"
        case .reader(let reason): "card reader: \(reason)"
        case .inUse(let reason): "another program uses the card: end it (\(reason))"
        case .unresponsive(let reason): "the card does not answer: \(reason)"
        case .malformed(let error): "the card's answer is not one: \(error)"
        }
    }
}
