import CardCryptography
import Quantities
import Records
import SQLite

/// Which rows are not believed although their codes are right: older ones put back, and those that are gone.
struct Doubts: Sendable {
    struct Place: Hashable, Sendable {
        let table: String
        let key: Int64
    }

    /// Several rows of a class are amiss; those that this process wrote since are not among them.
    struct Several: Sendable {
        let reason: String
        var written: Set<Int64> = []
    }

    var rows: [Place: String] = [:]
    var classes: [RowClass: Several] = [:]

    mutating func merge(_ other: Doubts) {
        rows.merge(other.rows) { mine, _ in mine }
        classes.merge(other.classes) { mine, _ in mine }
    }

    /// Why the row is not believed; nil when it is.
    func reason(_ rowClass: RowClass, _ key: Int64) -> String? {
        if let reason = rows[Place(table: rowClass.table.name, key: key)] { return reason }
        guard let several = classes[rowClass], !several.written.contains(key) else { return nil }
        return several.reason
    }

    /// A write has put the row right.
    mutating func isWritten(_ rowClass: RowClass, _ key: Int64) {
        rows[Place(table: rowClass.table.name, key: key)] = nil
        classes[rowClass]?.written.insert(key)
    }
}

/// What reading a journal through has found amiss.
struct Findings: Sendable {
    var damaged: [DamagedRow] = []
    var doubts = Doubts()

    /// Nothing is named twice.
    mutating func merge(_ other: Findings) {
        let named = Set(damaged.map { Doubts.Place(table: $0.table, key: $0.key ?? -1) })
        damaged += other.damaged.filter { !named.contains(Doubts.Place(table: $0.table, key: $0.key ?? -1)) }
        doubts.merge(other.doubts)
    }
}

extension JournalTable {
    /// - Throws: as a row's own initialiser.
    func parse(_ row: StoredRow) throws(StorageFault) { _ = try rows?.init(row) }
}

/// One class as it was read.
private struct ClassReading {
    var sums = RowSums.zero
    var damagedKeys: Set<Int64?> = []
}

extension Database {
    /// Reads every row of `classes`, judges its code, and compares what they add up to.
    ///
    /// - Parameters:
    ///   - key: nil when codes cannot be judged: then rows are only read.
    ///   - state: nil when it is not believed: then an older row put back is not told.
    func findings(_ classes: Set<RowClass>, _ key: JournalKey?, _ state: JournalState?) throws -> Findings {
        var findings = Findings()
        for table in JournalTable.coded where classes.contains(where: { $0.table.name == table.name }) {
            var readings: [RowClass: ClassReading] = [:]
            var isParsed = false
            let onlyOpen = table.name == JournalTable.sale.name && !classes.contains(.closedSale)
            try visit(table, onlyOpen ? Self.openSales : "", []) { row in
                do throws(StorageFault) {
                    if let key {
                        let code = try row.verifiedCode(key)
                        readings[row.rowClass, default: ClassReading()].sums.add(code.hidden, key: row.rowKey ?? 0)
                        // What was written can be read, while the table has its columns: one row of many shows it.
                        if isParsed, row.rowClass.isBelievedApart { return }
                    }
                    try table.parse(row)
                    isParsed = true
                } catch {
                    guard let damaged = error.row else { throw error }
                    findings.damaged.append(damaged)
                    readings[row.rowClass, default: ClassReading()].damagedKeys.insert(damaged.key)
                }
            }
            guard let state, key != nil else { continue }
            let damagedKeys = readings.values.reduce(into: Set<Int64?>()) { $0.formUnion($1.damagedKeys) }
            for rowClass in classes where rowClass.table.name == table.name {
                let missing = state[rowClass] - (readings[rowClass]?.sums ?? .zero)
                guard missing != .zero else { continue }
                findings.merge(try doubt(rowClass, missing, damagedKeys))
            }
        }
        return findings
    }

    static let openSales = "WHERE phase NOT IN ('settled', 'escaped', 'void') ORDER BY ttc"

    private func doubt(
        _ rowClass: RowClass,
        _ missing: RowSums,
        _ damagedKeys: Set<Int64?>
    ) throws -> Findings {
        let table = rowClass.table
        var findings = Findings()
        guard let only = missing.onlyKey else {
            let reason =
                "several rows were put back, removed or changed"
                + (rowClass.isBelievedApart ? "" : ": no \(rowClass.words) is believed")
            findings.damaged.append(
                DamagedRow(table: table.name, keyName: table.keyName, key: nil, column: nil, reason: reason)
            )
            if !rowClass.isBelievedApart { findings.doubts.classes[rowClass] = Doubts.Several(reason: reason) }
            return findings
        }
        // A row whose code is wrong is named by it, and what is missing is what it was.
        if damagedKeys.contains(only) { return findings }
        let present = try rows(of: table, "WHERE \(table.key) = ?", [ColumnValue(only)]).first
        let reason = present == nil ? "the row was removed" : "an older row was put back in its place"
        var damaged =
            present?.damagedRow(column: nil, reason)
            ?? DamagedRow(table: table.name, keyName: table.keyName, key: only, column: nil, reason: reason)
        damaged.isOpen = rowClass == .openSale
        findings.damaged.append(damaged)
        findings.doubts.rows[Doubts.Place(table: table.name, key: only)] = reason
        return findings
    }

    /// Without keeping the rows.
    func visit(
        _ table: JournalTable,
        _ condition: String,
        _ arguments: [ColumnValue],
        _ body: (StoredRow) throws -> Void
    ) throws {
        var layout: RowLayout?
        try forEach("SELECT * FROM \(table.name) \(condition)", arguments) { statement in
            let known = layout ?? RowLayout.of(table, statement.columns)
            layout = known
            try body(StoredRow(layout: known, statement: statement))
        }
    }
}

extension RowClass {
    fileprivate var words: String {
        switch self {
        case .openSale: "open record"
        case .closedSale: "finished record"
        case .checkpoint: "checkpoint"
        case .greyRecord: "grey record"
        case .totaliser: "totaliser"
        case .sideLock: "position's lock"
        case .clockAcceptance: "accepted clock"
        case .clockFloor: "latest time"
        case .numbering: "numbering"
        case .acceptance: "acceptance"
        case .serviceRun: "run of the service"
        case .overrun: "overrun"
        case .pulserFault: "count of pulser faults"
        case .lockClearing: "word on a position's lock"
        case .priceChange: "change of a price"
        case .totalsDifference: "difference of totals"
        case .parameterMark: "version of parameters"
        case .sideBlock: "order that closes a position"
        case .stationOrder: "order"
        case .priceOrder: "order of a price"
        case .acknowledgement: "acknowledgement"
        }
    }
}
