import FuelPassbook
package import Records
import SQLite

/// Whoever collects the records has this one: it takes no room any more (<doc:0062-room-that-comes-back>).
struct Acknowledgement: TableRow {
    static let columns = TableColumns<Acknowledgement>(
        .acknowledgement,
        Columns(
            { Acknowledgement(number: $0, user: $1) },
            column("ttc") { $0.number },
            column("user") { $0.user }
        )
    )

    let number: RecordNumber
    let user: String
}

/// Why a record cannot be acknowledged.
package enum AcknowledgementRefusal: Error, Equatable, Sendable {
    case noRecord(RecordNumber)
    /// It is not finished, or its card still owes what it says.
    case open(RecordNumber)
}

/// A finished record that nobody has acknowledged.
package struct CollectedRecord: Sendable {
    package let record: Record
    /// Its grey record is paid or released, or it has none: it may be acknowledged.
    package let isClosed: Bool
}

extension SQLiteJournal {
    private static let isOpenGrey =
        "EXISTS (SELECT 1 FROM grey_record WHERE grey_record.ttc = sale.ttc AND state NOT IN ('settled', 'void', 'elsewhere'))"

    /// The finished records that are not acknowledged and are believed, by their numbers.
    ///
    /// - Parameter number: of the last one that was collected before.
    package func collectedRecords(after number: UInt32, last count: Int) throws(StorageFault) -> [CollectedRecord] {
        let belief = try believing()
        return try connection.view("collect records") { db in
            let next = """
                WHERE ttc > ? AND phase IN ('settled', 'escaped', 'void')
                    AND NOT EXISTS (SELECT 1 FROM acknowledgement WHERE acknowledgement.ttc = sale.ttc)
                ORDER BY ttc LIMIT ?
                """
            let records: [Record] = try db.believed(belief, next, [ColumnValue(number), ColumnValue(count)])
            return try records.map { record in
                let open = "SELECT \(Self.isOpenGrey) FROM sale WHERE ttc = ?"
                let isOpen = try db.value(open, [ColumnValue(record.number.value)]) == 1
                return CollectedRecord(record: record, isClosed: !isOpen)
            }
        }
    }

    /// On disk when this returns: all of them, or none. Those that were acknowledged before stay so. Beyond the capacity, the oldest
    /// that are acknowledged leave the file.
    ///
    /// - Throws: `StorageFault`.
    /// - Returns: the first of them that refuses it, and nothing is written then.
    package func acknowledge(
        _ numbers: [RecordNumber],
        user: String,
        _ done: DoneOrder
    ) throws(StorageFault) -> AcknowledgementRefusal? {
        if let refusal = try refusal(of: numbers) { return refusal }
        let capacity = capacity
        try commitRows("acknowledge records") { writer in
            for number in numbers where try !writer.db.isAcknowledged(number) {
                try writer.replace(Acknowledgement(number: number, user: user))
            }
            try writer.append(done)
            guard let state = writer.state else { return }
            // No more than so many again, so that no step takes long.
            let tooMany = min(Int(state.records) - capacity, 2 * numbers.count)
            guard tooMany > 0 else { return }
            let oldest = "SELECT ttc FROM acknowledgement ORDER BY ttc LIMIT ?"
            for row in try writer.db.rows(oldest, [ColumnValue(tooMany)]) {
                guard let number = row.first?.integer else { continue }
                try writer.delete(number, from: .greyRecord)
                try writer.delete(number, from: .sale)
                try writer.delete(number, from: .acknowledgement)
            }
        }
        markEnd()
        return nil
    }

    private func refusal(of numbers: [RecordNumber]) throws(StorageFault) -> AcknowledgementRefusal? {
        try connection.view("look at what is acknowledged") { db in
            let sql = """
                SELECT phase IN ('settled', 'escaped', 'void') AND NOT \(Self.isOpenGrey) FROM sale WHERE ttc = ?
                """
            for number in numbers {
                switch try db.value(sql, [ColumnValue(number.value)]) {
                case 1: continue
                case nil: return .noRecord(number)
                case _: return .open(number)
                }
            }
            return nil
        }
    }
}

extension Database {
    fileprivate func isAcknowledged(_ number: RecordNumber) throws -> Bool {
        try value("SELECT 1 FROM acknowledgement WHERE ttc = ?", [ColumnValue(number.value)]) != nil
    }
}
