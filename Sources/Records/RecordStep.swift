package import CardCryptography
import FuelPassbook
package import Quantities

/// What a record begins as.
package enum RecordBeginning: Sendable {
    case sale(Delivery, SaleBeginning)
    /// Fuel that will go back into the tank.
    case test(Delivery)
    /// Of a grey record, with the balance before the lock and the TAC that GET GREY STATUS said.
    case release(of: GreyRecord, SaleOrigin, balance: Amount, tac: [UInt8])
    case notice(ReleaseNotice)
    case refund(Refund)

    var content: Content {
        switch self {
        case .sale(let delivery, .greyLock(let intent)): .sale(delivery, .greyLock(.intent(intent)))
        case .sale(let delivery, .prepaid(let intent)): .sale(delivery, .prepaid(.intent(intent)))
        case .sale(let delivery, .purchase(let purchase)): .sale(delivery, .purchase(.intent(purchase)))
        case .sale(let delivery, .nobodys): .sale(delivery, .none(isFlowing: true))
        case .test(let delivery): .test(delivery, isFlowing: true)
        case .release(let grey, let origin, let balance, let tac):
            .release(Release(of: grey, origin, balance: balance, tac: tac))
        case .notice(let notice): .notice(notice)
        case .refund(let refund): .refund(refund)
        }
    }
}

package enum SaleBeginning: Sendable {
    case greyLock(LockTender.Intent)
    case prepaid(LockTender.Intent)
    case purchase(Purchase)
    /// Fuel outside any sale.
    case nobodys
}

/// What moves a record to its next phase. Which steps a phase takes stands in one table for each tender, here, and for a local
/// unlock in `Release`; a record refuses every other, and every one that is of another lock or purchase than its own.
package enum RecordStep: Sendable {
    /// LOCK FOR PETROL was answered, with this TAC; MAC3 is judged after.
    case lockAnswered(tac: [UInt8])
    /// Step 1.9.
    case locked(ProvenLock)
    /// Step 1.11.
    case ended(due: SealedGMAC)
    /// Before a debit leaves.
    case sending(DebitAttempt)
    /// MAC4 was right, and the card has not shown that it is free.
    case answered(AnsweredDebit)
    /// Step 1.15 or 3.7.
    case paid(ProvenDebit)
    case escaped(LockTender.Escape)
    /// A crash: what is owed is the last checkpoint's, where there is one.
    case interrupted(checkpoint: SealedGMAC?)
    /// It is not known whether a card paid its purchase; with the TAC beside a wrong MAC2.
    case torn(tac: MAC?)
    case bought(ProvenPurchase)
    case neverBought(NumberUse)
    /// A prepaid sale is over.
    case delivered
    /// Fuel outside any sale, or of a test, has come to rest.
    case rested
    /// Another way out of a local unlock's lock was proven.
    case overtaken(by: GreyRecord)

    /// What the card's number was used for in fact.
    package enum NumberUse: Sendable {
        case lock(ProvenLock)
        case purchase(ProvenPurchase)
    }
}

extension Record {
    /// nil for a step that it does not take.
    package func after(_ step: RecordStep) -> Record? {
        next(step).map { Record(head, $0) }
    }

    /// - Throws: ``StorageFault`` for a step that it does not take; nothing is changed then.
    package mutating func take(_ step: RecordStep) throws(StorageFault) {
        guard let next = next(step) else { throw StorageFault(refusing: step.name, self) }
        content = next
    }

    /// Its card left, or failed, unpaid.
    ///
    /// - Parameter step: ``RecordStep/escaped(_:)`` or ``RecordStep/interrupted(checkpoint:)``.
    /// - Returns: its grey record: from now on the journal alone settles it.
    /// - Throws: ``StorageFault`` for a step that it does not take, or that leaves it no grey record.
    package mutating func leave(_ step: RecordStep) throws(StorageFault) -> GreyRecord {
        guard let next = next(step), case .escaped(let unpaid, _) = Record(head, next).lockTender else {
            throw StorageFault(refusing: step.name, self)
        }
        content = next
        return GreyRecord(of: number, unpaid)
    }

    /// What the card of a sale that has ended is to pay.
    ///
    /// - Throws: ``StorageFault`` of a record in any other phase.
    package func unpaid() throws(StorageFault) -> LockTender.Unpaid {
        guard case .unpaid(let unpaid) = lockTender else { throw StorageFault(refusing: "debit sent", self) }
        return unpaid
    }

    /// What the meter has counted for a sale whose fuel may flow.
    ///
    /// - Throws: ``StorageFault`` where none may.
    package mutating func measure(_ reading: MeterReading) throws(StorageFault) {
        guard let measured = measured(reading) else { throw StorageFault(refusing: "measured", self) }
        self = measured
    }

    /// The same; nil where none may.
    package func measured(_ reading: MeterReading) -> Record? {
        switch content {
        case .sale(var delivery, let tender):
            guard tender.mayFlow else { return nil }
            delivery.reading = reading
            return Record(head, .sale(delivery, tender))
        case .test(var delivery, isFlowing: true):
            delivery.reading = reading
            return Record(head, .test(delivery, isFlowing: true))
        case .test(_, isFlowing: false), .release, .notice, .refund: return nil
        }
    }

