import FuelPassbook
import ISO7816

/// How many tries are left on the cards that have last answered a PIN as wrong, as far as this side has seen.
///
/// The passbook has no command that asks a card for its tries without taking one: what is known comes from the answers
/// to earlier PINs (`63Cx`), and is kept until the card takes a PIN, or the service ends.
struct WrongPINs {
    /// So many cards are kept; with one more, all are forgotten.
    static let cardsMax = 1_024

    private var left: [ApplicationSerialNumber: UInt8] = [:]

    /// nil when the card has not answered a PIN as wrong since it last took one.
    func triesLeft(of card: ApplicationSerialNumber) -> UInt8? { left[card] }

    /// - Parameter status: the answer to VERIFY.
    mutating func note(_ status: StatusWord, of card: ApplicationSerialNumber) {
        if status == .success {
            left[card] = nil
        } else if let triesLeft = status.triesLeft {
            if left[card] == nil, left.count >= Self.cardsMax { left.removeAll() }
            left[card] = triesLeft
        }
    }
}
