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
        // Its seal opens without the card's key, and MAC4 of a card that has paid could not be judged.
        do throws(SecurityModuleError) { try module.requireKey(grey.gmac.key) } catch {
            throw .refused(.module(error))
        }
        display.show(.calling, .settlingEarlierSale(grey.amount))
        _ = try visit.verifiedPIN()
        var (record, release) = try localUnlockRecord(of: grey, status)
        let attempt = grey.debits.next(
            try debiting.attempt(
                of: grey.card,
                as: .localUnlock,
                ttc: release.debits.last?.ttc ?? module.ttc(for: record.number)
            )
        )
        release.send(attempt)
        record.content = .release(release)
        try books.commit(JournalEntry(record, grey: grey))
        // 3.4 to 3.6
        let outcome = try debiting.send(grey.gmac, ctc: status.ctc, attempt, among: grey.debits)
        if case .lost(let answered?) = outcome {
            release.note(answered)
            record.content = .release(release)
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
    ) throws(Interruption) -> (Record, Release) {
        if let open = try earlier.openUnlock(of: grey) { return open }
        let time = try books.stored { (_) throws(StorageFault) in try books.stampTime() }
        let sale = try earlier.believedSale(of: grey)
        let number = try books.takeNumber()
        let standing = CardStanding(
            card: grey.card,
            key: grey.gmac.key,
            // A grey purse changes by its debit alone, and MAC3 proved this balance; no code covers the status's.
            balance: grey.balance ?? sale?.balanceBefore ?? status.balance,
            ctc: grey.ctc
        )
        let lock = Lock(standing, mac3: grey.mac3, tac: status.lockTAC.bytes)
        let release = Release(of: grey, earlier.origin(of: sale), lock)
        var record = books.newRecord(number, time, .release(release))
        record.totaliser = books.totaliser
        record.remark = grey.origin
        return (record, release)
    }
}
