import FuelPassbook
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
struct GreyLocking: Procedure {
    let side: Parts

    /// - Parameters:
    ///   - tender: the sale's, on this lock.
    ///   - target: what may flow for the card's balance; throws where it does not reach.
    func run(
        _ card: ApplicationSerialNumber,
        _ tender: (LockTender) -> Tender,
        target: (_ balance: Amount) throws(Interruption) -> Volume
    ) throws(Interruption) -> LockedCard {
        // 1.1, 1.2
        let number = try books.takeNumber()
        let command = try petrol.beginSession(number)
        let answer = try visit.exchange(command)
        // 1.3, 1.4
        let authenticated = try petrol.verifyMAC1(card, command, answer)
        try petrol.checkNumbersLeft(answer.ctc)
        let target = try target(answer.balance)
        try flow.checkNoEmergency()
        // 1.5
        let locking = authenticated.makeMAC2(time: try books.saleTime())
        var intent = petrol.intent(card, command, answer, locking)
        var record = books.newSale(number, locking.time, tender(.intent(intent)))
        try books.commit(JournalEntry(record))
        // 1.6 to 1.9
        let session = try petrol.lock(&record, &intent, locking)
        guard let locked = intent.locked(session.proof) else { preconditionFailure("a session proves its own lock") }
        return LockedCard(record: record, locked: locked, session: session, target: target)
    }
}
