package import ISO7816

/// Every command of the fuel passbook (spec/grey-lock.md, section 3; spec/passbook.md). What is known of one stands in its
/// row.
package enum Instruction: UInt8, CaseIterable, Sendable {
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

    /// What P1 and P2 vary is zero in it.
    package var header: CommandHeader { row.header }

    /// The command's name in the source.
    package var name: String { row.name }

    /// The lengths that Lc may have.
    package var dataLengths: ClosedRange<Int> { row.data.length }

    /// What a successful answer carries.
    package var answer: Answer { row.answer.length }

    /// Whether the command's data hold a PIN in clear: they are read where they lie and never copied.
    package var carriesPIN: Bool { row.secrets != nil }

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
        guard let match = sameInstruction.first(where: { $0.row.accepts(header) }) else { throw .incorrectParameters }
        self = match
    }

    private static let byClass = Dictionary(grouping: allCases, by: \.header.cla)
        .mapValues { Dictionary(grouping: $0, by: \.header.ins) }
}
