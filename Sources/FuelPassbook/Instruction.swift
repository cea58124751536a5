package import ISO7816

/// Every command of the fuel passbook with its header and lengths (spec/grey-lock.md, section 3; spec/passbook.md).
package enum Instruction: CaseIterable, Sendable {
    case select
    case readBinary
    case readRecord
    case verify
    case getChallenge
    case externalAuthenticate
    case internalAuthenticate
    case changePIN
    case reloadPIN
    case unblockPIN
    case blockApplication
    case unblockApplication
    case getBalance
    case getTransactionProve
    case initializeForLoad
    case creditForLoad
    case initializeForPurchase
    case initializeForCashWithdrawal
    case debitForPurchase
    case initializeForUnload
    case debitForUnload
    case initializeForUpdate
    case updateOverdraftLimit
    case initializeForPetrol
    case lockForPetrol
    case debitForPetrol
    case initializeForUnlock
    case debitForUnlock
    case getGreyStatus

    /// The header. In READ BINARY, P1 carries the file and P2 the offset; in READ RECORD, P1 the record and P2 the file; in
    /// GET TRANSACTION PROVE, P2 is the type; in APPLICATION BLOCK, P2 says for how long.
    package var header: CommandHeader {
        switch self {
        case .select: CommandHeader(0x00, 0xA4, 0x04, 0x00)
        case .readBinary: CommandHeader(0x00, 0xB0, 0x80, 0x00)
        case .readRecord: CommandHeader(0x00, 0xB2, 0x00, 0x04)
        case .verify: CommandHeader(0x00, 0x20, 0x00, 0x00)
        case .getChallenge: CommandHeader(0x00, 0x84, 0x00, 0x00)
        case .externalAuthenticate: CommandHeader(0x00, 0x82, 0x00, 0x00)
        case .internalAuthenticate: CommandHeader(0x00, 0x88, 0x00, 0x00)
        case .changePIN: CommandHeader(0x80, 0x5E, 0x01, 0x00)
        case .reloadPIN: CommandHeader(0x80, 0x5E, 0x00, 0x00)
        case .unblockPIN: CommandHeader(0x84, 0x24, 0x00, 0x01)
        case .blockApplication: CommandHeader(0x84, 0x1E, 0x00, 0x00)
        case .unblockApplication: CommandHeader(0x84, 0x18, 0x00, 0x00)
        case .getBalance: CommandHeader(0x80, 0x5C, 0x00, 0x01)
        case .getTransactionProve: CommandHeader(0x80, 0x5A, 0x00, 0x00)
        case .initializeForLoad: CommandHeader(0x80, 0x50, 0x00, 0x01)
        case .creditForLoad: CommandHeader(0x80, 0x52, 0x00, 0x00)
        case .initializeForPurchase: CommandHeader(0x80, 0x50, 0x01, 0x01)
        case .initializeForCashWithdrawal: CommandHeader(0x80, 0x50, 0x02, 0x01)
        case .debitForPurchase: CommandHeader(0x80, 0x54, 0x01, 0x00)
        case .initializeForUnload: CommandHeader(0x80, 0x50, 0x05, 0x01)
        case .debitForUnload: CommandHeader(0x80, 0x54, 0x03, 0x00)
        case .initializeForUpdate: CommandHeader(0x80, 0x50, 0x04, 0x01)
        case .updateOverdraftLimit: CommandHeader(0x80, 0x58, 0x00, 0x00)
        case .initializeForPetrol: CommandHeader(0xE0, 0x50, 0x01, 0x01)
        case .lockForPetrol: CommandHeader(0xE0, 0x50, 0x02, 0x01)
        case .debitForPetrol: CommandHeader(0xE0, 0x54, 0x01, 0x00)
        case .initializeForUnlock: CommandHeader(0xE0, 0x50, 0x03, 0x01)
        case .debitForUnlock: CommandHeader(0xE0, 0x54, 0x01, 0x01)
        case .getGreyStatus: CommandHeader(0xE0, 0x50, 0x04, 0x01)
        }
    }

    /// The command's name in the source.
    package var name: String {
        switch self {
        case .select: "SELECT"
        case .readBinary: "READ BINARY"
        case .readRecord: "READ RECORD"
        case .verify: "VERIFY"
        case .getChallenge: "GET CHALLENGE"
        case .externalAuthenticate: "EXTERNAL AUTHENTICATE"
        case .internalAuthenticate: "INTERNAL AUTHENTICATE"
        case .changePIN: "CHANGE PIN"
        case .reloadPIN: "RELOAD PIN"
        case .unblockPIN: "PIN UNBLOCK"
        case .blockApplication: "APPLICATION BLOCK"
        case .unblockApplication: "APPLICATION UNBLOCK"
        case .getBalance: "GET BALANCE"
        case .getTransactionProve: "GET TRANSACTION PROVE"
        case .initializeForLoad: "INITIALIZE FOR LOAD"
        case .creditForLoad: "CREDIT FOR LOAD"
        case .initializeForPurchase: "INITIALIZE FOR PURCHASE"
        case .initializeForCashWithdrawal: "INITIALIZE FOR CASH WITHDRAW"
        case .debitForPurchase: "DEBIT FOR PURCHASE / CASH WITHDRAW"
        case .initializeForUnload: "INITIALIZE FOR UNLOAD"
        case .debitForUnload: "DEBIT FOR UNLOAD"
        case .initializeForUpdate: "INITIALIZE FOR UPDATE"
        case .updateOverdraftLimit: "UPDATE OVERDRAFT LIMIT"
        case .initializeForPetrol: "INITIALIZE FOR PETROL"
        case .lockForPetrol: "LOCK FOR PETROL"
        case .debitForPetrol: "DEBIT FOR PETROL"
        case .initializeForUnlock: "INITIALIZE FOR UNLOCK"
        case .debitForUnlock: "DEBIT FOR UNLOCK"
        case .getGreyStatus: "GET GREY STATUS"
        }
    }

    /// The lengths that Lc may have.
    package var dataLengths: ClosedRange<Int> {
        switch self {
        case .select: 5...16
        case .readBinary: 0...0
        case .readRecord: 0...0
        case .verify: PIN.lengths
        case .getChallenge: 0...0
        case .externalAuthenticate: only(ExternalAuthenticate.length)
        case .internalAuthenticate: only(InternalAuthenticate.length)
        case .changePIN: ChangePIN.lengths
        case .reloadPIN: ReloadPIN.lengths
        case .unblockPIN: only(UnblockPIN.length)
        case .blockApplication: only(BlockApplication.length)
        case .unblockApplication: only(UnblockApplication.length)
        case .getBalance: only(GetBalance.length)
        case .getTransactionProve: only(UInt16.length)
        case .initializeForLoad: only(InitializeForLoad.length)
        case .creditForLoad: only(CreditForLoad.length)
        case .initializeForPurchase: only(InitializeForPurchase.length)
        case .initializeForCashWithdrawal: only(InitializeForPurchase.length)
        case .debitForPurchase: only(DebitForPurchase.length)
        case .initializeForUnload: only(InitializeForUnload.length)
        case .debitForUnload: only(DebitForUnload.length)
        case .initializeForUpdate: only(InitializeForUpdate.length)
        case .updateOverdraftLimit: only(UpdateOverdraftLimit.length)
        case .initializeForPetrol: only(InitializeForPetrol.length)
        case .lockForPetrol: only(LockForPetrol.length)
        case .debitForPetrol: only(DebitForPetrol.length)
        case .initializeForUnlock: only(InitializeForUnlock.length)
        case .debitForUnlock: only(DebitForUnlock.length)
        case .getGreyStatus: only(GetGreyStatus.length)
        }
    }

    /// What a successful answer carries.
    package var answer: Answer {
        switch self {
        case .select: .variable
        case .readBinary: .variable
        case .readRecord: .variable
        case .verify: .none
        case .getChallenge: .oneOf(Challenge.lengths)
        case .externalAuthenticate: .none
        case .internalAuthenticate: .exactly(InternalAuthenticate.Response.length)
        case .changePIN: .none
        case .reloadPIN: .none
        case .unblockPIN: .none
        case .blockApplication: .none
        case .unblockApplication: .none
        case .getBalance: .exactly(GetBalance.Response.length)
        case .getTransactionProve: .exactly(TransactionProof.length)
        case .initializeForLoad: .exactly(InitializeForLoad.Response.length)
        case .creditForLoad: .exactly(CreditForLoad.Response.length)
        case .initializeForPurchase: .exactly(InitializeForPurchase.Response.length)
        case .initializeForCashWithdrawal: .exactly(InitializeForPurchase.Response.length)
        case .debitForPurchase: .exactly(DebitForPurchase.Response.length)
        case .initializeForUnload: .exactly(InitializeForUnload.Response.length)
        case .debitForUnload: .exactly(DebitForUnload.Response.length)
        case .initializeForUpdate: .exactly(InitializeForUpdate.Response.length)
        case .updateOverdraftLimit: .exactly(UpdateOverdraftLimit.Response.length)
        case .initializeForPetrol: .exactly(InitializeForPetrol.Response.length)
        case .lockForPetrol: .exactly(LockForPetrol.Response.length)
        case .debitForPetrol: .exactly(DebitForPetrol.Response.length)
        case .initializeForUnlock: .exactly(InitializeForUnlock.Response.length)
        case .debitForUnlock: .exactly(DebitForUnlock.Response.length)
        case .getGreyStatus: .exactly(GetGreyStatus.Response.length)
        }
    }

    /// Whether the command's data hold a PIN in clear: they are read where they lie and never copied.
    package var carriesPIN: Bool { self == .verify || self == .changePIN || self == .reloadPIN }

    package enum Answer: Equatable, Sendable {
        case none
        case exactly(Int)
        /// One of these lengths, as Le asks for it.
        case oneOf([Int])
        /// A length that depends on the card's content; Le says how much of it.
        case variable
    }

    /// The command that a header names.
    ///
    /// - Throws: `6E00` for an unknown class, `6D00` for an unknown instruction of it, `6A86` for unknown P1 P2.
    package init(_ header: CommandHeader) throws(StatusWord) {
        guard let sameClass = Self.byClass[header.cla] else { throw .classNotSupported }
        guard let sameInstruction = sameClass[header.ins] else { throw .instructionNotSupported }
        guard let match = sameInstruction.first(where: { $0.accepts(header) }) else { throw .incorrectParameters }
        self = match
    }

    private static let byClass = Dictionary(grouping: allCases, by: \.header.cla)
        .mapValues { Dictionary(grouping: $0, by: \.header.ins) }

    private func accepts(_ header: CommandHeader) -> Bool {
        switch self {
        case .readBinary: header.p1 & 0xE0 == 0x80
        case .readRecord: header.p2 & 0x07 == self.header.p2
        case .getTransactionProve: header.p1 == self.header.p1
        case .blockApplication: header.p1 == self.header.p1 && BlockDuration(rawValue: header.p2) != nil
        case _: header == self.header
        }
    }
}

private func only(_ length: Int) -> ClosedRange<Int> { length...length }
