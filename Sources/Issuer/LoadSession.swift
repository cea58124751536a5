private import CardCryptography
package import FuelPassbook
package import Quantities

extension Issuer {
    /// Derives DLK and the session key and checks MAC1 of INITIALIZE FOR LOAD.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForLoad,
        answer: InitializeForLoad.Response
    ) throws(IssuerError) -> AuthenticatedLoad {
        let masters = try masters(command.keyIndex, answer.keyVersion, answer.algorithm)
        let key = LoadKey(master: masters.scheme[.load], card: card).session(icc: answer.icc, online: answer.online)
        let expected = key.mac1(balance: answer.balance, amount: command.amount, terminal: command.terminal)
        guard expected.isValid(answer.mac1) else { throw .mac1Wrong }
        guard let balance = answer.balance.adding(command.amount) else { throw .balanceDoesNotAllow(answer.balance) }
        return AuthenticatedLoad(
            key: key,
            tac: TACKey(master: masters.scheme[.tac], card: card),
            amount: command.amount,
            terminal: command.terminal,
            online: answer.online,
            balance: balance
        )
    }
}

/// MAC1 was right. Nothing is loaded; the issuer may still refuse.
package struct AuthenticatedLoad: ~Copyable, Sendable {
    private let key: LoadSessionKey
    private let tac: TACKey
    package let amount: Amount
    private let terminal: TerminalID
    private let online: OnlineNumber
    private let balance: Amount

    init(
        key: consuming LoadSessionKey,
        tac: consuming TACKey,
        amount: Amount,
        terminal: TerminalID,
        online: OnlineNumber,
        balance: Amount
    ) {
        self.key = key
        self.tac = tac
        self.amount = amount
        self.terminal = terminal
        self.online = online
        self.balance = balance
    }

    /// MAC2, with which the card takes the money. `time` is the issuer's.
    package consuming func makeMAC2(time: TransactionTime) -> AuthorisedLoad {
        let mac2 = key.mac2(amount: amount, terminal: terminal, time: time)
        let expected = tac.online(
            balance: balance,
            online: online,
            amount: amount,
            type: .load,
            terminal: terminal,
            time: time
        )
        return AuthorisedLoad(
            command: CreditForLoad(time: time, mac2: mac2),
            balance: balance,
            expected: expected,
            otherwise: .tacWrong
        )
    }
}

/// MAC2 is made: CREDIT FOR LOAD may be on its way, and the card loaded or not.
package typealias AuthorisedLoad = Authorised<CreditForLoad>
