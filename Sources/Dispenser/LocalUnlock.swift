import CardCryptography
import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// Local unlock, steps 3.1 to 3.7.
struct LocalUnlock: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// A grey card is in the reader: pays the sale that this terminal has a record of.
    func run(_ card: PublicApplicationFile, _ status: GetGreyStatus.Response) throws(Interruption) {
        // 3.3
        let known = try books.openGreyRecords(of: card.asn)
        guard var grey = known.first(where: { status.mac3.isValid(MAC(bytes: $0.mac3)) }) else {
            throw .refused(try books.refusalWithoutGreyRecord(card.asn))
        }
        try debiting.requireKey(of: grey.gmac)
        display.show(.calling, .settlingEarlierSale(grey.amount))
        _ = try visit.verifiedPIN()
        var record = try localUnlockRecord(of: grey, status)
        let attempt = grey.debits.next(
            try debiting.attempt(
                of: grey.card,
                as: .localUnlock,
                ttc: record.debits.last?.ttc ?? module.ttc(for: record.number)
            )
        )
        try books.stored { (_) throws(StorageFault) in
            try grey.send(attempt)
            try record.take(.sending(attempt))
        }
        try books.commit(JournalEntry(record, grey: grey))
        // 3.4 to 3.6
        let outcome = try debiting.send(grey.gmac, ctc: status.ctc, attempt, among: grey.debits)
        if case .lost(let answered?) = outcome {
            try books.take(.answered(answered), &record)
            try books.commit(JournalEntry(record))
        }
        switch outcome {
        case .paid(let proof):
            // 3.7
            try earlier.settle(grey, by: proof, .completed)
        case .refused(.memoryFailure):
            // The card has paid or not: its next visit tells.
            throw .refused(.debitUnproven(grey.amount))
        case .refused(let answer):
            // The record stays open until the card is seen grey again, or proves that it paid.
            record.remark = "DEBIT FOR PETROL was answered \(answer)"
            try books.commit(JournalEntry(record))
            throw .refused(Refusal(of: .debitForPetrol, answer))
        case .lost:
            // An answer that was heard and proves nothing: the card may still prove what it did.
            guard
                visit.presence == .connected,
                let proof = try debiting.proof(under: grey.gmac, grey.debits)
            else {
                throw .refused(.debitUnproven(grey.amount))
            }
            try earlier.settle(grey, by: proof, .completed)
        }
    }

    /// The record of this local unlock: the one that an earlier attempt left open, or a new one.
    private func localUnlockRecord(
        of grey: GreyRecord,
        _ status: GetGreyStatus.Response
    ) throws(Interruption) -> Record {
        if let (open, _) = try earlier.openUnlock(of: grey) { return open }
        let time = try books.stored { (_) throws(StorageFault) in try books.stampTime() }
        let sale = try earlier.believedSale(of: grey)
        let number = try books.takeNumber()
        // A grey purse changes by its debit alone, and MAC3 proved this balance; no code covers the status's.
        let balance = grey.balance ?? sale?.balanceBefore ?? status.balance
        let origin = earlier.origin(of: sale)
        var record = books.newRecord(
            number,
            time,
            .release(of: grey, origin, balance: balance, tac: status.lockTAC.bytes)
        )
        record.totaliser = books.totaliser
        record.remark = grey.origin
        return record
    }
}
