import FuelPassbook
import ISO7816
import Metering
package import Quantities
package import Records
import SQLite

/// A row of what happened at a position or nozzle, under a number that counts up there.
struct HistoryRow<Value: HistoryValue>: TableRow {
    static var columns: TableColumns<HistoryRow<Value>> { Value.rows }

    let number: Int64
    let value: Value
}

protocol HistoryValue: Sendable {
    static var rows: TableColumns<HistoryRow<Self>> { get }
    /// The newest that are kept at each position; nil for all.
    static var rowsMax: Int? { get }
    /// Which of too many goes, by its place among them, the oldest first; nil for the oldest.
    static var whichGoes: (([Self]) -> Int)? { get }

    /// Whose numbers count up apart.
    var position: Int { get }
}

extension HistoryValue {
    static var whichGoes: (([Self]) -> Int)? { nil }
}

extension HistoryRow {
    /// The numbers that a position has.
    static func numbers(of position: Int) -> ClosedRange<Int64> {
        let first = Int64(position) << 24
        return first...first + (1 << 24 - 1)
    }

    static func made(_ columns: Columns<Value, Value>) -> Columns<HistoryRow<Value>, HistoryRow<Value>> {
        Columns(
            { (number, value) throws(ColumnFault) in
                guard numbers(of: value.position).contains(number) else {
                    throw ColumnFault("number", "is another position's")
                }
                return HistoryRow(number: number, value: value)
            },
            column("number") { $0.number },
            columns.of { $0.value }
        )
    }
}

extension LockClearing: HistoryValue {
    static let rows = TableColumns<HistoryRow<LockClearing>>(
        .lockClearing,
        HistoryRow.made(
            Columns(
                { LockClearing(of: SideLock(side: $0, since: $1, reason: $2), at: $3, name: $4, reason: $5) },
                column("position") { $0.lock.side },
                column("closed_since") { $0.lock.since },
                column("closed_reason") { $0.lock.reason },
                StationTime.named("cleared").ifThere { $0.time },
                column("name") { $0.name },
                column("reason") { $0.reason }
            )
        )
    )
    static let rowsMax: Int? = nil

    var position: Int { lock.side }
}

extension PriceChange: HistoryValue {
    static let rows = TableColumns<HistoryRow<PriceChange>>(
        .priceChange,
        HistoryRow.made(
            Columns(
                { PriceChange(side: $0, at: $1, from: $2, to: $3, user: $4) },
                column("position") { $0.side },
                StationTime.named("since").ifThere { $0.time },
                column("from_fen_per_litre") { $0.from },
                column("to_fen_per_litre") { $0.to },
                column("user") { $0.user }
            )
        )
    )
    static let rowsMax: Int? = keptMax

    var position: Int { side }
}

extension TotaliserDifference: HistoryValue {
    static let rows = TableColumns<HistoryRow<TotaliserDifference>>(
        .totalsDifference,
        HistoryRow.made(
            Columns(
                { nozzle, time, keeper, volume, fen, nextVolume, nextFen in
                    TotaliserDifference(
                        at: time,
                        keeper,
                        from: NozzleTotal(nozzle: nozzle, volume: Volume(microlitres: volume.number), fen: fen.number),
                        to: NozzleTotal(
                            nozzle: nozzle,
                            volume: Volume(microlitres: nextVolume.number),
                            fen: nextFen.number
                        )
                    )
                },
                column("nozzle") { $0.nozzle },
                StationTime.named("found").ifThere { $0.time },
                column("keeper") { $0.keeper },
                column("from_microlitres") { Within<TotalBounds>($0.from.volume.microlitres) },
                column("from_fen") { Within<TotalBounds>($0.from.fen) },
                column("to_microlitres") { Within<TotalBounds>($0.to.volume.microlitres) },
                column("to_fen") { Within<TotalBounds>($0.to.fen) }
            )
        )
    )
    static let rowsMax: Int? = keptMax

    var position: Int { nozzle }
}

