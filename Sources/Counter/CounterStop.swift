import FuelPassbook
package import ISO7816
import Issuer
private import Quantities

/// Why the counter did not do what was asked, with what to do now.
package enum CounterStop: Error, Equatable, Sendable {
    /// There is no card, or it cannot be talked to. Nothing was authorised.
    case card(CardFault)
    /// Nothing was authorised, or what was is proved not done.
    case refused(String)
    /// What was given is not right for it. Nothing was authorised.
    case data(String)
    /// The book cannot be had or written.
    case book(String)
    /// Something authorised is without proof.
    case open(String)

    static func altered(_ path: String, _ reason: String) -> CounterStop {
        .book(
            "\(path) was altered, or is of another issuer's store (\(reason)): put back a good copy; nothing was done"
        )
    }

    static func answered(_ instruction: Instruction, _ status: StatusWord) -> CounterStop {
        let words =
            switch status {
            case .insufficientFunds: "the card does not have that much"
            case .purseIsGrey: "the card is grey: release it first with greylock counter unlock"
            case .commandNotAccepted: "the card does not take that now"
            case .counterAtMaximum: "a number of the card is used up: it needs a new card"
            case .applicationLockedForGood: "the card is locked for good: it needs a new card"
            case .functionNotSupported: "the card is blocked by its issuer"
            case .authenticationMethodBlocked: "the card takes no more tries"
            case .securityStatusNotSatisfied: "the card wants its PIN first: take it out, put it in and begin again"
            case .memoryFailure: "the card's memory failed: it needs a new card"
            case .macInvalid: "the card was made with other keys"
            case .conditionsOfUseNotSatisfied: "the card's conditions do not allow it"
            case _: "the card refuses"
            }
        return .refused("\(words) (\(instruction.name): \(status)); nothing was changed")
    }

    static func malformed(_ instruction: Instruction, _ error: ParseError) -> CounterStop {
        .refused("the card's answer to \(instruction.name) is none (\(error)): clean the card and try again")
    }

    static func issuer(_ error: IssuerError) -> CounterStop {
        switch error {
        case .keyNotLoaded(let index, let version):
            .refused(
                """
                the card has keys of index \(index.number), version \(version.number), which no store has that is named: name the store \
                that has them with --store, or take the newest copy of this one; nothing was changed
                """
            )
        case .balanceDoesNotAllow(let balance):
            .refused("the card has \(balance): the amount does not fit it; nothing was changed")
        case .algorithmNotSupported, .mac1Wrong, .mac3Wrong, .tacWrong: .refused("\(error); nothing was changed")
        }
    }
}
