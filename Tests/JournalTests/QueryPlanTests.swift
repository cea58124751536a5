import Dispenser
import FuelPassbook
import Records
import TestJournals
import Testing

@testable import Journal
@testable import SQLite

/// SQLite says in advance how it will read a table (https://www.sqlite.org/eqp.html): SEARCH by a key, or SCAN from end
/// to end, which a sale must not wait for.
struct QueryPlanTests {
    /// They hold the rows of open records only.
    private static let openIndexes = ["sale_open", "grey_record_open"]
    private let customer = Customer()

    /// The steps of the statement's plan that visit all rows of a table.
    private func scans(_ sql: String, _ journal: SQLiteJournal) throws -> [String] {
        let unbound = Array(repeating: ColumnValue.null, count: sql.count { $0 == "?" })
        let steps = try journal.connection.withDatabase { db in
            // The last column says it in words.
            try db.rows("EXPLAIN QUERY PLAN \(sql)", unbound).compactMap(\.last?.text)
        }
        return steps.filter { step in
            step.hasPrefix("SCAN") && !Self.openIndexes.contains { step.hasSuffix("USING INDEX \($0)") }
        }
    }

    @Test func noCallOfASaleReadsATableFromEndToEnd() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        // Waits for the check, which does.
        _ = try journal.room()
        let statements = try statements(of: journal) {
            for (number, phase) in RecordPhase.allCases.enumerated() {
                let entry = JournalEntry(
                    try customer.record(UInt32(number + 1), phase, fen: 5),
                    grey: try customer.grey(1, fen: 5),
                    totaliser: customer.totaliser(fen: 5),
                    lock: SideLock(side: 1, since: try time(1), reason: "test")
                )
                try journal.commit(entry)
            }
            try journal.checkpoint(try customer.checkpoint(1, fen: 5))
            _ = (
                try journal.reserve(), try journal.room(), try journal.latestTime(), try journal.record(RecordNumber(1))
            )
            _ = (try journal.openRecords(), try journal.openGreyRecords(of: customer.asn))
            _ = (try journal.usesPetrolCommands(customer.asn), try journal.hasPurchase(of: customer.asn, CTC(1)))
            _ = (try journal.lastCheckpoint(of: RecordNumber(1)), try journal.totaliser(of: 1), try journal.lock(of: 1))
            try journal.clearLock(of: 1)
        }
        #expect(statements.filter { $0.hasPrefix("SELECT") }.count >= 9)
        for sql in statements { #expect(try scans(sql, journal) == [], "\(sql)") }
    }

    @Test func aScanIsSeen() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        for sql in ["SELECT count(*) FROM sale", "SELECT * FROM sale WHERE card_asn = ?", "SELECT * FROM grey_record"] {
            #expect(try scans(sql, journal).count == 1, "\(sql)")
        }
    }

    /// What the journal asks of SQLite meanwhile.
    private func statements(of journal: SQLiteJournal, _ body: () throws -> Void) throws -> Set<String> {
        try journal.connection.withDatabase { $0.statements = [:] }
        try body()
        return Set(try journal.connection.withDatabase { Array($0.statements.keys) })
    }
}
