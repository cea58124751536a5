import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule

// A card of a grey record that comes back free: only a proof that its holder cannot have collected before the lock ends the
// record (decision record 0015).

extension Position {
    /// The card is not grey. What of its earlier sales here it proves to have paid is settled, and what was released without
    /// this terminal is closed; what is still owed keeps the card from being served.
    ///
    /// - Returns: the PIN, where the card was asked for it.
    func closeEarlierSales(of card: ApplicationSerialNumber) throws(Interruption) -> PIN? {
        guard try !openGreyRecords(of: card).isEmpty else { return nil }
        let pin = try verifiedPIN()
        let command = initializeForPetrol(try takeNumber())
        try close(openGreyRecords(of: card), verifyMAC1(card, command, exchange(command)))
        if let owed = try openGreyRecords(of: card).first(where: { $0.amount > .zero }) {
            throw .refused(.earlierSaleOwed(owed.amount))
        }
        return pin
    }

    private func openGreyRecords(of card: ApplicationSerialNumber) throws(Interruption) -> [GreyRecord] {
        try stored { (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }
    }

    /// A number above that of the lock: a debit that the card proves paid the record, without one it was released without this
    /// terminal. Any other number proves nothing, because it could have been asked for before.
    private func close(_ open: [GreyRecord], _ present: borrowing AuthenticatedSale) throws(Interruption) {
        for grey in open {
            guard let release = present.release(fromLockAt: grey.ctc) else { continue }
            if let answered = try answeredDebit(of: grey) {
                try settle(grey, by: answered.paid(release), .calling)
            } else {
                try close(grey, release)
            }
        }
    }

    /// A notice with a TTC of its own says that the card was released without this terminal, in one durable step with the
    /// record.
    private func close(_ open: GreyRecord, _ release: ProvenRelease) throws(Interruption) {
        var grey = open
        grey.release(by: release)
        var entry = JournalEntry(grey: grey)
        let remark = "the card came back free and proved no debit of this record"
        if let unlock = try voidedUnlock(of: grey, remark) { entry.records.append(unlock) }
        entry.records.append(try notice(of: grey, release))
        try commit(entry)
        show(.calling, .releasedElsewhere(grey.amount))
    }

    /// The card is locked now, and was not before: what it left here at the same number never reached it.
    func closeNeverLocked(_ lock: ProvenLock) throws(Interruption) {
        for var grey in try openGreyRecords(of: lock.card) {
            guard grey.void(by: lock) else { continue }
            var entry = JournalEntry(grey: grey)
            if let unlock = try voidedUnlock(of: grey, "its lock never reached the card") {
                entry.records.append(unlock)
            }
            try commit(entry)
        }
        try voidTornPurchases(of: lock.card) { $0.void(by: lock) }
    }

    private func notice(
        of grey: GreyRecord,
        _ release: ProvenRelease
    ) throws(Interruption) -> Record {
        let ttc = try takeNumber()
        let time = try stored { (_) throws(StorageFault) in try stampTime() }
        let sale = try stored { (_) throws(StorageFault) in try believedSale(of: grey) }
        var notice = newRecord(ttc, time, .notice(ReleaseNotice(of: grey, origin(of: sale), release)))
        notice.ended = time
        notice.totaliser = totaliser
        // A later transaction of the card replaces its proof (D23).
        if !grey.debits.isEmpty {
            notice.remark = "a debit was sent here and its answer not seen: it may be what released the card"
        }
        return notice
    }

    /// What a grey record's sale sold. Where its row is not believed the grey record alone says what is owed, and the rest
    /// is this position's.
    func origin(of sale: Record?) -> SaleOrigin {
        sale?.origin ?? SaleOrigin(nozzle: settings.nozzle, grade: settings.grade, unitPrice: settings.unitPrice)
    }

    /// nil where the row is not believed: then what a prepaid sale owes its card is for whoever puts the row right.
    func believedSale(of grey: GreyRecord) throws(StorageFault) -> Record? {
        do throws(StorageFault) {
            return try edges.journal.record(grey.ttc)
        } catch {
            guard error.row != nil else { throw error }
            return nil
        }
    }
}
