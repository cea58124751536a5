import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// What is about to be on disk.

extension StationLedger {
    /// `entry` is about to be on disk, written by a side, whose meter is `meter`.
    func commits(_ entry: JournalEntry, _ store: MemoryJournal, _ meter: MeterSnapshot, by writer: SideLedger) {
        var flowed = Flowed()
        for record in entry.records {
            let old = store.records[record.number]
            let side = side(of: record)
            if old == nil {
                begins(record)
                books.begin(record, entry, store, under: side.calibration, fail)
            }
            check(record, old)
            let sale = record.settles.flatMap { number in
                entry.records.first { $0.number == number } ?? store.records[number]
            }
            side.checkParameters(record, old, of: sale)
            if record.phase == .intent {
                side.running = record.number
                side.begunInVisit = record.number
                if side.misheardInVisit > 0 { undecidable.insert(record.number) }
            }
            if record.phase.isOpen { openRecords.insert(record.number) } else { openRecords.remove(record.number) }
            side.countsInRecords += record.reading.totalCounts - (old?.reading.totalCounts ?? 0)
            if record.kind == .noCard || record.kind == .test {
                flowed.add(record, after: old)
                books.check(record, entry, fail)
            }
            guard let old, old.isBeforeEnd, !record.isBeforeEnd else { continue }
            let counts = side.metered[record.number] ?? (side.meteringSince == nil ? 0 : meter.totalCounts)
            if record.reading.totalCounts != counts {
                fail("sale \(record.number.value) has other counts than the meter's \(counts)")
            }
            side.checkFaults(of: record, meter)
            if side.frozen.contains(record.number), record.remark == nil {
                fail("sale \(record.number.value) does not say that the service stood still")
            }
            flowed.add(record, after: nil)
            books.check(record, entry, fail)
        }
        if let grey = entry.grey {
            check(grey, misheardInVisit: writer.misheardInVisit)
            books.check(grey, entry, fail)
        }
        if !entry.differences.isEmpty {
            if !totalsMayDiffer { fail("the totals differ, and no older journal was put back") }
            return
        }
        guard let next = entry.totaliser else {
            return flowed.volume == .zero ? () : fail("fuel flowed that no totaliser counts")
        }
        // Rows that rot behind a raise are restored from records that do not know of it, and raised again.
        let wasRaised = store.differences.contains { $0.nozzle == next.nozzle && $0.keeper == .journal }
        if entry.records.isEmpty, wasRaised { return }
        let last = store.totalisers[next.nozzle]
        let isRight =
            next.volume - (last?.volume ?? .zero) == flowed.volume && next.fen - (last.map(\.fen) ?? 0) == flowed.fen
        if !isRight { fail("the totaliser's difference is not the sale") }
        check(next, after: last, flowed)
    }

    private func check(_ record: Record, _ old: Record?) {
        // What was right beside this amount still is.
        if record.gmac != old?.gmac || record.amount != old?.amount {
            checkGMAC(record.gmac, record.number, record.card, record.amount)
        }
        checkKeys(record.writtenBytes, record.ttc, record.card)
        if let old, old.card.identity != record.card.identity || old.begun != record.begun {
            return fail("transaction \(record.number.value) has two records")
        }
        guard record.isPayment else {
            if old?.isPayment == true { fail("record \(record.number.value) is no longer paid") }
            return
        }
        if let old, old.isPayment { return old == record ? () : fail("paid record \(record.number.value) changed") }
        guard record.debit != nil else { return fail("record \(record.number.value) is paid without a debit") }
        guard let key = payment(of: record), let debit = debits[key] else {
            return fail("record \(record.number.value) says paid, and its card did not pay that")
        }
        // The TAC is under the issuer's key: what the station heard of it is all that it has.
        if record.answerIsAuthentic != true || (!debit.isMisheard && record.debitTAC != debit.tac) {
            return fail("record \(record.number.value) has another answer than its card gave")
        }
        debits[key]?.isRecorded = true
        if key.ttc != record.ttc, let lock = record.ttc { paidByAnotherLock[lock] = key }
    }

