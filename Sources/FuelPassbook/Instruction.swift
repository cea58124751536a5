package import ISO7816

/// Every command of the fuel passbook with its header and lengths (spec/grey-lock.md, section 3; spec/passbook.md).
package enum Instruction: CaseIterable, Sendable {
    case select
    case readBinary
    case verify
    case getBalance
    case getTransactionProve
    case initializeForPetrol
    case lockForPetrol
    case debitForPetrol
    case initializeForUnlock
    case debitForUnlock
    case getGreyStatus

    /// The header. In READ BINARY, P1 carries the file and P2 the offset; in GET TRANSACTION PROVE, P2 is the type.
    package var header: CommandHeader {
        switch self {
        case .select: CommandHeader(0x00, 0xA4, 0x04, 0x00)
        case .readBinary: CommandHeader(0x00, 0xB0, 0x80, 0x00)
        case .verify: CommandHeader(0x00, 0x20, 0x00, 0x00)
        case .getBalance: CommandHeader(0x80, 0x5C, 0x00, 0x01)
        case .getTransactionProve: CommandHeader(0x80, 0x5A, 0x00, 0x00)
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
        case .verify: "VERIFY"
        case .getBalance: "GET BALANCE"
        case .getTransactionProve: "GET TRANSACTION PROVE"
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
        case .readBinary, .getBalance, .getGreyStatus: 0...0
        case .verify: 2...6
        case .getTransactionProve: 2...2
        case .initializeForPetrol: InitializeForPetrol.length...InitializeForPetrol.length
        case .lockForPetrol: LockForPetrol.length...LockForPetrol.length
        case .debitForPetrol: DebitForPetrol.length...DebitForPetrol.length
        case .initializeForUnlock: InitializeForUnlock.length...InitializeForUnlock.length
        case .debitForUnlock: DebitForUnlock.length...DebitForUnlock.length
        }
    }

    /// What a successful answer carries.
    package var answer: Answer {
        switch self {
        case .select, .readBinary: .variable
        case .verify: .none
        case .getBalance: .exactly(Amount.length)
        case .getTransactionProve: .exactly(TransactionProof.length)
        case .initializeForPetrol: .exactly(InitializeForPetrol.Response.length)
        case .lockForPetrol: .exactly(LockForPetrol.Response.length)
        case .debitForPetrol: .exactly(DebitForPetrol.Response.length)
        case .initializeForUnlock: .exactly(InitializeForUnlock.Response.length)
        case .debitForUnlock: .exactly(DebitForUnlock.Response.length)
        case .getGreyStatus: .exactly(GetGreyStatus.Response.length)
        }
    }

    package enum Answer: Equatable, Sendable {
        case none
        case exactly(Int)
        /// A length that depends on the card's content; Le says how much of it.
        case variable
    }

    /// The command that a header names.
    ///
    /// - Throws: `6E00` for an unknown class, `6D00` for an unknown instruction of it, `6A86` for unknown P1 P2.
    package init(_ header: CommandHeader) throws(StatusWord) {
        let sameClass = Self.allCases.filter { $0.header.cla == header.cla }
        guard !sameClass.isEmpty else { throw .classNotSupported }
        let sameInstruction = sameClass.filter { $0.header.ins == header.ins }
        guard !sameInstruction.isEmpty else { throw .instructionNotSupported }
        guard let match = sameInstruction.first(where: { $0.accepts(header) }) else { throw .incorrectParameters }
        self = match
    }

    private func accepts(_ header: CommandHeader) -> Bool {
        switch self {
        case .readBinary: header.p1 & 0xE0 == 0x80
        case .getTransactionProve: header.p1 == self.header.p1
        case _: header == self.header
        }
    }
}
