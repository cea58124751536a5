package import CardCryptography
package import FuelPassbook
package import Quantities

/// What the issuer refuses.
package enum IssuerError: Error, Equatable, Sendable {
    /// No master keys of this index and version are loaded.
    case keyNotLoaded(KeyIndex, KeyVersion)
    /// The card asks for an algorithm other than 3DES.
    case algorithmNotSupported(AlgorithmID)
    /// The card did not prove that it holds this scheme's key.
    case mac1Wrong
    /// The card's proof of the unload or unlock is not the one that this session makes.
    case mac3Wrong
    /// The card's proof of the load or of the new limit is not the one that its transaction makes.
    case tacWrong
    /// The balance does not reach for it, or would not fit.
    case balanceDoesNotAllow(Amount)
}

extension IssuerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .keyNotLoaded(let index, let version):
            "no master keys of index \(index.number), version \(version.number) are loaded"
        case .algorithmNotSupported(let algorithm): "the card wants algorithm \(algorithm.number), only 0 is known"
        case .mac1Wrong: "MAC1 of the card is wrong: not a card of this scheme"
        case .mac3Wrong: "MAC3 of the card is wrong: the transaction is not proven"
        case .tacWrong: "TAC of the card is wrong: the transaction is not proven"
        case .balanceDoesNotAllow(let balance): "a balance of \(balance.fen) fen does not allow it"
        }
    }
}

/// The scheme's master keys by index and version.
package struct IssuerKeys: Sendable {
    package static let keysMax = 32

    private struct Reference: Hashable {
        let index: KeyIndex
        let version: KeyVersion
    }

    private var keys: [Reference: Masters] = [:]

    package init() {}

    /// Takes over the keys.
    package mutating func load(_ scheme: consuming SchemeKeys, index: KeyIndex, version: KeyVersion) {
        precondition(keys.count < Self.keysMax)
        keys[Reference(index: index, version: version)] = Masters(scheme)
    }

    func masters(_ index: KeyIndex, _ version: KeyVersion) throws(IssuerError) -> Masters {
        guard let found = keys[Reference(index: index, version: version)] else { throw .keyNotLoaded(index, version) }
        return found
    }
}

final class Masters: Sendable {
    let scheme: SchemeKeys

    init(_ scheme: consuming SchemeKeys) { self.scheme = scheme }
}

/// The issuer's side of the transactions that need it, with every master key in locked memory.
///
/// Each is a value that its steps consume, as in the security module: `verifyMAC1` -> authenticated -> `makeMAC2` ->
/// ``Authorised`` -> `verify`. The session key lives in it and is wiped when the value ends.
package final class Issuer: Sendable {
    private let keys: IssuerKeys

    package init(keys: IssuerKeys) { self.keys = keys }

    /// Judges a TAC that comes later than its session: from an uploaded record, or from GET TRANSACTION PROVE.
    ///
    /// - Parameters:
    ///   - balance: after the transaction.
    ///   - online: before it counted up.
    ///   - type: load, unload or online unlock.
    package func isTACValid(
        _ tac: MAC,
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        balance: Amount,
        online: OnlineNumber,
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime
    ) throws(IssuerError) -> Bool {
        let masters = try keys.masters(keyIndex, keyVersion)
        return TACKey(master: masters.scheme[.tac], card: card)
            .online(balance: balance, online: online, amount: amount, type: type, terminal: terminal, time: time)
            .isValid(tac)
    }

    /// Judges the TAC of a debit by a terminal, from its record: a refuel, a local unlock, a purchase or a withdrawal.
    package func isDebitTACValid(
        _ tac: MAC,
        card: ApplicationSerialNumber,
        keyIndex: KeyIndex,
        keyVersion: KeyVersion,
        debit: TerminalDebit
    ) throws(IssuerError) -> Bool {
        let masters = try keys.masters(keyIndex, keyVersion)
        return TACKey(master: masters.scheme[.tac], card: card)
            .debit(
                amount: debit.amount,
                type: debit.type,
                terminal: debit.terminal,
                ttc: debit.ttc,
                time: debit.time
            )
            .isValid(tac)
    }

    func masters(
        _ index: KeyIndex,
        _ version: KeyVersion,
        _ algorithm: AlgorithmID
    ) throws(IssuerError) -> Masters {
        guard algorithm == .tripleDES else { throw .algorithmNotSupported(algorithm) }
        return try keys.masters(index, version)
    }
}

/// What a debit's TAC covers.
package struct TerminalDebit: Equatable, Sendable {
    package let amount: Amount
    package let type: TransactionType
    package let terminal: TerminalID
    package let ttc: TTC
    package let time: TransactionTime

    package init(amount: Amount, type: TransactionType, terminal: TerminalID, ttc: TTC, time: TransactionTime) {
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.ttc = ttc
        self.time = time
    }
}
