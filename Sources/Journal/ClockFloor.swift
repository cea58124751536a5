package import Dispenser
package import FuelPassbook
import GRDB
import ISO7816

// Before which time no sale begins.

/// The last word of a technician on the clock.
private struct ClockAcceptance {
    /// 0 where there was no record.
    let afterTTC: UInt32
    let time: TransactionTime

    init(_ row: StoredRow) throws(StorageFault) {
        afterTTC = try row.integer("after_ttc")
        time = try row.time("accepted")
    }
}

extension SQLiteJournal {
    package func latestTime() throws(StorageFault) -> TransactionTime? {
        try queue.view("read the latest time") { try $0.latestTime() }
    }

    /// A technician says that the clock is right: the times of the records so far keep no card from being served any
    /// more. The records stay as they are.
    ///
    /// - Parameter time: the clock's, which is behind ``latestTime()``.
    package func acceptClock(_ time: TransactionTime) throws(StorageFault) {
        try queue.commit("accept the clock") { db in
            let latest = try db.latestTime()
            guard let latest, time < latest else {
                throw StorageFault(operation: "accept the clock", reason: "no record is later than \(time)")
            }
            let last = try UInt32.fetchOne(db, sql: "SELECT coalesce(max(ttc), 0) FROM sale")
            var row = RowValues()
            row.set("after_ttc", last)
            row.set(hex: "accepted", time)
            row.set(hex: "behind", latest)
            try db.replace(row, in: .clockAcceptance)
        }
    }
}

extension Database {
    fileprivate func latestTime() throws -> TransactionTime? {
        let last = "WHERE after_ttc = (SELECT max(after_ttc) FROM clock_acceptance)"
        let accepted = try rows(of: .clockAcceptance, last).first.map(ClockAcceptance.init)
        let times = try ["lock_time", "end_time", "debit_time"].compactMap { column in
            try latest(column, since: accepted)?.time(column)
        }
        return (times + [accepted?.time].compactMap(\.self)).max()
    }

    /// An index on `column` brings the latest first, and after an acceptance no more than the false ones before it.
    private func latest(_ column: String, since accepted: ClockAcceptance?) throws -> StoredRow? {
        guard let accepted else {
            let highest = "SELECT max(\(column)) FROM sale WHERE \(column) IS NOT NULL"
            return try rows(of: .sale, "WHERE \(column) = (\(highest)) LIMIT 1").first
        }
        return try rows(
            of: .sale,
            "WHERE \(column) > ? AND +ttc > ? ORDER BY \(column) DESC LIMIT 1",
            [Hex.string(accepted.time.bytes), accepted.afterTTC]
        ).first
    }
}
