import CardApplication
import CardCryptography
import FuelPassbook
import ISO7816
import Quantities
import TestCards

/// Every way in which a command writes.
enum Write: CaseIterable, Sendable {
    case lock
    case debit
    case wrongGMAC
    case debitForUnlock
    case wrongPIN
    case rightPIN
    case rightPINAfterAWrongOne
    case credit
    case purchase
    case cashWithdrawal
    case unload
    case overdraftLimit
    case changePIN
    case wrongOldPIN
    case reloadPIN
    case wrongReloadMAC
    case unblockPIN
    case block
    case blockForGood
    case unblock
    case wrongBlockMAC
    case wrongCryptogram
    case rightCryptogram
    case rightCryptogramAfterAWrongOne

    static let amount = Amount(fen: 777)

    /// A right code that a counter guards commits its command after the lower counter.
    var commits: Int {
        switch self {
        case .debit, .rightPIN, .rightPINAfterAWrongOne, .changePIN, .reloadPIN, .unblockPIN, .block, .blockForGood,
            .unblock, .rightCryptogram, .rightCryptogramAfterAWrongOne:
            2
        case .lock, .wrongGMAC, .debitForUnlock, .wrongPIN, .credit, .purchase, .cashWithdrawal, .unload,
            .overdraftLimit, .wrongOldPIN, .wrongReloadMAC, .wrongBlockMAC, .wrongCryptogram:
            1
        }
    }

    /// `card` with what the first of two commits has changed.
    func counted(_ card: CardImage) -> CardImage {
        var counted = card
        switch self {
        case .debit: counted.gmacTriesLeft -= 1
        case .rightPIN, .rightPINAfterAWrongOne, .changePIN: counted.pinTriesLeft -= 1
        case _: counted.upkeepTriesLeft -= 1
        }
        return commits == 2 ? counted : card
    }

    func prepare() throws -> (TestCard, [UInt8]) {
        let card = try TestCard()
        return (card, try prepare(on: card))
    }

    /// Brings the card to where the command writes; the command.
    func prepare(on card: TestCard) throws -> [UInt8] {
        switch self {
        case .lock:
            try card.bring(to: .prePetrol)
            return card.lock().apdu.bytes
        case .debit:
            try card.bring(to: .grey)
            return card.debit(Self.amount).apdu.bytes
        case .wrongGMAC:
            try card.bring(to: .grey)
            return damaged(card.debit(Self.amount).apdu)
        case .debitForUnlock:
            try card.bring(to: .unlocking)
            return card.debitForUnlock(Self.amount).apdu.bytes
        case .credit:
            try card.bring(to: .load)
            return card.credit().apdu.bytes
        case .purchase:
            try card.bring(to: .purchase)
            return card.debitForPurchase().apdu.bytes
        case .cashWithdrawal:
            try card.bring(to: .idle)
            try card.beginPurchase(cash: true)
            return card.debitForPurchase(.cashWithdrawal).apdu.bytes
        case .unload:
            try card.bring(to: .unload)
            return card.debitForUnload().apdu.bytes
        case .overdraftLimit:
            try card.bring(to: .modify)
            return card.updateOverdraftLimit().apdu.bytes
        case .wrongPIN, .rightPIN, .rightPINAfterAWrongOne, .changePIN, .wrongOldPIN, .reloadPIN, .wrongReloadMAC,
            .unblockPIN:
            return try preparePIN(on: card)
        case .block, .blockForGood, .unblock, .wrongBlockMAC, .wrongCryptogram, .rightCryptogram,
            .rightCryptogramAfterAWrongOne:
            return try prepareUpkeep(on: card)
        }
    }

    private func preparePIN(on card: TestCard) throws -> [UInt8] {
        let wrong: [UInt8] = [0x00, 0x20, 0x00, 0x00, 0x03, 0x12, 0x34, 0x50]
        try card.answer(TestCard.select.bytes, "SELECT")
        switch self {
        case .wrongPIN: return wrong
        case .rightPIN: return TestCard.verify
        case .rightPINAfterAWrongOne:
            _ = card.send(wrong)
            return TestCard.verify
        case .changePIN: return TestCard.changePIN
        case .wrongOldPIN: return [0x80, 0x5E, 0x01, 0x00, 0x07, 0x12, 0x34, 0x50, 0xFF, 0x65, 0x43, 0x21]
        case .reloadPIN: return card.reloadPIN
        case .wrongReloadMAC:
            var command = card.reloadPIN
            command[command.count - 1] ^= 1
            return command
        case _:
            try card.drawChallenge()
            return card.unblockPIN().apdu.bytes
        }
    }

    private func prepareUpkeep(on card: TestCard) throws -> [UInt8] {
        try card.answer(TestCard.select.bytes, "SELECT")
        try card.drawChallenge(8)
        switch self {
        case .block: return card.block().apdu.bytes
        case .blockForGood: return card.block(.permanent).apdu.bytes
        case .wrongBlockMAC: return damaged(card.block().apdu)
        case .wrongCryptogram: return damaged(card.externalAuthenticate().apdu)
        case .rightCryptogram: return card.externalAuthenticate().apdu.bytes
        case .rightCryptogramAfterAWrongOne:
            _ = card.send(damaged(card.externalAuthenticate().apdu))
            try card.drawChallenge(8)
            return card.externalAuthenticate().apdu.bytes
        case _:
            try card.answer(card.block().apdu.bytes, "APPLICATION BLOCK")
            try card.drawChallenge()
            return card.unblock().apdu.bytes
        }
    }

    /// With the last data bit wrong.
    private func damaged(_ command: CommandAPDU) -> [UInt8] {
        var command = command
        command.data[command.data.count - 1] ^= 1
        return command.bytes
    }
}