extension TotaliserKeeper: Stored {}

extension StationTime {
    /// Two columns, by UTC and as the station called it.
    static func named(_ name: String) -> Columns<StationTime, StationTime> {
        Columns(
            StationTime.init,
            column(name + "_utc") { $0.utcSeconds },
            column(name) { $0.local }
        )
    }
}

extension PulserFaultCount: TableRow {
    static let columns = TableColumns<PulserFaultCount>(
        .pulserFault,
        Columns(
            { (key, side, day, faults) throws(ColumnFault) in
                guard key == PulserFaultCount.key(side, day) else {
                    throw ColumnFault("id", "is another position's or day's")
                }
                return PulserFaultCount(side: side, day: day, faults: faults)
            },
            column("id") { key($0.side, $0.day) },
            column("position") { $0.side },
            column("day") { $0.day },
            PulserFaults.columns.of { $0.faults }
        )
    )

    /// The position before the digits of the day.
    fileprivate static func key(_ side: Int, _ day: CalendarDate?) -> Int64 {
        Int64(side) * 100_000_000 + Int64(day?.ordinal ?? 0)
    }

    fileprivate static func keys(of side: Int) -> ClosedRange<Int64> { key(side, nil)...key(side + 1, nil) - 1 }
}

extension Database {
    /// Those of these numbers that are believed, in their order.
    func believed<Value: HistoryValue>(
        _ belief: Belief,
        _ range: ClosedRange<Int64>
    ) throws -> [HistoryRow<Value>] {
        let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
        return try believed(belief, "WHERE number BETWEEN ? AND ? ORDER BY number", bounds)
    }
}

extension RowWriter {
    /// Behind what the position has; what is older than the newest that are kept goes.
    mutating func append<Value: HistoryValue>(_ value: Value) throws {
        let table = Value.rows.table
        let range = HistoryRow<Value>.numbers(of: value.position)
        let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
        let newest = "SELECT max(number) FROM \(table.name) WHERE number BETWEEN ? AND ?"
        var last = try db.numbers(newest, bounds).first.flatMap(\.self) ?? range.lowerBound
        if last == range.upperBound, Value.rowsMax != nil { last = try renumber(Value.self, range) }
        guard last < range.upperBound else {
            throw StorageFault(operation: "commit", reason: "table \(table.name) has no number left")
        }
        try replace(HistoryRow(number: last + 1, value: value))
        guard let kept = Value.rowsMax else { return }
        if let whichGoes = Value.whichGoes {
            var rows: [HistoryRow<Value>] = try db.believed(belief, range)
            while rows.count > kept {
                try delete(rows.remove(at: whichGoes(rows.map(\.value))).number, from: table)
            }
        } else {
            try deleteAllBut(kept, of: table, range)
        }
    }

    /// The few that are kept begin again with the first number: a position would have no other after 16 million.
    ///
    /// - Returns: the last number that is taken then.
    private mutating func renumber<Value: HistoryValue>(_: Value.Type, _ range: ClosedRange<Int64>) throws -> Int64 {
        var last = range.lowerBound
        for row in try db.believed(belief, range) as [HistoryRow<Value>] {
            try delete(row.number, from: Value.rows.table)
            last += 1
            try replace(HistoryRow(number: last, value: row.value))
        }
        return last
    }

    /// To the counts of the day, and of all days.
    ///
    /// - Parameter day: nil where no clock tells.
    mutating func add(_ new: NewPulserFaults, on day: CalendarDate?) throws {
        for day in Set([nil, day]) {
            let key = PulserFaultCount.key(new.side, day)
            let belief = belief
            let old = try belief.ifBelieved { [db] () throws(StorageFault) -> PulserFaultCount? in
                do { return try db.believed(PulserFaultCount.self, key, belief) } catch {
                    throw StorageFault("read the pulser's faults", error)
                }
            }
            let faults = (old.flatMap(\.self)?.faults ?? PulserFaults()) + new.faults
            try replace(PulserFaultCount(side: new.side, day: day, faults: faults))
        }
        let days = PulserFaultCount.keys(of: new.side)
        try deleteAllBut(PulserFaultCount.daysMax, of: .pulserFault, days.lowerBound + 1...days.upperBound)
    }

