private import CardCryptography
package import FuelPassbook
package import Quantities

extension Issuer {
    /// Step 2.3: derives DULKK and SESULKK and checks MAC1 of INITIALIZE FOR UNLOCK.
    package func verifyMAC1(
        card: ApplicationSerialNumber,
        command: InitializeForUnlock,
        answer: InitializeForUnlock.Response
    ) throws(IssuerError) -> AuthenticatedUnlock {
        let masters = try masters(command.keyIndex, answer.keyVersion, answer.algorithm)
        let key = UnlockKey(master: masters.scheme[.greyUnlock], card: card)
            .session(icc: answer.icc, online: answer.online)
        guard key.mac1(balance: answer.balance, terminal: command.terminal).isValid(answer.mac1) else {
            throw .mac1Wrong
        }
        return AuthenticatedUnlock(
            key: key,
            terminal: command.terminal,
            online: answer.online,
            balance: answer.balance
        )
    }
}

/// MAC1 was right: a grey card of this scheme. The issuer decides the amount.
package struct AuthenticatedUnlock: ~Copyable, Sendable {
    private let key: UnlockSessionKey
    private let terminal: TerminalID
    private let online: OnlineNumber
    package let balance: Amount

    init(key: consuming UnlockSessionKey, terminal: TerminalID, online: OnlineNumber, balance: Amount) {
        self.key = key
        self.terminal = terminal
        self.online = online
        self.balance = balance
    }

    /// MAC2, with which the card pays `amount` and is free again. `time` is the issuer's.
    ///
    /// - Throws: `.balanceDoesNotAllow` for more than the card has.
    package consuming func makeMAC2(amount: Amount, time: TransactionTime) throws(IssuerError) -> AuthorisedUnlock {
        guard let after = balance.subtracting(amount) else { throw .balanceDoesNotAllow(balance) }
        let mac2 = key.mac2(amount: amount, terminal: terminal, time: time)
        let expected = key.mac3(balance: after, online: online, amount: amount, terminal: terminal, time: time)
        return AuthorisedUnlock(
            command: DebitForUnlock(amount: amount, time: time, mac2: mac2),
            balance: after,
            expected: expected,
            otherwise: .mac3Wrong
        )
    }
}

/// MAC2 is made: DEBIT FOR UNLOCK may be on its way, and the card free or still grey.
package typealias AuthorisedUnlock = Authorised<DebitForUnlock>
