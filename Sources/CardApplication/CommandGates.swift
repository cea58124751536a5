import FuelPassbook
import ISO7816

/// What a command must meet before any of its own checks.
struct Gate: Sendable {
    /// The states in which Table 1 accepts a command.
    enum Acceptance: Sendable {
        case always
        case unlessGrey
        case whileGrey
        case only(PurseState)
    }

    struct Wants: OptionSet, Sendable {
        let rawValue: UInt8

        /// The PIN verified (D16; spec/passbook.md: before every INITIALIZE).
        static let pin = Wants(rawValue: 1)
        /// An application that its issuer has not blocked: all that begin a transaction or end one that is no settlement
        /// (decision 0008).
        static let unblocked = Wants(rawValue: 2)
        /// Tries left of the issuer's upkeep counter (decision 0008).
        static let upkeepTries = Wants(rawValue: 4)
    }

    let acceptance: Acceptance
    /// What a grey purse answers to a command that Table 1 refuses; any other answers `6901` (D5).
    let refusalWhenGrey: StatusWord
    let wants: Wants

    init(_ acceptance: Acceptance, whenGrey refusal: StatusWord, wants: Wants) {
        self.acceptance = acceptance
        refusalWhenGrey = refusal
        self.wants = wants
    }

    /// A command that Table 1 does not list keeps the state (D21).
    init(wants: Wants) { self.init(.always, whenGrey: .commandNotAccepted, wants: wants) }

    func accepts(_ state: PurseState) -> Bool {
        switch acceptance {
        case .always: true
        case .unlessGrey: !state.isGrey
        case .whileGrey: state.isGrey
        case .only(let only): state == only
        }
    }

    func refusal(in state: PurseState) -> StatusWord { state.isGrey ? refusalWhenGrey : .commandNotAccepted }
}

extension Instruction {
    var gate: Gate {
        switch self {
        case .select: Gate(wants: [])
        case .readBinary: Gate(wants: [])
        case .readRecord: Gate(wants: [])
        case .verify: Gate(wants: [])
        case .getChallenge: Gate(wants: [])
        case .externalAuthenticate: Gate(wants: .upkeepTries)
        case .internalAuthenticate: Gate(wants: [])
        case .changePIN: Gate(wants: [])
        case .reloadPIN: Gate(wants: .upkeepTries)
        case .unblockPIN: Gate(wants: .upkeepTries)
        case .blockApplication: Gate(wants: .upkeepTries)
        case .unblockApplication: Gate(wants: .upkeepTries)
        case .getBalance: Gate(wants: [])
        case .getTransactionProve: Gate(wants: [])
        case .initializeForLoad: Gate(.unlessGrey, whenGrey: .purseIsGrey, wants: [.pin, .unblocked])
        case .creditForLoad: Gate(.only(.load), whenGrey: .purseIsGrey, wants: .unblocked)
        case .initializeForPurchase: Gate(.unlessGrey, whenGrey: .purseIsGrey, wants: [.pin, .unblocked])
        case .initializeForCashWithdrawal: Gate(.unlessGrey, whenGrey: .purseIsGrey, wants: [.pin, .unblocked])
        case .debitForPurchase: Gate(.only(.purchase), whenGrey: .purseIsGrey, wants: .unblocked)
        case .initializeForUnload: Gate(.unlessGrey, whenGrey: .purseIsGrey, wants: [.pin, .unblocked])
        case .debitForUnload: Gate(.only(.unload), whenGrey: .purseIsGrey, wants: .unblocked)
        case .initializeForUpdate: Gate(.unlessGrey, whenGrey: .purseIsGrey, wants: [.pin, .unblocked])
        case .updateOverdraftLimit: Gate(.only(.modify), whenGrey: .purseIsGrey, wants: .unblocked)
        case .initializeForPetrol: Gate(.unlessGrey, whenGrey: .commandNotAccepted, wants: [.pin, .unblocked])
        case .lockForPetrol: Gate(.only(.prePetrol), whenGrey: .commandNotAccepted, wants: .unblocked)
        case .debitForPetrol: Gate(.only(.grey), whenGrey: .commandNotAccepted, wants: .pin)
        case .initializeForUnlock: Gate(.whileGrey, whenGrey: .commandNotAccepted, wants: .pin)
        case .debitForUnlock: Gate(.only(.unlocking), whenGrey: .commandNotAccepted, wants: [])
        case .getGreyStatus: Gate(.only(.grey), whenGrey: .commandNotAccepted, wants: [])
        }
    }
}

extension PurseState {
    /// The purse bears the grey mark.
    var isGrey: Bool { self == .grey || self == .unlocking }
}
