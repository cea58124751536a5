private import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

extension CardApplication {
    /// Only the customer's own money is given back, not what the issuer lends (decision 0008).
    mutating func initializeForUnload(_ command: InitializeForUnload) throws(StatusWord) -> OnlineInitialization {
        try checkOnline(command.keyIndex)
        guard command.amount <= image.ownMoney else { throw .insufficientFunds }
        let icc = newICC()
        pending = .unload(icc: icc, amount: command.amount, terminal: command.terminal)
        let mac1 = keys.unload.session(icc: icc, online: image.online)
            .mac1(balance: image.balance, amount: command.amount, terminal: command.terminal)
        return onlineInitialization(icc: icc, mac1: mac1)
    }

    /// Money, number and log in one commit. A wrong MAC2 does not count against the card.
    mutating func debitForUnload(_ command: DebitForUnload) throws(StatusWord) -> DebitForUnload.Response {
        guard case .unload(let icc, let amount, let terminal) = pending else { throw .conditionsOfUseNotSatisfied }
        let session = keys.unload.session(icc: icc, online: image.online)
        let expected = session.mac2(amount: amount, terminal: terminal, time: command.time)
        guard expected.isValid(command.mac2) else { throw .macInvalid }
        guard let balance = image.balance.subtracting(amount) else { throw .insufficientFunds }
        let mac3 = session.mac3(
            balance: balance,
            online: image.online,
            amount: amount,
            terminal: terminal,
            time: command.time
        )
        let tac = keys.tac.online(
            balance: balance,
            online: image.online,
            amount: amount,
            type: .unload,
            terminal: terminal,
            time: command.time
        )
        var next = image
        next.balance = balance
        try commitOnline(
            next,
            amount: amount,
            type: .unload,
            terminal: terminal,
            time: command.time,
            mac: mac3,
            tac: tac
        )
        return DebitForUnload.Response(mac3: mac3)
    }
}
