import Dispenser
import FuelPassbook
import Quantities
import Records

/// A damaged row as `records` lists it.
struct DamagedLine: Encodable {
    let table: String
    let key: Int64?
    let column: String?
    let reason: String
    let words: String

    init(_ row: DamagedRow) {
        table = row.table
        key = row.key
        column = row.column?.printable
        reason = row.reason.printable
        words = row.description
    }
}

/// What `records` says of the rows that it does not list.
struct DamageReport: Encodable {
    let rows: [DamagedLine]
    /// Why no code was judged; nil when all were.
    let unjudged: String?

    init(_ rows: [DamagedRow], unjudged: String?) {
        self.rows = rows.map(DamagedLine.init)
        self.unjudged = unjudged
    }

    var isNone: Bool { rows.isEmpty }

    var lines: [String] {
        var lines: [String] = []
        if let unjudged { lines.append("codes of the rows: not judged, \(unjudged)") }
        if !rows.isEmpty { lines.append("damaged rows: \(rows.count), which are in none of the lists") }
        return lines + rows.map { "  \($0.words)" }
    }
}