    private func next(_ step: RecordStep) -> Content? {
        switch content {
        case .sale(let delivery, .greyLock(let tender)):
            tender.after(step, ofProof: LockTender.settled).map { .sale(delivery, .greyLock($0)) }
        case .sale(let delivery, .prepaid(let tender)):
            tender.after(step, ofProof: LockTender.paid).map { .sale(delivery, .prepaid($0)) }
        case .sale(let delivery, .purchase(let tender)): tender.after(step).map { .sale(delivery, .purchase($0)) }
        case .sale(let delivery, .none(isFlowing: true)):
            if case .rested = step { .sale(delivery, .none(isFlowing: false)) } else { nil }
        case .test(let delivery, isFlowing: true):
            if case .rested = step { .test(delivery, isFlowing: false) } else { nil }
        case .release(let release): release.after(step).map { .release($0) }
        case .sale(_, .none(isFlowing: false)), .test(_, isFlowing: false), .notice, .refund: nil
        }
    }
}

extension LockTender {
    /// - Parameter ofProof: what a debit that is proven at once makes of the sale: it settles one that has flowed, and pays one
    ///   that is yet to flow.
    fileprivate func after(_ step: RecordStep, ofProof: (Paid) -> LockTender) -> LockTender? {
        switch (self, step) {
        case (.intent(let intent), .lockAnswered(let tac)): .intent(intent.heard(tac))
        case (.intent(let intent), .locked(let proof)): intent.locked(proof).map { .locked($0) }
        case (.intent(let intent), .escaped(let why)): .escaped(intent.unproven, why)
        case (.intent(let intent), .interrupted(let due)): interrupted(intent.lock, due ?? intent.zero)
        case (.locked(let locked), .ended(let due)): locked.ended(due).map { .unpaid($0) }
        case (.locked(let locked), .interrupted(let due)): interrupted(locked.lock, due ?? locked.zero)
        case (.unpaid(let unpaid), .sending(let attempt)): unpaid.sending(attempt).map { .unpaid($0) }
        case (.unpaid(let unpaid), .answered(let answer)): unpaid.answered(answer).map { .unpaid($0) }
        case (.unpaid(let unpaid), .paid(let proof)): unpaid.paid(by: proof).map(ofProof)
        case (.unpaid(let unpaid), .escaped(let why)): .escaped(unpaid, why)
        case (.unpaid(let unpaid), .interrupted(nil)): .escaped(unpaid, .left)
        case (.escaped(let unpaid, _), .paid(let proof)): unpaid.paid(by: proof).map { .settled($0) }
        case (.paid(let paid), .delivered): .settled(paid)
        case (.intent, _), (.locked, _), (.unpaid, _), (.escaped, _), (.paid, _), (.settled, _): nil
        }
    }

    private func interrupted(_ lock: Lock, _ due: SealedGMAC) -> LockTender? {
        lock.isOf(due) ? .escaped(Unpaid(lock: lock, due: due), .left) : nil
    }
}

extension PurchaseTender {
    fileprivate func after(_ step: RecordStep) -> PurchaseTender? {
        switch (self, step) {
        case (.intent(let purchase), .torn(let tac)): .torn(Torn(purchase, tac: tac?.bytes))
        case (.intent(let purchase), .bought(let proof)): purchase.paid(by: proof).map { .paid($0) }
        case (.torn(let torn), .torn(let tac)): .torn(Torn(torn.purchase, tac: torn.tac ?? tac?.bytes))
        case (.torn(let torn), .bought(let proof)): torn.purchase.paid(by: proof).map { .paid($0) }
        case (.torn(let torn), .neverBought(.lock(let lock))): torn.void(by: lock)
        case (.torn(let torn), .neverBought(.purchase(let later))): torn.void(by: later)
        case (.paid(let paid), .delivered): .settled(paid)
        case (.intent, _), (.torn, _), (.paid, _), (.settled, _), (.void, _): nil
        }
    }
}

extension Tender {
    /// Before the end; of a lock's intent what its checkpoint says.
    fileprivate var mayFlow: Bool {
        switch self {
        case .greyLock(.intent), .greyLock(.locked), .prepaid(.intent), .prepaid(.locked), .prepaid(.paid),
            .purchase(.paid), .none(isFlowing: true):
            true
        case .greyLock, .prepaid, .purchase, .none: false
        }
    }
}

extension RecordStep {
    fileprivate var name: String {
        switch self {
        case .lockAnswered: "lock answered"
        case .locked: "locked"
        case .ended: "ended"
        case .sending: "debit sent"
        case .answered: "debit answered"
        case .paid: "paid"
        case .escaped: "escaped"
        case .interrupted: "interrupted"
        case .torn: "torn"
        case .bought: "bought"
        case .neverBought: "never bought"
        case .delivered: "delivered"
        case .rested: "at rest"
        case .overtaken: "overtaken"
        }
    }
}
