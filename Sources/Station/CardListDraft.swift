import CardCryptography
import Codes
import StationInterface

/// A list of blocked cards that comes in parts.
struct CardListDraft {
    private var cards: [UInt8] = []
    private var parts = 0

    /// The part that came last, once more, does nothing: its answer may have been lost.
    mutating func take(_ part: Int, _ bytes: [UInt8]) -> RequestRefusal? {
        if part == 0 { (cards, parts) = ([], 0) }
        if part > 0, part == parts - 1 { return nil }
        guard part == parts else {
            return RequestRefusal(.listWrong, "part \(parts) is next, and not \(part): begin with part 0 again")
        }
        guard cards.count + bytes.count <= BlockedCardsFile.cardsMax * BlockedCardsFile.numberBytesCount else {
            return RequestRefusal(.listWrong, "a list has at most \(BlockedCardsFile.cardsMax) cards")
        }
        cards += bytes
        parts += 1
        return nil
    }

    /// The whole list, when it is what was said of it.
    func whole(count: Int, _ digest: [UInt8]) -> Result<[UInt8], RequestRefusal> {
        let cards = count == 0 ? [] : cards
        guard cards.count == count * BlockedCardsFile.numberBytesCount, SHA256.digest(of: cards) == digest else {
            let came = cards.count / BlockedCardsFile.numberBytesCount
            return .failure(
                RequestRefusal(
                    .listWrong,
                    "\(came) cards came, with another count or SHA-256 than was said: send them again"
                )
            )
        }
        return .success(cards)
    }
}
