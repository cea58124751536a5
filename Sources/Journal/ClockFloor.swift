import FuelPassbook
import ISO7816
package import Quantities
package import Records
import SQLite

// Before which moment no sale begins: one row, the latest moment of any entry (decision 0028).

/// The last word of a technician on the clock.
struct ClockAcceptance: Sendable {
    /// 0 where there was no record.
    let after: RecordNumber
    let accepted: TransactionTime
    let behind: TransactionTime
    /// Since schema 3.
    let acceptedUTC: Int64?
    let behindUTC: Int64?
}

extension SQLiteJournal {
    package func latestTime() throws(StorageFault) -> StationTime? {
        // Where no row can be judged, the side is closed for that.
        guard writesRows else { return nil }
        let belief = try believing()
        return try connection.view("read the latest time") { try $0.clockFloor(belief) }
    }

    /// A technician says that the clock is right: the moments of the entries so far keep no card from being served any
    /// more. The records stay as they are.
    ///
    /// - Parameter now: the clock's, which is before ``latestTime()``.
    package func acceptClock(_ now: StationTime) throws(StorageFault) {
        try commitRows("accept the clock") { writer in
            guard let latest = try writer.db.clockFloor(writer.belief), now.isBefore(latest) else {
                throw StorageFault(operation: "accept the clock", reason: "no record is later than \(now)")
            }
            let last = try writer.db.numbers("SELECT max(ttc) FROM sale WHERE ttc BETWEEN 0 AND 4294967295").first
            try writer.replace(
                ClockAcceptance(
                    after: RecordNumber(UInt32(last.flatMap(\.self) ?? 0)),
                    accepted: now.local,
                    behind: latest.local,
                    acceptedUTC: now.utcSeconds,
                    behindUTC: latest.utcSeconds
                )
            )
            try writer.replace(now)
        }
    }
}

extension RowWriter {
    /// A floor that is not believed stays until a technician's word puts another in its place.
    mutating func raiseClockFloor(to moment: StationTime) throws {
        if let floor = try db.clockFloor(belief), !floor.isBefore(moment) { return }
        try replace(moment)
    }
}

extension Database {
    /// One that is not believed says that every clock is behind.
    func clockFloor(_ belief: Belief) throws -> StationTime? {
        do {
            return try believed(StationTime.self, StationTime.floorKey, belief)
        } catch let fault as StorageFault {
            guard fault.row != nil else { throw fault }
            return StationTime(utcSeconds: .max, local: .unknown)
        }
    }
}

extension StationTime {
    fileprivate static let floorKey: Int64 = 1
}

// MARK: - Migration

extension Database {
    /// Until schema 3 records were ordered by their local times, in three columns with an index each.
    func keepClockFloor() throws {
        try execute(
            """
            CREATE TABLE clock_floor (
                id INTEGER PRIMARY KEY,
                utc INTEGER NOT NULL,
                local TEXT NOT NULL
            ) STRICT;
            ALTER TABLE clock_acceptance ADD COLUMN accepted_utc INTEGER;
            ALTER TABLE clock_acceptance ADD COLUMN behind_utc INTEGER;
            \(Self.floorOfLocalTimes)
            DROP INDEX sale_lock_time;
            DROP INDEX sale_end_time;
            DROP INDEX sale_debit_time;
            """
        )
    }

    /// The latest local time of any record, or since the last acceptance, is taken as one of the board's present zone; what is
    /// no time is passed over. SQLite takes the hour that autumn repeats for its second time; the first one holds no card
    /// back.
    private static let floorOfLocalTimes = """
        INSERT INTO clock_floor (id, utc, local)
        WITH last AS (SELECT accepted, after_ttc FROM clock_acceptance ORDER BY after_ttc DESC LIMIT 1),
        times (t) AS (
            SELECT accepted FROM last
            UNION ALL SELECT lock_time FROM sale WHERE ttc > coalesce((SELECT after_ttc FROM last), 0)
            UNION ALL SELECT end_time FROM sale WHERE ttc > coalesce((SELECT after_ttc FROM last), 0)
            UNION ALL SELECT debit_time FROM sale WHERE ttc > coalesce((SELECT after_ttc FROM last), 0)
        ),
        words (t, iso) AS (
            SELECT t, substr(t, 1, 4) || '-' || substr(t, 5, 2) || '-' || substr(t, 7, 2) || ' ' || substr(t, 9, 2) || ':'
                || substr(t, 11, 2) || ':' || substr(t, 13, 2) FROM times
        ),
        latest (t, utc) AS (
            SELECT t, CAST(strftime('%s', iso, 'utc') AS INTEGER) FROM words
            WHERE strftime('%Y%m%d%H%M%S', iso, '+0 days') = t ORDER BY t DESC LIMIT 1
        )
        SELECT 1, CASE
            WHEN strftime('%Y%m%d%H%M%S', utc - 3600, 'unixepoch', 'localtime') = t THEN utc - 3600 ELSE utc END, t
        FROM latest;
        """
}
