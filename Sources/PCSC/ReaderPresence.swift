package import ISO7816

/// What was last said of a reader: turns what is seen into events, each said once.
package struct ReaderPresence {
    private enum State {
        /// Nothing was said yet.
        case unsaid
        /// With what was said about it.
        case lost(String)
        /// With the count of cards that came or went.
        case empty(cardEvents: UInt16)
        case occupied(cardEvents: UInt16)
    }

    private var state = State.unsaid

    package init() {}

    /// The card that was in it is gone with the reader. Another cause is said anew.
    package mutating func lost(_ advice: String) -> [ReaderEvent] {
        if case .lost(advice) = state { return [] }
        state = .lost(advice)
        return [.lost(advice)]
    }

    /// - Parameter cardEvents: another count with the card still present means that it left and came, or another did.
    package mutating func seen(isCardPresent: Bool, cardEvents: UInt16) -> [ReaderEvent] {
        let before = state
        state = isCardPresent ? .occupied(cardEvents: cardEvents) : .empty(cardEvents: cardEvents)
        switch before {
        case .unsaid: return isCardPresent ? [.cardInserted] : []
        case .lost: return isCardPresent ? [.back, .cardInserted] : [.back]
        case .empty: return isCardPresent ? [.cardInserted] : []
        case .occupied(let counted):
            guard isCardPresent else { return [.cardRemoved] }
            return counted == cardEvents ? [] : [.cardRemoved, .cardInserted]
        }
    }
}
