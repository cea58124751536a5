import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// What becomes of a card's grey records: only a proof that its holder cannot have collected before the lock ends one (decision
/// record 0015).
struct EarlierSales: GreyLockProcedure {
    let side: Parts
    let purse: GreyLockCard

    /// The card is not grey. What of its earlier sales here it proves to have paid is settled, and what was released without
    /// this terminal is closed; what is still owed keeps the card from being served.
    ///
    /// - Returns: the PIN, where the card was asked for it.
    func close(of card: ApplicationSerialNumber) throws(Interruption) -> PIN? {
        guard try !books.openGreyRecords(of: card).isEmpty else { return nil }
        let pin = try visit.verifiedPIN()
        let number = try books.takeNumber()
        let present = try onCard { () throws(CardStop) in try purse.authenticate(card, number, for: .settlement) }
        try close(books.openGreyRecords(of: card), present)
        if let owed = try books.openGreyRecords(of: card).first(where: { $0.amount > .zero }) {
            throw .refused(.earlierSaleOwed(owed.amount))
        }
        return pin
    }

    /// A number above that of the lock: a debit that the card proves paid the record, without one it was released without this
    /// terminal. Any other number proves nothing, because it could have been asked for before.
    private func close(_ open: [GreyRecord], _ present: borrowing AuthenticatedSale) throws(Interruption) {
        for grey in open {
            guard let release = present.release(fromLockAt: grey.ctc) else { continue }
            if let answered = try debiting.answered(under: grey.gmac, grey.debits) {
                try settle(grey, by: answered.paid(release), .calling)
            } else {
                try close(grey, release)
            }
        }
    }

    /// A notice with a number of its own says that the card was released without this terminal, in one durable step with the
    /// record.
    private func close(_ open: GreyRecord, _ release: ProvenRelease) throws(Interruption) {
        var grey = open
        try books.stored { (_) throws(StorageFault) in try grey.release(by: release) }
        var entry = JournalEntry(grey: grey)
        let remark = "the card came back free and proved no debit of this record"
        if let unlock = try voidedUnlock(of: grey, remark) { entry.records.append(unlock) }
        entry.records.append(try notice(of: grey, release))
        try books.commit(entry)
        display.show(.calling, .releasedElsewhere(grey.amount))
    }

    /// The card is locked now, and was not before: what it left here at the same number never reached it.
    func closeNeverLocked(_ lock: ProvenLock) throws(Interruption) {
        for open in try books.openGreyRecords(of: lock.card) {
            guard let grey = open.void(by: lock) else { continue }
            var entry = JournalEntry(grey: grey)
            if let unlock = try voidedUnlock(of: grey, "its lock never reached the card") {
                entry.records.append(unlock)
            }
            try books.commit(entry)
        }
        try books.voidTornPurchases(of: lock.card, .lock(lock))
    }

    private func notice(
        of grey: GreyRecord,
        _ release: ProvenRelease
    ) throws(Interruption) -> Record {
        let number = try books.takeNumber()
        let time = try books.stored { (_) throws(StorageFault) in try books.stampTime() }
        let sale = try believedSale(of: grey)
        var notice = books.newRecord(number, time, .notice(ReleaseNotice(of: grey, origin(of: sale), release)))
        notice.ended = time
        notice.totaliser = books.totaliser
        notice.remark = grey.origin
        // A later transaction of the card replaces its proof (D23).
        if !grey.debits.isEmpty {
            notice.remark = "a debit was sent here and its answer not seen: it may be what released the card"
        }
        return notice
    }

    /// What a grey record's sale sold. Where its row is not believed the grey record alone says what is owed, and the rest
    /// is this side's.
    func origin(of sale: Record?) -> SaleOrigin {
        sale?.origin ?? SaleOrigin(nozzle: settings.nozzle, grade: settings.grade, unitPrice: settings.unitPrice)
    }

    /// nil where the row is not believed: then what a prepaid sale owes its card is for whoever puts the row right.
    func believedSale(of grey: GreyRecord) throws(Interruption) -> Record? { try books.record(grey.number) { _ in } }

    // MARK: - What ends a grey record by a debit of this terminal

    func openUnlock(of grey: GreyRecord) throws(Interruption) -> (Record, Release)? {
        for record in try books.stored({ (journal) throws(StorageFault) in try journal.openRecords() }) {
            if case .release(let release) = record.content, release.sale == grey.number { return (record, release) }
        }
        return nil
    }

    /// A local unlock of which another way out of the grey lock is proven.
    ///
    /// - Parameter grey: as that leaves it.
    func voidedUnlock(of grey: GreyRecord, _ remark: String) throws(Interruption) -> Record? {
        guard var (unlock, _) = try openUnlock(of: grey) else { return nil }
        try books.take(.overtaken(by: grey), &unlock)
        unlock.ended = books.endTime(after: unlock.begun)
        unlock.remark = remark
        return unlock
    }

    /// The card is not grey and its PIN is verified: what it can prove of debits whose answers this terminal has not seen.
    func settleByProof(_ card: ApplicationSerialNumber) throws(Interruption) {
        for grey in try books.openGreyRecords(of: card) {
            guard let proof = try debiting.proof(under: grey.gmac, grey.debits) else { continue }
            try settle(grey, by: proof, .calling)
        }
    }

    /// The record that sent a debit: the local unlock of the grey record, or its sale.
    private func sender(of attempt: DebitAttempt, for grey: GreyRecord) throws(Interruption) -> Record? {
        if let (unlock, release) = try openUnlock(of: grey), release.debits.has(attempt) { return unlock }
        return try books.record(grey.number) { (row) throws(Interruption) in throw .refused(.recordDamaged(row)) }
    }

    /// One durable step: the record whose debit it was, the grey record, and for a prepaid sale what its card gets back.
    func settle(_ grey: GreyRecord, by proof: ProvenDebit, _ state: SideState) throws(Interruption) {
        // What is not believed is not settled: the card's proof stays with it for whoever puts the record right.
        guard var record = try sender(of: proof.attempt, for: grey)?.after(.paid(proof)) else {
            throw try books.refusalWithoutRecord(ofDebitOf: grey)
        }
        record.ended = record.ended ?? books.endTime(after: record.begun)
        var settled = grey
        try books.stored { (_) throws(StorageFault) in try settled.settle(by: proof) }
        var entry = JournalEntry(record, grey: settled)
        if record.settles == nil, let unlock = try voidedUnlock(of: settled, "an earlier debit had paid the sale") {
            entry.records.append(unlock)
        }
        let sale = record.settles == nil ? record : try believedSale(of: grey)
        let refund = try books.stored { (_) throws(StorageFault) -> Record? in
            guard let sale else { return nil }
            return try books.refund(of: sale)
        }
        if let refund { entry.records.append(refund) }
        try books.commit(entry)
        display.printReceipt(record, balance: record.balanceBefore.subtracting(record.amount))
        display.show(state, .earlierSaleSettled(grey.amount))
        if let refund { display.show(state, .refund(refund.amount)) }
    }
}

extension Books {
    func openGreyRecords(of card: ApplicationSerialNumber) throws(Interruption) -> [GreyRecord] {
        try stored { (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }
    }
}
