import FuelPassbook
import ISO7816

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
    case petrol(icc: ICCRandom, terminal: TerminalID, ttc: TTC)
    case unlock(icc: ICCRandom, terminal: TerminalID)

    func state(grey: Bool) -> PurseState {
        switch self {
        case .none: grey ? .grey : .idle
        case .petrol: grey ? .grey : .prePetrol
        case .unlock: grey ? .unlocking : .idle
        }
    }
}

extension Instruction {
    /// Whether Table 1 accepts the command in `state`; commands that it does not list keep the state (D21).
    func isAccepted(in state: PurseState) -> Bool {
        switch self {
        case .select, .readBinary, .verify, .getBalance, .getTransactionProve: true
        case .initializeForPetrol: state != .grey && state != .unlocking
        case .lockForPetrol: state == .prePetrol
        case .debitForPetrol, .getGreyStatus: state == .grey
        case .initializeForUnlock: state == .grey || state == .unlocking
        case .debitForUnlock: state == .unlocking
        }
    }

    /// How a command that Table 1 refuses in `state` is answered (D5).
    func refusal(in state: PurseState) -> StatusWord {
        .commandNotAccepted
    }
}
