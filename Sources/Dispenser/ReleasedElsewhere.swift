import FuelPassbook
import Metering
import SecurityModule

// A card of a grey record that comes back free without this terminal: the issuer is told what the record says.

extension Position {
    /// The card is not grey and MAC1 proved its number. A record whose lock it never counted is void. Any other was
    /// released without this terminal: a notice with a TTC of its own says so, in one durable step with the record.
    ///
    /// - Parameter present: what MAC1 was made of.
    func closeGreyRecords(
        of card: ApplicationSerialNumber,
        _ present: InitializeForPetrol.Response
    ) throws(Interruption) {
        for var grey in try stored({ (journal) throws(StorageFault) in try journal.openGreyRecords(of: card) }) {
            let isReleased = present.ctc != grey.ctc
            grey.state = isReleased ? .elsewhere : .void
            var entry = JournalEntry(grey: grey)
            let open = try stored { (journal) throws(StorageFault) in try journal.openRecords() }
            if var unlock = open.first(where: { $0.settles == grey.ttc }) {
                unlock.phase = .void
                unlock.endTime = endTime(after: unlock.lockTime)
                unlock.remark = "the card came back free and proved no debit of this record"
                entry.records.append(unlock)
            }
            if isReleased { entry.records.append(try notice(of: grey, present)) }
            try commit(entry)
            if isReleased { show(.calling, .releasedElsewhere(grey.amount)) }
        }
    }

    private func notice(
        of grey: GreyRecord,
        _ present: InitializeForPetrol.Response
    ) throws(Interruption) -> SaleRecord {
        let ttc = try stored { (journal) throws(StorageFault) in try journal.nextTTC() }
        let time = try stored { (_) throws(StorageFault) in try stampTime() }
        let sale = try stored { (_) throws(StorageFault) in try self.sale(of: grey) }
        var notice = SaleRecord(
            ttc: ttc,
            kind: .onlineUnlock,
            phase: .settled,
            position: settings.position,
            terminal: edges.module.terminal,
            lockTime: time,
            card: grey.card,
            key: sale.key,
            balanceBefore: present.balance,
            ctc: present.ctc,
            mac3: grey.mac3,
            nozzle: sale.nozzle,
            grade: sale.grade,
            unitPrice: sale.unitPrice,
            reading: .none(points: settings.calibration.points.count),
            amount: grey.amount,
            gmac: nil
        )
        notice.endTime = time
        notice.settles = grey.ttc
        notice.totaliser = totaliser
        // A later transaction of the card replaces its proof (D23).
        if grey.debit != nil {
            notice.remark = "a debit was sent here and its answer not seen: it may be what released the card"
        }
        return notice
    }

    /// The sale that a grey record was left by.
    func sale(of grey: GreyRecord) throws(StorageFault) -> SaleRecord {
        guard let sale = try edges.journal.record(grey.ttc) else {
            throw StorageFault(operation: "grey record", reason: "there is no sale \(grey.ttc.number)")
        }
        return sale
    }
}
