private import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

// Purchase (seed 002) and cash withdrawal; the step numbers are the seed's.

extension CardApplication {
    /// Step 1.2. `type` is purchase or cash withdrawal.
    mutating func initializeForPurchase(
        _ command: InitializeForPurchase,
        type: TransactionType
    ) throws(StatusWord) -> InitializeForPurchase.Response {
        guard command.keyIndex == image.keyIndex else { throw .keyIndexNotSupported }
        guard image.ctc != .maximum else { throw .counterAtMaximum }
        guard command.amount <= image.balance else { throw .insufficientFunds }
        let icc = newICC()
        pending = .purchase(icc: icc, amount: command.amount, terminal: command.terminal, type: type)
        return InitializeForPurchase.Response(
            balance: image.balance,
            ctc: image.ctc,
            overdraftLimit: image.overdraftLimit,
            keyVersion: image.keyVersion,
            algorithm: .tripleDES,
            icc: icc
        )
    }

    /// Steps 1.5 and 1.6: money, number and log in one commit. A wrong MAC1 does not count against the card.
    mutating func debitForPurchase(_ command: DebitForPurchase) throws(StatusWord) -> DebitForPurchase.Response {
        guard case .purchase(let icc, let amount, let terminal, let type) = pending, let counted = image.ctc.next else {
            throw .conditionsOfUseNotSatisfied
        }
        let session = keys.purchase.purchaseSession(icc: icc, ctc: image.ctc, ttc: command.ttc)
        let expected = session.mac1(amount: amount, type: type, terminal: terminal, time: command.time)
        guard expected.isValid(command.mac1) else { throw .macInvalid }
        guard amount <= image.balance else { throw .insufficientFunds }
        let mac2 = session.mac2(amount: amount)
        let tac = keys.tac.debit(amount: amount, type: type, terminal: terminal, ttc: command.ttc, time: command.time)
        var next = image
        next.balance = Amount(fen: image.balance.fen - amount.fen)
        next.ctc = counted
        next.record(
            LogRecord(
                number: image.ctc.number,
                overdraftLimit: image.overdraftLimit,
                amount: amount,
                type: type,
                terminal: terminal,
                time: command.time
            ),
            proof: KeptProof(type: type, number: image.ctc.number, mac: mac2.bytes, tac: tac.bytes)
        )
        try commit(next)
        pending = .none
        return DebitForPurchase.Response(tac: tac, mac2: mac2)
    }
}
