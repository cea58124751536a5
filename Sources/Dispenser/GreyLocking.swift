import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// A card that steps 1.1 to 1.9 have locked for a sale.
struct LockedCard: ~Copyable {
    /// As it is on disk, in phase `intent`.
    var record: Record
    /// The next phase.
    let locked: LockTender.Locked
    let session: LockedSale
    /// The most that may flow.
    let target: Volume
}

/// Steps 1.1 to 1.9 of the source, for every sale that locks its card.
struct GreyLocking: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// - Parameters:
    ///   - tender: the sale's, on this lock.
    ///   - target: what may flow for the card's balance; throws where it does not reach.
    func run(
        _ card: ApplicationSerialNumber,
        _ tender: (LockTender) -> Tender,
        target: (_ balance: Amount) throws(Interruption) -> Volume
    ) throws(Interruption) -> LockedCard {
        // 1.1 to 1.4
        let number = try books.takeNumber()
        try books.keepQuestionNumber()
        let sale = try onCard { () throws(CardStop) in try purse.begin(card, number) }
        let target = try target(sale.standing.balance)
        try flow.checkNoEmergency()
        // 1.5
        let locking = sale.makeMAC2(time: try books.saleTime())
        var intent = locking.intent()
        var record = books.newSale(number, locking.time, tender(.intent(intent)))
        try books.commit(JournalEntry(record))
        // 1.6 to 1.9
        let session = try lock(&record, &intent, locking)
        guard let locked = intent.locked(session.proof) else { preconditionFailure("a session proves its own lock") }
        return LockedCard(record: record, locked: locked, session: session, target: target)
    }

    /// Steps 1.6 to 1.9. Whatever goes wrong after the command left, the card may be locked: the record becomes a grey
    /// record of zero, which also covers that it is not.
    private func lock(
        _ record: inout Record,
        _ intent: inout LockTender.Intent,
        _ locking: consuming LockingSale
    ) throws(Interruption) -> LockedSale {
        do throws(CardStop) {
            return try purse.lock(locking, tac: &intent.lock.tac)
        } catch {
            let (escape, remark): (LockTender.Escape, String) =
                switch error {
                case .card(.removed): (.left, "the card left before the lock was answered")
                case .module(let error): (.fault, error.description)
                case .card, .answered, .malformed, .numbersUsedUp: (.fault, "LOCK FOR PETROL failed")
                }
            try books.escape(&record, intent.unproven, escape, remark: remark)
            throw Interruption(error)
        }
    }
}