    /// The debit that pays for it: its lock's. MAC4 covers amount, terminal and second, and no lock: where the issuer has freed
    /// this one, the attacker may show his debit of another lock that was as much (decision record 0015). One debit still pays
    /// for one record.
    private func payment(of record: Record) -> DebitKey? {
        let key = key(record)
        func pays(_ debit: Debit) -> Bool { debit.amount == record.amount && !debit.isRecorded }
        if debits[key].map(pays) == true { return key }
        guard isAttackers(key), releasedElsewhere.contains(key.ttc) else { return nil }
        return debits.filter { $0.key.card == key.card && pays($0.value) }.keys.min { $0.ttc.number < $1.ttc.number }
    }

    private func check(_ grey: GreyRecord, misheardInVisit: Int) {
        checkGMAC(grey.gmac, grey.number, grey.card, grey.amount)
        guard let lock = session(of: grey.gmac.terminal, grey.gmac.ttc) else {
            return fail("grey record \(grey.number.value) is of no lock that is known")
        }
        checkKeys(grey.gmac.sealed + grey.mac3, lock, grey.card)
        openGreyRecords.remove(grey.number)
        let isLocked = locks[lock] != nil
        let isPaid = locks[lock] == true
        // A lock that its holder hides before fuel flowed harms nobody but him, and so does a payment.
        let isOwnHarm = isAttackers(grey.card) && (grey.amount == .zero || isPaid)
        switch grey.state {
        case .open: openGreyRecords.insert(grey.number)
        case .settled:
            if !isPaid, paidByAnotherLock[lock] == nil {
                fail("grey record \(grey.number.value) counts as paid, and is not")
            }
        case .void:
            if isLocked && !isOwnHarm {
                fail("grey record \(grey.number.value) counts as void, and its card was locked")
            }
        case .elsewhere:
            let isGone = debits[DebitKey(grey.card, lock)]?.proofMayBeGone == true
            // A proof that is asked for twice and arrives altered twice is taken for another terminal's.
            let isAltered = isPaid && misheardInVisit > 1
            if isLocked, !isGone, !isOwnHarm, !isAltered, !releasedElsewhere.contains(lock) {
                fail("grey record \(grey.number.value) is given up, and its card was not released elsewhere")
            }
        }
    }

    private func checkKeys(_ bytes: [UInt8], _ ttc: TTC?, _ card: ApplicationSerialNumber) {
        if oracle.isKeyMaterial(in: bytes, ttc: ttc, card: card) {
            fail("a key stands in what transaction \(ttc.map { "\($0.number)" } ?? "none") wrote")
        }
    }

    private func checkGMAC(
        _ gmac: SealedGMAC?,
        _ number: RecordNumber,
        _ card: ApplicationSerialNumber,
        _ amount: Amount
    ) {
        guard let gmac else { return }
        guard gmac.amount == amount, let session = session(of: gmac.terminal, gmac.ttc),
            let right = oracle.gmac(of: session, card: card, amount: amount)
        else {
            return fail("the GMAC of sale \(number.value) stands beside another amount, or has no session")
        }
        do throws(SecurityModuleError) {
            if try !module.open(gmac).isValid(right) {
                fail("the GMAC of sale \(number.value) is not that of its amount")
            }
        } catch {
            fail("the GMAC of sale \(number.value): \(error)")
        }
    }

    func checkpoints(_ checkpoint: Checkpoint, _ store: MemoryJournal) {
        guard let record = store.records[checkpoint.number] else { return fail("a checkpoint has no sale") }
        checkGMAC(checkpoint.gmac, checkpoint.number, record.card, checkpoint.amount)
        checkKeys(checkpoint.gmac.sealed, checkpoint.gmac.ttc, record.card)
        if record.phase != .locked { fail("a checkpoint belongs to a sale in phase \(record.phase.rawValue)") }
    }
}
