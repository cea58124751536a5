package import FuelPassbook
package import Quantities
package import Records
import SQLite

/// Open grey records of a terminal's own sales, which may travel to another terminal.
package struct TravellingGreys: Sendable {
    package let records: [GreyRecord]
    /// Up to which number was looked; nil when there is none behind.
    package let last: RecordNumber?
}

/// What became of a grey record that came from another terminal.
package struct TakenGrey: Sendable {
    package let entry: GreyRecordFile.Entry
    /// As it is here.
    package let record: GreyRecord
    /// It was not here before.
    package let isNew: Bool
}

extension SQLiteJournal {
    /// Those that are believed, as their sales are. What was prepaid stays: what its card pays is refunded from this journal.
    ///
    /// - Parameter count: of records that are looked at.
    package func travellingGreys(
        after number: UInt32,
        last count: Int,
        of terminal: TerminalID
    ) throws(StorageFault) -> TravellingGreys {
        let belief = try believing()
        let greys = try connection.view("read the grey records") { db -> [GreyRecord] in
            let open = "WHERE ttc > ? AND state = 'open' AND imported IS NULL ORDER BY ttc LIMIT ?"
            return try db.believed(belief, open, [ColumnValue(number), ColumnValue(count)])
        }
        var records: [GreyRecord] = []
        for grey in greys where grey.gmac.terminal == terminal {
            guard let sale = try record(grey.number), sale.kind != .prepaid else { continue }
            records.append(grey)
        }
        return TravellingGreys(records: records, last: greys.last?.number)
    }

    /// Takes grey records of another terminal, each in a step of its own; one that is here already stays as it is.
    ///
    /// - Parameter time: local.
    /// - Throws: `StorageFault`; those before it are taken then.
    package func take(_ file: GreyRecordFile, at time: TransactionTime) throws(StorageFault) -> [TakenGrey] {
        var taken: [TakenGrey] = []
        for entry in file.entries {
            if let here = try greyRecords(of: entry.gmac.card).first(where: entry.isSameLock) {
                taken.append(TakenGrey(entry: entry, record: here, isNew: false))
                continue
            }
            let record = entry.record(try reserve(), at: time)
            try commit(JournalEntry(grey: record))
            taken.append(TakenGrey(entry: entry, record: record, isNew: true))
        }
        return taken
    }

    /// Of a card, whatever their state; those that are believed.
    private func greyRecords(of card: ApplicationSerialNumber) throws(StorageFault) -> [GreyRecord] {
        let belief = try believing()
        return try connection.view("read the grey records") { db in
            try db.believed(belief, "WHERE substr(card_asn, 5) = ? ORDER BY ttc", [ColumnValue(card.number)])
        }
    }
}
