import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// The prepaid sale: paid for its preset, then fuel for exactly what was paid. A card that has the petrol commands pays by
// lock and debit at once, whose MAC3 and MAC4 are fresh (D31); for one that has none see `PurchaseSale.swift`.
//
// Durable writes, each on disk before the next act: intent, before LOCK FOR PETROL leaves; the amount with its GMAC, before
// DEBIT FOR PETROL leaves; paid, before the valve may open; the reading at every checkpoint; settled, in one step with the
// refund record of what did not flow.
//
// Invariant of a settled prepaid sale, to the fen: paid = (price of what flowed - part beyond the payment) + refund.

struct Prepay: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// Steps 1.1 to 1.9, and 1.12 to 1.15 before 1.10.
    ///
    /// - Parameter verified: the PIN, where the card has been asked for it in this visit.
    func run(
        _ card: PublicApplicationFile,
        _ preset: Preset,
        _ verified: consuming PIN?
    ) throws(Interruption) {
        try readiness.checkMayServe(card)
        let target = settings.prepaidTarget(preset)
        display.show(.calling, .prepaying(target.amount))
        _ = try visit.verifiedPIN(verified)
        try readiness.beginAnew()

        let card = try locking.run(card.asn, SaleBeginning.prepaid) { (balance) throws(Interruption) in
            guard balance >= target.amount else {
                throw .refused(.notEnoughMoney(balance: balance, needed: target.amount))
            }
            try books.keepRefundNumber()
            return target.volume
        }
        var record = card.record
        let proof = card.session.proof
        try books.take(.ended(due: card.session.end(amount: target.amount)), &record)
        try payAtOnce(&record)
        try earlier.closeNeverLocked(proof)
        try PrepaidDelivery(side: side).run(&record, target.volume)
    }

    /// A debit that is not proven leaves a grey record of the amount: no fuel flows for it, and what its card pays at its next
    /// visit, or proves that it has paid, is refunded. A card that is still there is asked at once.
    private func payAtOnce(_ record: inout Record) throws(Interruption) {
        let interruption: Interruption
        do throws(Interruption) {
            switch try debiting.run(&record) {
            case .paid(let proof):
                try books.take(.paid(proof), &record)
                return try books.commit(JournalEntry(record))
            case .refused(let status): interruption = .refused(Refusal(of: .debitForPetrol, status))
            case .lost: interruption = .refused(.purchaseUnproven(record.amount))
            }
        } catch {
            guard case .refused = error else { throw error }
            interruption = error
        }
        try books.escape(&record, .fault, remark: "the debit was not proven: no fuel flows for it")
        if visit.presence == .connected {
            try earlier.settleByProof(record.card)
            let number = record.number
            let kept = try books.stored { (journal) throws(StorageFault) in try journal.record(number) }
            if kept?.phase == .settled { throw .refused(.refundedUndelivered(record.amount)) }
        }
        throw interruption
    }
}

/// Fuel for exactly what was paid.
struct PrepaidDelivery: Procedure {
    let side: Parts

    /// Lets flow what was paid, and ends the sale.
    func run(_ record: inout Record, _ volume: Volume) throws(Interruption) {
        let end = try flow.fuel(&record, PaidGrant(), volume)
        try finish(&record, lock: flow.lock(after: end, record))
        if case .pumpFailed(let fault) = end { throw .failure(.pump(fault)) }
    }

    /// The sale's last durable write, and with it the refund record.
    private func finish(_ record: inout Record, lock: SideLock?) throws(Interruption) {
        let refund = try books.stored { (_) throws(StorageFault) in
            try books.settlePrepaid(&record, on: books.totaliser, lock: lock)
        }
        display.printReceipt(record, balance: record.balanceBefore.subtracting(record.amount))
        if let refund { display.show(.completed, .refund(refund.amount)) }
    }
}
