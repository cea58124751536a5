import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// A card that steps 1.1 to 1.9 have locked for a sale.
struct LockedCard: ~Copyable {
    /// In phase `locked`, and on disk in phase `intent`.
    let record: Record
    let session: LockedSale
    /// The most that may flow.
    let target: Volume
}

/// Steps 1.1 to 1.9 of the source, for every sale that locks its card.
struct GreyLocking: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// - Parameters:
    ///   - beginning: the sale's, on this lock.
    ///   - target: what may flow for the card's balance; throws where it does not reach.
    func run(
        _ card: ApplicationSerialNumber,
        _ beginning: (LockTender.Intent) -> SaleBeginning,
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
        var record = books.newSale(number, locking.time, beginning(locking.intent()))
        try books.commit(JournalEntry(record))
        // 1.6 to 1.9
        let session = try lock(&record, locking)
        try books.take(.locked(session.proof), &record)
        return LockedCard(record: record, session: session, target: target)
    }

    /// Steps 1.6 to 1.9. Whatever goes wrong after the command left, the card may be locked: the record becomes a grey
    /// record of zero, which also covers that it is not.
    private func lock(
        _ record: inout Record,
        _ locking: consuming LockingSale
    ) throws(Interruption) -> LockedSale {
        var tac: [UInt8]?
        let session: LockedSale
        do throws(CardStop) { session = try purse.lock(locking, tac: &tac) } catch {
            let (escape, remark): (LockTender.Escape, String) =
                switch error {
                case .card(.removed): (.left, "the card left before the lock was answered")
                case .module(let error): (.fault, error.description)
                case .card, .answered, .malformed, .noKey, .numbersUsedUp: (.fault, "LOCK FOR PETROL failed")
                }
            if let tac { try books.take(.lockAnswered(tac: tac), &record) }
            try books.escape(&record, escape, remark: remark)
            throw Interruption(error)
        }
        if let tac { try books.take(.lockAnswered(tac: tac), &record) }
        return session
    }
}
