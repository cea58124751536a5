import FuelPassbook
import GreyLock
import Metering
import Quantities
import Records
import SecurityModule

/// The refuel, steps 1.1 to 1.15 of the source (spec/grey-lock.md, section 5; spec/dispenser.md, section 3).
struct Refuel: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// - Parameter verified: the PIN, where the card has been asked for it in this visit.
    func run(_ card: PublicApplicationFile, _ verified: consuming PIN?) throws(Interruption) {
        try readiness.checkMayServe(card)
        let pin = try visit.verifiedPIN(verified)
        try readiness.beginAnew()

        // 1.1 to 1.9
        let card = try locking.run(card.asn, SaleBeginning.greyLock, target: target)
        var record = card.record
        let target = card.target
        try books.commit(JournalEntry(record))
        try earlier.closeNeverLocked(card.session.proof)
        let grant = LockGrant(session: card.session, pin: pin)
        // 1.10
        let fuelled = try flow.fuel(&record, grant, target)
        // 1.11
        try end(&record, grant.session.end(amount: record.amount), fuelled)
        // 1.12 to 1.15
        try settle(&record, grant.pin)
        if case .pumpFailed(let fault) = fuelled { throw .failure(.pump(fault)) }
    }

    /// Step 1.11.
    private func end(
        _ record: inout Record,
        _ due: SealedGMAC,
        _ fuelled: FuellingEnd
    ) throws(Interruption) {
        try books.take(.ended(due: due), &record)
        record.ended = books.endTime(after: record.begun)
        let totaliser = books.totaliser.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = totaliser
        let entry = JournalEntry(
            record,
            totaliser: totaliser,
            lock: flow.lock(after: fuelled, record),
            faults: record.newFaults
        )
        try books.commit(entry)
    }

    /// The most that this sale may deliver, in centilitres: the least of balance, preset and the side's limit.
    private func target(balance: Amount) throws(Interruption) -> Volume {
        let price = settings.unitPrice
        let needed = settings.leastBalance
        guard balance >= needed else { throw .refused(.notEnoughMoney(balance: balance, needed: needed)) }
        let affordable = price.centilitres(forFen: Int(balance.fen))
        return Volume(centilitres: min(affordable, settings.centilitresMax(within: settings.preset) ?? affordable))
    }
}
