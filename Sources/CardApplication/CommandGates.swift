import FuelPassbook
import ISO7816

// Which commands pass which gate, before any of their own checks.

extension Instruction {
    /// Whether Table 1 accepts the command in `state`; commands that it does not list keep the state (D21).
    func isAccepted(in state: PurseState) -> Bool {
        switch self {
        case .select, .readBinary, .readRecord, .verify, .getChallenge, .externalAuthenticate, .internalAuthenticate,
            .changePIN, .reloadPIN, .unblockPIN, .blockApplication, .unblockApplication, .getBalance,
            .getTransactionProve:
            true
        case .initializeForLoad, .initializeForPurchase, .initializeForCashWithdrawal, .initializeForUnload,
            .initializeForUpdate, .initializeForPetrol:
            !state.isGrey
        case .creditForLoad: state == .load
        case .debitForPurchase: state == .purchase
        case .debitForUnload: state == .unload
        case .updateOverdraftLimit: state == .modify
        case .lockForPetrol: state == .prePetrol
        case .debitForPetrol, .getGreyStatus: state == .grey
        case .initializeForUnlock: state.isGrey
        case .debitForUnlock: state == .unlocking
        }
    }

    /// How a command that Table 1 refuses in `state` is answered (D5).
    func refusal(in state: PurseState) -> StatusWord {
        switch self {
        case .initializeForLoad, .creditForLoad, .initializeForPurchase, .initializeForCashWithdrawal,
            .debitForPurchase, .initializeForUnload, .debitForUnload, .initializeForUpdate, .updateOverdraftLimit:
            state.isGrey ? .purseIsGrey : .commandNotAccepted
        case .select, .readBinary, .readRecord, .verify, .getChallenge, .externalAuthenticate, .internalAuthenticate,
            .changePIN, .reloadPIN, .unblockPIN, .blockApplication, .unblockApplication, .getBalance,
            .getTransactionProve, .initializeForPetrol, .lockForPetrol, .debitForPetrol, .initializeForUnlock,
            .debitForUnlock, .getGreyStatus:
            .commandNotAccepted
        }
    }

    /// Which commands want the PIN verified first (D16; spec/passbook.md: before every INITIALIZE).
    var needsPIN: Bool {
        switch self {
        case .initializeForLoad, .initializeForPurchase, .initializeForCashWithdrawal, .initializeForUnload,
            .initializeForUpdate, .initializeForPetrol, .debitForPetrol, .initializeForUnlock:
            true
        case .select, .readBinary, .readRecord, .verify, .getChallenge, .externalAuthenticate, .internalAuthenticate,
            .changePIN, .reloadPIN, .unblockPIN, .blockApplication, .unblockApplication, .getBalance,
            .getTransactionProve, .creditForLoad, .debitForPurchase, .debitForUnload, .updateOverdraftLimit,
            .lockForPetrol, .debitForUnlock, .getGreyStatus:
            false
        }
    }

    /// Which commands an application refuses that its issuer blocked: all that begin a transaction or end one that is no
    /// settlement (decision 0008).
    var isRefusedWhileBlocked: Bool {
        switch self {
        case .initializeForLoad, .creditForLoad, .initializeForPurchase, .initializeForCashWithdrawal,
            .debitForPurchase, .initializeForUnload, .debitForUnload, .initializeForUpdate, .updateOverdraftLimit,
            .initializeForPetrol, .lockForPetrol:
            true
        case .select, .readBinary, .readRecord, .verify, .getChallenge, .externalAuthenticate, .internalAuthenticate,
            .changePIN, .reloadPIN, .unblockPIN, .blockApplication, .unblockApplication, .getBalance,
            .getTransactionProve, .debitForPetrol, .initializeForUnlock, .debitForUnlock, .getGreyStatus:
            false
        }
    }

    /// Which commands the issuer's upkeep counter closes when it has come to zero (decision 0008).
    var countsUpkeepTries: Bool {
        switch self {
        case .externalAuthenticate, .reloadPIN, .unblockPIN, .blockApplication, .unblockApplication: true
        case _: false
        }
    }
}

extension PurseState {
    /// The purse bears the grey mark.
    var isGrey: Bool { self == .grey || self == .unlocking }
}
