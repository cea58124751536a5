private import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

extension CardApplication {
    mutating func initializeForUpdate(
        _ command: InitializeForUpdate
    ) throws(StatusWord)
        -> InitializeForUpdate.Response
    {
        try checkOnline(command.keyIndex)
        let icc = newICC()
        pending = .modify(icc: icc, terminal: command.terminal)
        let mac1 = keys.overdraft.session(icc: icc, online: image.online)
            .mac1(balance: image.balance, limit: image.overdraftLimit, terminal: command.terminal)
        return InitializeForUpdate.Response(
            balance: image.balance,
            online: image.online,
            overdraftLimit: image.overdraftLimit,
            keyVersion: image.keyVersion,
            algorithm: .tripleDES,
            icc: icc,
            mac1: mac1
        )
    }

    /// Limit, balance, number and log in one commit: the balance moves by the limit's difference. A limit below what is
    /// already spent is `6985`. A wrong MAC2 does not count against the card.
    mutating func updateOverdraftLimit(
        _ command: UpdateOverdraftLimit
    ) throws(StatusWord)
        -> UpdateOverdraftLimit.Response
    {
        guard case .modify(let icc, let terminal) = pending else { throw .conditionsOfUseNotSatisfied }
        let session = keys.overdraft.session(icc: icc, online: image.online)
        let expected = session.mac2(limit: command.limit, terminal: terminal, time: command.time)
        guard expected.isValid(command.mac2) else { throw .macInvalid }
        guard let balance = image.balance.moved(from: image.overdraftLimit, to: command.limit) else {
            throw .conditionsOfUseNotSatisfied
        }
        let tac = keys.tac.overdraft(
            balance: balance,
            online: image.online,
            limit: command.limit,
            terminal: terminal,
            time: command.time
        )
        var next = image
        next.balance = balance
        next.overdraftLimit = command.limit
        try commitOnline(
            next,
            amount: .zero,
            type: .overdraft,
            terminal: terminal,
            time: command.time,
            mac: command.mac2,
            tac: tac
        )
        return UpdateOverdraftLimit.Response(tac: tac)
    }
}
