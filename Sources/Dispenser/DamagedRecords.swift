import FuelPassbook
import Metering
import Records
import SecurityModule

// What a side does with rows of its journal that cannot be believed (decision record 0017): it names them, works with
// the others, and writes over none of them but the totals, which it restores from the records.

extension Books {
    /// Names each damaged row once.
    func tellOfDamage() throws(StorageFault) {
        for row in try journal.damagedRows() where board.names(row) {
            display.show(.closed, .damagedRow(row))
        }
    }

    /// The card's visit cannot go on while the record of its unfinished sale is not believed. A grey record that is not
    /// may be of a sale that this card has paid: it is told, and served when it is free.
    func checkRecords(of card: ApplicationSerialNumber) throws(Interruption) {
        for row in try damagedRows() where row.card == card {
            if row.isOpen { throw .refused(.recordDamaged(row)) }
            if row.isGreyRecord { display.show(.calling, .damagedRow(row)) }
        }
    }

    /// Why a grey card has no grey record here: one that is not believed may be its own, whatever card it states.
    func refusalWithoutGreyRecord(_ card: ApplicationSerialNumber) throws(Interruption) -> Refusal {
        let candidates = try damagedRows().filter { $0.isOpen || $0.isGreyRecord }
        guard let row = candidates.first(where: { $0.card == card }) ?? candidates.first else { return .greyElsewhere }
        return .recordDamaged(row)
    }

    /// Why a proven debit settles nothing here.
    func refusalWithoutRecord(ofDebitOf grey: GreyRecord) throws(Interruption) -> Interruption {
        let row = try damagedRows().first { $0.isOpen && $0.card == grey.card }
        return .refused(
            .recordDamaged(
                row
                    ?? DamagedRow(
                        table: "sale",
                        keyName: "record",
                        key: nil,
                        column: nil,
                        reason: "the record of a debit is not there"
                    )
            )
        )
    }

    private func damagedRows() throws(Interruption) -> [DamagedRow] {
        try stored { (journal) throws(StorageFault) in try journal.damagedRows() }
    }

    /// nil without a record, and for one that is not believed where `damaged` lets that pass.
    func record(
        _ number: RecordNumber,
        damaged: (DamagedRow) throws(Interruption) -> Void
    ) throws(Interruption) -> Record? {
        do throws(StorageFault) {
            return try journal.record(number)
        } catch {
            guard let row = error.row else { throw .failure(.storage(error)) }
            try damaged(row)
            return nil
        }
    }

    /// Totals that are not believed are those that the records say, and the side stays closed until somebody has
    /// compared them with the nozzle's own counter.
    func storedTotaliser(of nozzle: Int, at side: Int) throws(StorageFault) -> Totaliser? {
        do throws(StorageFault) {
            return try journal.totaliser(of: nozzle)
        } catch {
            guard let row = error.row else { throw error }
            let recorded = try journal.recordedTotaliser(of: nozzle)
            let totaliser = recorded ?? .new(nozzle: nozzle, points: settings.calibration.points.count)
            let lock = SideLock(
                side: side,
                since: try stampTime(),
                reason: "the totals of nozzle \(nozzle) were not believed (\(row)) and restored from the records"
            )
            do throws(StorageFault) { try write(JournalEntry(totaliser: totaliser, lock: lock)) } catch {
                // Where nothing can be written, the side is closed by the row that says so.
                guard error.row != nil else { throw error }
            }
            return totaliser
        }
    }

    /// nil without a checkpoint; `.failure` for one that is not believed, or not of this sale.
    func checkpoint(of record: Record) throws(StorageFault) -> Result<Checkpoint, StorageFault>? {
        do throws(StorageFault) {
            guard let checkpoint = try journal.lastCheckpoint(of: record.number) else { return nil }
            let gmac = checkpoint.gmac
            guard gmac.card == record.card, gmac.ctc == record.ctc, gmac.key == record.standing?.key else {
                return .failure(StorageFault(operation: "checkpoint", reason: "it is of another sale"))
            }
            return .success(checkpoint)
        } catch {
            guard error.row != nil else { throw error }
            return .failure(error)
        }
    }
}

extension DamagedRow {
    var isGreyRecord: Bool { table == "grey_record" }
}
