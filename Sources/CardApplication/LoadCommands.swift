import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

extension CardApplication {
    mutating func initializeForLoad(_ command: InitializeForLoad) throws(StatusWord) -> OnlineInitialization {
        try checkOnline(command.keyIndex)
        guard image.balance.adding(command.amount) != nil else { throw .conditionsOfUseNotSatisfied }
        let icc = newICC()
        pending = .load(icc: icc, amount: command.amount, terminal: command.terminal)
        let mac1 = keys.load.session(icc: icc, online: image.online)
            .mac1(balance: image.balance, amount: command.amount, terminal: command.terminal)
        return onlineInitialization(icc: icc, mac1: mac1)
    }

    /// Money, number and log in one commit. A wrong MAC2 does not count against the card.
    mutating func creditForLoad(_ command: CreditForLoad) throws(StatusWord) -> CreditForLoad.Response {
        guard case .load(let icc, let amount, let terminal) = pending, let balance = image.balance.adding(amount) else {
            throw .conditionsOfUseNotSatisfied
        }
        let session = keys.load.session(icc: icc, online: image.online)
        let expected = session.mac2(amount: amount, terminal: terminal, time: command.time)
        guard expected.isValid(command.mac2) else { throw .macInvalid }
        let tac = keys.tac.online(
            balance: balance,
            online: image.online,
            amount: amount,
            type: .load,
            terminal: terminal,
            time: command.time
        )
        var next = image
        next.balance = balance
        try commitOnline(
            next,
            amount: amount,
            type: .load,
            terminal: terminal,
            time: command.time,
            mac: command.mac2,
            tac: tac
        )
        return CreditForLoad.Response(tac: tac)
    }
}

// MARK: - What load, unload and the overdraft limit share

extension CardApplication {
    func checkOnline(_ keyIndex: KeyIndex) throws(StatusWord) {
        guard keyIndex == image.keyIndex else { throw .keyIndexNotSupported }
        guard image.online != .maximum else { throw .counterAtMaximum }
    }

    func onlineInitialization(icc: ICCRandom, mac1: MAC) -> OnlineInitialization {
        OnlineInitialization(
            balance: image.balance,
            online: image.online,
            keyVersion: image.keyVersion,
            algorithm: .tripleDES,
            icc: icc,
            mac1: mac1
        )
    }

    /// Counts up the online number, writes log and proof and commits `next`. The transaction has ended.
    mutating func commitOnline(
        _ next: CardImage,
        amount: Amount,
        type: TransactionType,
        terminal: TerminalID,
        time: TransactionTime,
        mac: MAC,
        tac: MAC
    ) throws(StatusWord) {
        guard let counted = image.online.next else { throw .counterAtMaximum }
        var next = next
        next.online = counted
        next.record(
            LogRecord(
                number: image.online.number,
                overdraftLimit: next.overdraftLimit,
                amount: amount,
                type: type,
                terminal: terminal,
                time: time
            ),
            proof: KeptProof(type: type, number: image.online.number, mac: mac.bytes, tac: tac.bytes)
        )
        try commit(next)
        pending = .none
    }
}
