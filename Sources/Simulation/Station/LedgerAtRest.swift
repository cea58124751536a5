import CardApplication
import Dispenser
import FuelPassbook
import Metering
import Quantities
import Records

// What must hold while no sale is running, and when everything is settled.

extension StationLedger {
    /// No sale is running at any side but those that are busy.
    func rests(_ store: MemoryJournal, _ meter: MeterSnapshot, busy: Set<Int>) {
        if !meter.outputs.isEmpty { fail("a valve is open at rest") }
        for side in sides where !busy.contains(side.number - 1) { side.checkClosed(store) }
        for number in openRecords {
            guard let record = store.records[number], !busy.contains(record.side - 1) else { continue }
            let mayWait =
                record.settles != nil || record.phase == .flowing || (record.kind == .prepaid && record.phase == .torn)
            if !mayWait { fail("sale \(number.value) is in phase \(record.phase.rawValue) at rest") }
        }
        func mayRun(_ ttc: TTC) -> Bool {
            isOpen(ttc) && record(of: ttc, store).map { busy.contains($0.side - 1) } ?? false
        }
        for card in cards {
            guard let grey = card.image.grey, terminals.contains(grey.terminal), !mayRun(grey.ttc) else { continue }
            let record = self.grey(of: grey.ttc, store)
            let isOwed =
                record?.state == .open && record?.mac3 == grey.mac3 && record?.card.identity == card.asn.identity
            if !isOwed && !hidesLock(card, record) && !forgottenLocks.contains(grey.ttc) {
                fail("card \(card.number) is locked by sale \(grey.ttc.number), of which no grey record is open")
            }
        }
        for (key, debit) in debits where !debit.isRecorded {
            let waits = debit.isPurchase ? isOpen(key.ttc) : isOpenGrey(key.ttc)
            if !waits && !mayRun(key.ttc) && !debit.proofMayBeGone && !isAttackers(key) {
                fail("transaction \(key.ttc.number) is paid, and no record waits for it")
            }
        }
    }

    /// The attacker's card is locked, and for want of its answer the station could think that it never was.
    func hidesLock(_ card: SimulatedCard, _ record: GreyRecord?) -> Bool {
        guard card.number == attacker, let record, record.amount == .zero else { return false }
        return record.state == .void || record.state == .elsewhere
    }

    func isAttackers(_ key: DebitKey) -> Bool { attacker.map { cards[$0].asn.identity == key.card } ?? false }

    /// Every card has been here again, and nothing went wrong any more.
    ///
    /// - Parameter places: that keep totals beside the journal.
    func ends(_ store: MemoryJournal, _ places: [MemoryTotals]) {
        for card in cards where card.image.grey != nil { fail("card \(card.number) is still locked") }
        for (key, debit) in debits where !debit.isRecorded && !debit.proofMayBeGone && !isAttackers(key) {
            fail("transaction \(key.ttc.number) is paid, and its record does not know")
        }
        for number in openGreyRecords { fail("grey record \(number.value) is still open") }
        let given = Set(paidByAnotherLock.values)
        for sale in store.records.values where sale.kind == .prepaid {
            let isPaid = debits[key(sale)]?.isRecorded == true && !given.contains(key(sale))
            guard isPaid || sale.ttc.map({ paidByAnotherLock[$0] != nil }) == true else { continue }
            books.checkRefund(of: sale, store, fail)
        }
        for number in openRecords where store.records[number]?.kind != .prepaid || !undecidable.contains(number) {
            fail("sale \(number.value) is still open")
        }
        for side in sides {
            let records = store.records.values.filter { $0.side == side.number }
            let faults = records.reduce(PulserFaults()) { $0 + $1.reading.faults }
            let counted = store.pulserFaults(of: side.number).first { $0.day == nil }?.faults ?? PulserFaults()
            if counted.total < faults.total { fail("the faults of side \(side.number) are not all in its count") }
            side.checkKept(store)
            let fen = records.reduce(0) { $0 + ($1.settles == nil ? Int($1.price.fen) : 0) }
            let volume = records.reduce(Volume.zero) { $0 + $1.reading.volume }
            guard let total = store.totalisers[side.number] else {
                if volume != .zero { fail("no totaliser counts what the records of side \(side.number) say") }
                continue
            }
            if total.base + side.calibration.volume(of: total.counts) != total.volume {
                fail("the totaliser is not its counts over factor")
            }
            for place in places {
                guard case .totals(let kept) = place.content, kept.contains(NozzleTotal(total)) else {
                    fail("the totals of nozzle \(side.number) are not in \(place.name)")
                    continue
                }
            }
            let raised = store.differences.contains { $0.nozzle == side.number && $0.keeper == .journal }
            if raised ? total.fen < fen || total.volume < volume : total.fen != fen || total.volume != volume {
                fail("the records do not add up to the totaliser")
            }
        }
    }
}