    private mutating func deleteAllBut(_ kept: Int, of table: JournalTable, _ range: ClosedRange<Int64>) throws {
        let old = """
            SELECT \(table.key) FROM \(table.name) WHERE \(table.key) BETWEEN ? AND ?
            ORDER BY \(table.key) DESC LIMIT -1 OFFSET ?
            """
        let arguments = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound), ColumnValue(kept)]
        for key in try db.rows(old, arguments).compactMap({ $0.first?.integer }) { try delete(key, from: table) }
    }
}

extension SQLiteJournal {
    package func deliveries(of nozzle: Int, last count: Int) throws(StorageFault) -> [Record] {
        let belief = try believing()
        return try connection.view("read the last deliveries") { db in
            let newest = "WHERE totaliser_nozzle = ? AND volume_microlitres != 0 ORDER BY ttc DESC LIMIT ?"
            return try db.believed(belief, newest, [ColumnValue(nozzle), ColumnValue(count)])
        }
    }

    /// What a tool delivered at a nozzle behind a record, by rising number, as far as it is believed.
    package func tests(of nozzle: Int, after last: RecordNumber) throws(StorageFault) -> [Record] {
        let belief = try believing()
        return try connection.view("read the tests") { db in
            let later = "WHERE ttc > ? AND kind = ? AND nozzle = ? ORDER BY ttc"
            let arguments = [ColumnValue(Int(last.value)), ColumnValue(RecordKind.test.rawValue), ColumnValue(nozzle)]
            return try db.believed(belief, later, arguments)
        }
    }

    package func lastPrice(of side: Int) throws(StorageFault) -> UnitPrice? {
        let range = HistoryRow<PriceChange>.numbers(of: side)
        let belief = try believing()
        return try connection.view("read the last price") { db in
            let newest = "WHERE number BETWEEN ? AND ? ORDER BY number DESC"
            let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
            let row = try db.firstBelieved(of: .priceChange, newest, bounds, belief)
            return try row.map(HistoryRow<PriceChange>.init)?.value.to
        }
    }

    /// All since the journal was begun first, then each day; those that are believed.
    package func pulserFaults(of side: Int) throws(StorageFault) -> [PulserFaultCount] {
        let range = PulserFaultCount.keys(of: side)
        let belief = try believing()
        return try connection.view("read the pulser's faults") { db in
            let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
            return try db.believed(belief, "WHERE id BETWEEN ? AND ? ORDER BY id", bounds)
        }
    }
}

extension JournalReader {
    /// All since the journal was begun first, then each day.
    package func pulserFaults(of side: Int) throws(StorageFault) -> [PulserFaultCount] {
        let range = PulserFaultCount.keys(of: side)
        let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
        return try values("WHERE id BETWEEN ? AND ? ORDER BY id", bounds)
    }

    /// Who opened the side, in that order.
    package func clearings(of side: Int) throws(StorageFault) -> [LockClearing] { try history(of: side) }

    /// What was behind the nozzle's totals, in that order.
    package func differences(of nozzle: Int) throws(StorageFault) -> [TotaliserDifference] {
        try history(of: nozzle)
    }

    /// In their order.
    package func priceChanges(of side: Int) throws(StorageFault) -> [PriceChange] { try history(of: side) }

    private func history<Value: HistoryValue>(of position: Int) throws(StorageFault) -> [Value] {
        let range = HistoryRow<Value>.numbers(of: position)
        let bounds = [ColumnValue(range.lowerBound), ColumnValue(range.upperBound)]
        let rows: [HistoryRow<Value>] = try values("WHERE number BETWEEN ? AND ? ORDER BY number", bounds)
        return rows.map(\.value)
    }
}
