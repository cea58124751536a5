import Metering
import Records
import SQLite
import Testing

@testable import Journal

/// What valves have shown, as it stands in the journal.
struct OverrunColumnsTests {
    private static let times = ClosingTimes(microseconds: [nil, 90_000, nil, nil, 110_500, nil])

    @Test func theListsAreThoseOfTheSchema() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(JournalEntry(overrun: Overrun(nozzle: 5, counts: 2, slow: Self.times)))
        let row = try journal.connection.read { db in
            try db.rows(
                "SELECT counts, main_microseconds, slow_microseconds, change_over_microseconds FROM overrun WHERE nozzle = 5"
            )
        }
        #expect(row == [[.integer(2), .null, .text("[-1,90000,-1,-1,110500,-1]"), .null]])
    }

    /// A row of schema 7 has no lists, and its code is over the same as before.
    @Test func aRowWithoutListsIsThatOfTheEarlierVersion() throws {
        let overrun = Overrun(nozzle: 5, counts: 2)
        let earlier = RowLayout.of(.overrun, ["nozzle", "counts"])
        let bytes = earlier.bytes([.integer(5), .integer(2)])
        #expect(Overrun.columns.layout.bytes(Overrun.columns.cells(of: overrun)) == bytes)
        let learnt = Overrun(nozzle: 5, counts: 2, main: Self.times)
        #expect(Overrun.columns.layout.bytes(Overrun.columns.cells(of: learnt)) != bytes)
    }

    @Test(arguments: [
        "'[1,2,3,4,5]'", "'[1,2,3,4,5,6,7]'", "'[-2,1,1,1,1,1]'", "'[1,1,1,1,1,10000001]'", "'[-1,-1,-1,-1,-1,-1]'",
        "'1,2,3,4,5,6'", "''", "'[ 1,2,3,4,5,6]'",
    ])
    func anythingElseIsRefusedByName(value: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        for column in ["main_microseconds", "slow_microseconds", "change_over_microseconds"] {
            try journal.commit(JournalEntry(overrun: Overrun(nozzle: 5, counts: 2, slow: Self.times)))
            try journal.connection.write { try $0.execute("UPDATE overrun SET \(column) = \(value)") }
            let damaged = try #require(try JournalReader(path: scratch.path).damagedRows.first)
            #expect(
                damaged.description.hasPrefix("table overrun, nozzle 5, column \(column): "),
                "\(damaged.description)"
            )
        }
    }
}
