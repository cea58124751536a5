private import CardCryptography
package import FuelPassbook
package import Quantities

extension Issuer {
    /// Derives DUK and the session key and checks MAC1 of INITIALIZE FOR UPDATE.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForUpdate,
        answer: InitializeForUpdate.Response
    ) throws(IssuerError) -> AuthenticatedUpdate {
        let masters = try masters(command.keyIndex, answer.keyVersion, answer.algorithm)
        let key = OverdraftKey(master: masters.scheme[.overdraft], card: card)
            .session(icc: answer.icc, online: answer.online)
        let expected = key.mac1(balance: answer.balance, limit: answer.overdraftLimit, terminal: command.terminal)
        guard expected.isValid(answer.mac1) else { throw .mac1Wrong }
        return AuthenticatedUpdate(
            key: key,
            tac: TACKey(master: masters.scheme[.tac], card: card),
            terminal: command.terminal,
            online: answer.online,
            balance: answer.balance,
            limit: answer.overdraftLimit
        )
    }
}

/// MAC1 was right. The limit is the old one; the issuer may still refuse.
package struct AuthenticatedUpdate: ~Copyable, Sendable {
    private let key: OverdraftSessionKey
    private let tac: TACKey
    private let terminal: TerminalID
    private let online: OnlineNumber
    package let balance: Amount
    package let limit: OverdraftLimit

    init(
        key: consuming OverdraftSessionKey,
        tac: consuming TACKey,
        terminal: TerminalID,
        online: OnlineNumber,
        balance: Amount,
        limit: OverdraftLimit
    ) {
        self.key = key
        self.tac = tac
        self.terminal = terminal
        self.online = online
        self.balance = balance
        self.limit = limit
    }

    /// MAC2 of the new limit. `time` is the issuer's.
    ///
    /// - Throws: `.balanceDoesNotAllow` for a limit below what is already spent.
    package consuming func makeMAC2(
        limit new: OverdraftLimit,
        time: TransactionTime
    ) throws(IssuerError) -> AuthorisedUpdate {
        guard let after = balance.moved(from: limit, to: new) else { throw .balanceDoesNotAllow(balance) }
        let mac2 = key.mac2(limit: new, terminal: terminal, time: time)
        let expected = tac.overdraft(balance: after, online: online, limit: new, terminal: terminal, time: time)
        return AuthorisedUpdate(
            command: UpdateOverdraftLimit(limit: new, time: time, mac2: mac2),
            balance: after,
            expected: expected,
            otherwise: .tacWrong
        )
    }
}

/// MAC2 is made: UPDATE OVERDRAFT LIMIT may be on its way, and the limit changed or not.
package typealias AuthorisedUpdate = Authorised<UpdateOverdraftLimit>
