package import FuelPassbook
package import ISO7816
package import SecurityModule

/// Why a card goes no further in its steps; each caller puts it in its own words.
package enum CardStop: Error, Equatable, Sendable {
    case card(CardFault)
    case answered(Instruction, StatusWord)
    case malformed(Instruction, ParseError)
    case module(SecurityModuleError)
    /// `9403`: the card has no key of the index by which this terminal asks.
    case noKey(KeyIndex)
    /// One more lock would leave the card no number to prove its debit with.
    case numbersUsedUp
}
