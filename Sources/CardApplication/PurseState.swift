import FuelPassbook
import Quantities

/// The eight states of Table 1.
package enum PurseState: String, CaseIterable, Sendable {
    case idle
    case load
    case purchase
    case unload
    case modify
    case prePetrol = "pre-petrol"
    case grey
    case unlocking
}

/// What the card forgets when it loses power: the transaction that was begun, with the data that its session key is
/// made from. The grey mark is not here; it decides over this (D8).
enum PendingTransaction: Equatable {
    case none
    case load(icc: ICCRandom, amount: Amount, terminal: TerminalID)
    /// `type` is purchase or cash withdrawal.
    case purchase(icc: ICCRandom, amount: Amount, terminal: TerminalID, type: TransactionType)
    case unload(icc: ICCRandom, amount: Amount, terminal: TerminalID)
    case modify(icc: ICCRandom, terminal: TerminalID)
    case petrol(icc: ICCRandom, terminal: TerminalID, ttc: TTC)
    case unlock(icc: ICCRandom, terminal: TerminalID)

    func state(grey: Bool) -> PurseState {
        switch self {
        case .none: grey ? .grey : .idle
        case .load: grey ? .grey : .load
        case .purchase: grey ? .grey : .purchase
        case .unload: grey ? .grey : .unload
        case .modify: grey ? .grey : .modify
        case .petrol: grey ? .grey : .prePetrol
        case .unlock: grey ? .unlocking : .idle
        }
    }
}
