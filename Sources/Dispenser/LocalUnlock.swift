import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// Local unlock, steps 3.1 to 3.7, and what else ends a grey record by a debit of this terminal.

extension Position {
    /// A grey card is in the reader: pays the sale that this terminal has a record of.
    func localUnlock(_ card: PublicApplicationFile, _ status: GetGreyStatus.Response) throws(Interruption) {
        // 3.3
        let known = try stored { (journal) throws(StorageFault) in try journal.openGreyRecords(of: card.asn) }
        guard var grey = known.first(where: { status.mac3.isValid(MAC(bytes: $0.mac3)) }) else {
            throw .refused(try refusalWithoutGreyRecord(card.asn))
        }
        show(.calling, .settlingEarlierSale(grey.amount))
        _ = try verifiedPIN()
        var (record, release) = try localUnlockRecord(of: grey, status)
        let attempt = grey.debits.next(try attempt(record, as: .localUnlock))
        release.send(attempt)
        record.content = .release(release)
        try commit(JournalEntry(record, grey: grey))
        // 3.4 to 3.6
        let outcome = try sendDebit(grey, ctc: status.ctc, attempt, among: grey.debits)
        if case .lost(let answered?) = outcome {
            release.note(answered)
            record.content = .release(release)
            try commit(JournalEntry(record))
        }
        switch outcome {
        case .paid(let proof):
            // 3.7
            try settle(grey, by: proof, .completed)
        case .refused(.memoryFailure):
            // The card has paid or not: its next visit tells.
            throw .refused(.debitUnproven(grey.amount))
        case .refused(let answer):
            // The record stays open until the card is seen grey again, or proves that it paid.
            record.remark = "DEBIT FOR PETROL was answered \(answer)"
            try commit(JournalEntry(record))
            throw .refused(refusal(of: .debitForPetrol, answer))
        case .lost:
            // An answer that was heard and proves nothing: the card may still prove what it did.
            guard presence == .connected, let proof = try provenDebit(of: grey) else {
                throw .refused(.debitUnproven(grey.amount))
            }
            try settle(grey, by: proof, .completed)
        }
    }

    /// The record of this local unlock: the one that an earlier attempt left open, or a new one.
    private func localUnlockRecord(
        of grey: GreyRecord,
        _ status: GetGreyStatus.Response
    ) throws(Interruption) -> (Record, Release) {
        if let open = try openUnlock(of: grey) { return open }
        let time = try stored { (_) throws(StorageFault) in try stampTime() }
        let sale = try stored { (_) throws(StorageFault) in try believedSale(of: grey) }
        let ttc = try takeNumber()
        let standing = CardStanding(
            card: grey.card,
            key: grey.gmac.key,
            // A grey purse changes by its debit alone, and MAC3 proved this balance; no code covers the status's.
            balance: sale?.balanceBefore ?? status.balance,
            ctc: grey.ctc
        )
        let lock = Lock(standing, mac3: grey.mac3, tac: status.lockTAC.bytes)
        let release = Release(of: grey, origin(of: sale), lock)
        var record = newRecord(ttc, time, .release(release))
        record.totaliser = totaliser
        return (record, release)
    }

    /// - Throws: `.refused` for a record that is not believed: the card's proof is kept on it for whoever puts it right.
    private func believedRecord(_ ttc: TTC) throws(Interruption) -> Record? {
        do throws(StorageFault) {
            return try edges.journal.record(ttc)
        } catch {
            guard let row = error.row else { throw .failure(.storage(error)) }
            throw .refused(.recordDamaged(row))
        }
    }

    private func openUnlock(of grey: GreyRecord) throws(Interruption) -> (Record, Release)? {
        for record in try stored({ (journal) throws(StorageFault) in try journal.openRecords() }) {
            if case .release(let release) = record.content, release.sale == grey.ttc { return (record, release) }
        }
        return nil
    }

    /// A local unlock of which another way out of the grey lock is proven.
    func voidedUnlock(of grey: GreyRecord, _ remark: String) throws(Interruption) -> Record? {
        guard var (unlock, release) = try openUnlock(of: grey) else { return nil }
        release.void()
        unlock.content = .release(release)
        unlock.ended = endTime(after: unlock.begun)
        unlock.remark = remark
        return unlock
    }

    /// The card is not grey and its PIN is verified: what it can prove of debits whose answers this terminal has not seen.
    func settleByProof(_ card: ApplicationSerialNumber) throws(Interruption) {
        for grey in try stored({ (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }) {
            guard let proof = try provenDebit(of: grey) else { continue }
            try settle(grey, by: proof, .calling)
        }
    }

    /// One durable step: the record whose debit it was, the grey record, and for a prepaid sale what its card gets back.
    func settle(_ grey: GreyRecord, by proof: ProvenDebit, _ state: PositionState) throws(Interruption) {
        guard var record = try believedRecord(proof.attempt.ttc), record.settle(by: proof) else {
            // The card's proof stays with it for whoever puts the record right.
            throw .refused(
                .recordDamaged(
                    DamagedRow(
                        table: "sale",
                        keyName: "TTC",
                        key: Int64(proof.attempt.ttc.number),
                        column: nil,
                        reason: "the record of a debit is not there"
                    )
                )
            )
        }
        record.ended = record.ended ?? endTime(after: record.begun)
        var settled = grey
        settled.settle(by: proof)
        var entry = JournalEntry(record, grey: settled)
        if record.settles == nil, let unlock = try voidedUnlock(of: grey, "an earlier debit had paid the sale") {
            entry.records.append(unlock)
        }
        let refund = try stored { (_) throws(StorageFault) -> Record? in
            guard let sale = record.settles == nil ? record : try believedSale(of: grey) else { return nil }
            return try self.refund(of: sale)
        }
        if let refund { entry.records.append(refund) }
        try commit(entry)
        edges.display.printReceipt(record, balance: record.balanceBefore.subtracting(record.amount))
        show(state, .earlierSaleSettled(grey.amount))
        if let refund { show(state, .refund(refund.amount)) }
    }
}
