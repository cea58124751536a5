private import CardCryptography
package import FuelPassbook
package import Quantities

extension Issuer {
    /// Derives DULK and the session key and checks MAC1 of INITIALIZE FOR UNLOAD.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForUnload,
        answer: InitializeForUnload.Response
    ) throws(IssuerError) -> AuthenticatedUnload {
        let masters = try masters(command.keyIndex, answer.keyVersion, answer.algorithm)
        let key = UnloadKey(master: masters.scheme[.unload], card: card).session(icc: answer.icc, online: answer.online)
        let expected = key.mac1(balance: answer.balance, amount: command.amount, terminal: command.terminal)
        guard expected.isValid(answer.mac1) else { throw .mac1Wrong }
        guard let balance = answer.balance.subtracting(command.amount) else {
            throw .balanceDoesNotAllow(answer.balance)
        }
        return AuthenticatedUnload(
            key: key,
            amount: command.amount,
            terminal: command.terminal,
            online: answer.online,
            balance: balance
        )
    }
}

/// MAC1 was right. Nothing is unloaded; the issuer may still refuse.
package struct AuthenticatedUnload: ~Copyable, Sendable {
    private let key: UnloadSessionKey
    package let amount: Amount
    private let terminal: TerminalID
    private let online: OnlineNumber
    private let balance: Amount

    init(
        key: consuming UnloadSessionKey,
        amount: Amount,
        terminal: TerminalID,
        online: OnlineNumber,
        balance: Amount
    ) {
        self.key = key
        self.amount = amount
        self.terminal = terminal
        self.online = online
        self.balance = balance
    }

    /// MAC2, with which the card gives the money up. `time` is the issuer's.
    package consuming func makeMAC2(time: TransactionTime) -> AuthorisedUnload {
        let mac2 = key.mac2(amount: amount, terminal: terminal, time: time)
        let expected = key.mac3(
            balance: balance,
            online: online,
            amount: amount,
            terminal: terminal,
            time: time
        )
        return AuthorisedUnload(
            command: DebitForUnload(time: time, mac2: mac2),
            balance: balance,
            expected: expected,
            otherwise: .mac3Wrong
        )
    }
}

/// MAC2 is made: DEBIT FOR UNLOAD may be on its way, and the card unloaded or not.
package typealias AuthorisedUnload = Authorised<DebitForUnload>
