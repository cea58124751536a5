private import CardCryptography
import FuelPassbook
import ISO7816
import Quantities

// The fuel passbook's six commands, in the order of the source's steps (spec/grey-lock.md, sections 3, 5 and 6).

extension CardApplication {
    /// Step 1.2.
    mutating func initializeForPetrol(
        _ command: InitializeForPetrol
    ) throws(StatusWord)
        -> InitializeForPetrol.Response
    {
        guard command.keyIndex == image.keyIndex else { throw .keyIndexNotSupported }
        guard image.ctc != .maximum else { throw .counterAtMaximum }
        let icc = newICC()
        let session = keys.purchase.petrolSession(icc: icc, ctc: image.ctc, ttc: command.ttc)
        pending = .petrol(icc: icc, terminal: command.terminal, ttc: command.ttc)
        return InitializeForPetrol.Response(
            balance: image.balance,
            ctc: image.ctc,
            keyVersion: image.keyVersion,
            algorithm: .tripleDES,
            icc: icc,
            mac1: session.mac1(balance: image.balance, terminal: command.terminal)
        )
    }

    /// Steps 1.7 and 1.8. A wrong MAC2 does not count against the card (D20).
    mutating func lockForPetrol(_ command: LockForPetrol) throws(StatusWord) -> LockForPetrol.Response {
        guard case .petrol(let icc, let terminal, let ttc) = pending, let counted = image.ctc.next else {
            throw .conditionsOfUseNotSatisfied
        }
        let session = keys.purchase.petrolSession(icc: icc, ctc: image.ctc, ttc: ttc)
        guard session.mac2(terminal: terminal, time: command.time).isValid(command.mac2) else { throw .macInvalid }
        let lockTAC = keys.tac.lock(balance: image.balance, ctc: image.ctc, terminal: terminal, time: command.time)
        let mac3 = session.mac3(balance: image.balance, ctc: image.ctc, terminal: terminal, time: command.time)
        var next = image
        next.grey = GreyLock(
            icc: icc,
            ctc: image.ctc,
            terminal: terminal,
            ttc: ttc,
            time: command.time,
            mac2: command.mac2.bytes,
            mac3: mac3.bytes,
            lockTAC: lockTAC.bytes
        )
        next.ctc = counted
        try commit(next)
        pending = .none
        return LockForPetrol.Response(lockTAC: lockTAC, mac3: mac3)
    }

    /// Steps 1.13 and 1.14, and 3.5 and 3.6: money, mark and the counter's limit in one commit.
    mutating func debitForPetrol(_ command: DebitForPetrol) throws(StatusWord) -> DebitForPetrol.Response {
        guard let grey = image.grey, command.ctc == image.ctc else { throw .conditionsOfUseNotSatisfied }
        let session = keys.purchase.petrolSession(icc: grey.icc, ctc: grey.ctc, ttc: grey.ttc)
        var next = try takeTry(from: .gmac)
        guard session.gmac(amount: command.amount).isValid(command.gmac) else { throw .macInvalid }
        guard command.amount <= image.balance else {
            try commit(next)
            throw .insufficientFunds
        }
        let type = isLocalUnlockBegun ? TransactionType.localUnlock : .refuel
        let mac4 = keys.purchase.mac4(
            amount: command.amount,
            type: type,
            terminal: command.terminal,
            time: command.time
        )
        let tac = keys.tac.debit(
            amount: command.amount,
            type: type,
            terminal: command.terminal,
            ttc: command.ttc,
            time: command.time
        )
        next.balance = Amount(fen: image.balance.fen - command.amount.fen)
        next.grey = nil
        next.gmacTriesLeft = next.gmacTriesLimit
        next.record(
            LogRecord(
                number: grey.ctc.number,
                overdraftLimit: image.overdraftLimit,
                amount: command.amount,
                type: type,
                terminal: command.terminal,
                time: command.time
            ),
            proof: KeptProof(type: type, number: grey.ctc.number, mac: mac4.bytes, tac: tac.bytes)
        )
        try commit(next)
        pending = .none
        return DebitForPetrol.Response(debitTAC: tac, mac4: mac4)
    }

    /// Step 2.2.
    mutating func initializeForUnlock(
        _ command: InitializeForUnlock
    ) throws(StatusWord)
        -> InitializeForUnlock.Response
    {
        guard command.keyIndex == image.keyIndex else { throw .keyIndexNotSupported }
        guard image.online != .maximum else { throw .counterAtMaximum }
        let icc = newICC()
        let session = keys.unlock.session(icc: icc, online: image.online)
        pending = .unlock(icc: icc, terminal: command.terminal)
        return InitializeForUnlock.Response(
            balance: image.balance,
            online: image.online,
            keyVersion: image.keyVersion,
            algorithm: .tripleDES,
            icc: icc,
            mac1: session.mac1(balance: image.balance, terminal: command.terminal)
        )
    }

    /// Steps 2.7 and 2.8: money, number and mark in one commit. A wrong MAC2 does not count against the card (D20).
    mutating func debitForUnlock(_ command: DebitForUnlock) throws(StatusWord) -> DebitForUnlock.Response {
        guard case .unlock(let icc, let terminal) = pending, let counted = image.online.next else {
            throw .conditionsOfUseNotSatisfied
        }
        let session = keys.unlock.session(icc: icc, online: image.online)
        let expected = session.mac2(amount: command.amount, terminal: terminal, time: command.time)
        guard expected.isValid(command.mac2) else { throw .macInvalid }
        guard command.amount <= image.balance else { throw .insufficientFunds }
        let balance = Amount(fen: image.balance.fen - command.amount.fen)
        let mac3 = session.mac3(
            balance: balance,
            online: image.online,
            amount: command.amount,
            terminal: terminal,
            time: command.time
        )
        let tac = keys.tac.online(
            balance: balance,
            online: image.online,
            amount: command.amount,
            type: .onlineUnlock,
            terminal: terminal,
            time: command.time
        )
        var next = image
        next.balance = balance
        next.online = counted
        next.grey = nil
        next.record(
            LogRecord(
                number: image.online.number,
                overdraftLimit: image.overdraftLimit,
                amount: command.amount,
                type: .onlineUnlock,
                terminal: terminal,
                time: command.time
            ),
            proof: KeptProof(
                type: .onlineUnlock,
                number: image.online.number,
                mac: mac3.bytes,
                tac: tac.bytes
            )
        )
        try commit(next)
        pending = .none
        return DebitForUnlock.Response(mac3: mac3)
    }

    /// Step 3.2.
    mutating func getGreyStatus() throws(StatusWord) -> GetGreyStatus.Response {
        guard let grey = image.grey else { throw .commandNotAccepted }
        beginLocalUnlock()
        return GetGreyStatus.Response(
            balance: image.balance,
            ctc: image.ctc,
            online: image.online,
            mac3: MAC(bytes: grey.mac3),
            lockTAC: MAC(bytes: grey.lockTAC)
        )
    }
}
