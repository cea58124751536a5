import FuelPassbook
import Metering
import Quantities
import Records
import SecurityModule
import Simulation
import TestFolders
import TestJournals
import Testing

@testable import Journal

/// Faults by day and for life, who opened a side, and what it sold at.
struct HistoryTests {
    private func faults(_ missed: Int, gaps: Int = 0) -> PulserFaults {
        var faults = PulserFaults()
        (faults.missedEdges, faults.flowGaps) = ([missed, 2 * missed], gaps)
        return faults
    }

    private func day(_ number: Int) throws -> StationTime {
        let seconds = 1_780_000_000 + number * 86_400
        return StationTime(utcSeconds: Int64(seconds), local: try TransactionTime(secondsSince1970: seconds))
    }

    private func entry(_ faults: PulserFaults, side: Int = 1, on day: StationTime?) -> JournalEntry {
        var entry = JournalEntry(faults: NewPulserFaults(side: side, faults))
        entry.moment = day
        return entry
    }

    @Test func faultsAreSummedByDayAndForLifeOfEachSide() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(entry(faults(1), on: try day(1)))
            try journal.commit(entry(faults(2, gaps: 3), on: try day(1)))
            try journal.commit(entry(faults(5), side: 2, on: try day(1)))
        }
        let journal = try scratch.open()
        try journal.commit(entry(faults(1), on: try day(2)))
        try journal.commit(entry(faults(1), on: nil))
        #expect(JournalEntry(faults: NewPulserFaults(side: 1, PulserFaults())).faults == nil)
        let counts = try journal.pulserFaults(of: 1)
        let days = try [day(1), day(2)].map(\.local.date)
        #expect(counts.map(\.day) == [nil] + days)
        #expect(counts.map(\.faults) == [faults(5, gaps: 3), faults(3, gaps: 3), faults(1)])
        #expect(try journal.pulserFaults(of: 2).map(\.faults) == [faults(5), faults(5)])
        #expect(try JournalReader(path: scratch.path, key: .demonstration).pulserFaults(of: 1) == counts)
    }

    @Test func theNewest400DaysAreKeptAndNothingIsNamed() throws {
        let scratch = try Scratch(in: .memory)
        let memory = MemoryJournal()
        do {
            let journal = try scratch.open()
            try journal.commit(entry(faults(7), side: 2, on: try day(0)))
            for number in 0..<403 {
                let entry = entry(faults(1), on: try day(number))
                try journal.commit(entry)
                memory.commit(entry)
            }
        }
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        let counts = try reader.pulserFaults(of: 1)
        let third = try day(3).local.date
        #expect(counts.count == 401 && counts[0].faults == faults(403) && counts[1].day == third)
        #expect(memory.pulserFaults(of: 1) == counts)
        #expect(try reader.pulserFaults(of: 2).count == 2)
        #expect(try reader.damagedRows == [])
        let journal = try scratch.open()
        _ = try journal.room()
        #expect(try journal.damagedRows() == [])
    }

    @Test func aChangedCountIsNamedAndTheNextFaultBeginsAnew() throws {
        let scratch = try Scratch()
        do { try scratch.open().commit(entry(faults(4), on: try day(1))) }
        try scratch.edit("UPDATE pulser_fault SET missed_edges = '[0,0]'")
        let journal = try scratch.open()
        _ = try journal.room()
        #expect(try Set(journal.damagedRows().map(\.table)) == ["pulser_fault"])
        #expect(try journal.pulserFaults(of: 1) == [])
        try journal.commit(entry(faults(1), on: try day(1)))
        #expect(try journal.pulserFaults(of: 1).map(\.faults) == [faults(1), faults(1)])
    }

    @Test func whoOpenedASideIsKeptWithWhatHadClosedIt() throws {
        let scratch = try Scratch()
        let locks = try [3, 1, 3].map { SideLock(side: $0, since: try time($0), reason: "\($0) pulser faults") }
        var words: [LockClearing] = []
        do {
            let journal = try scratch.open()
            for (index, lock) in locks.enumerated() {
                try journal.commit(JournalEntry(lock: lock))
                let word = LockClearing(
                    of: lock,
                    at: index == 1 ? nil : try day(index),
                    name: "李雷",
                    reason: "mended \(index)"
                )
                try journal.clear(word)
                #expect(try journal.lock(of: lock.side) == nil)
                words.append(word)
            }
        }
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try reader.clearings(of: 3) == [words[0], words[2]])
        #expect(try reader.clearings(of: 1) == [words[1]] && reader.clearings(of: 2) == [])
        try scratch.edit("UPDATE lock_clearing SET name = 'somebody else' WHERE position = 1")
        let edited = try JournalReader(path: scratch.path, key: .demonstration)
        #expect(try edited.clearings(of: 1) == [] && edited.damagedRows.map(\.table) == ["lock_clearing"])
    }

    @Test func theLast100PricesOfEachSideAreKept() throws {
        let scratch = try Scratch(in: .memory)
        do {
            let journal = try scratch.open()
            #expect(try journal.lastPrice(of: 1) == nil)
            for number in 0..<104 {
                var entry = JournalEntry()
                let from = number == 0 ? nil : UnitPrice(fenPerLitre: 700 + number - 1)
                let to = UnitPrice(fenPerLitre: 700 + number)
                entry.price = PriceChange(side: 1, at: try day(number), from: from, to: to)
                try journal.commit(entry)
            }
            var other = JournalEntry()
            other.price = PriceChange(side: 2, at: nil, from: nil, to: UnitPrice(fenPerLitre: 1))
            try journal.commit(other)
            #expect(try journal.lastPrice(of: 1) == UnitPrice(fenPerLitre: 803))
        }
        let reader = try JournalReader(path: scratch.path, key: .demonstration)
        let changes = try reader.priceChanges(of: 1)
        #expect(changes.count == 100 && changes.first?.from == UnitPrice(fenPerLitre: 703))
        let last = try day(103)
        #expect(changes.last?.to == UnitPrice(fenPerLitre: 803) && changes.last?.time == last)
        #expect(try reader.priceChanges(of: 2).map(\.from) == [nil])
        #expect(try reader.damagedRows == [])
    }

    /// A row that is moved to another position, or its day, is not believed, whatever its code.
    @Test(arguments: [
        "UPDATE price_change SET number = number + (1 << 24)",
        "UPDATE pulser_fault SET id = id + 1 WHERE day IS NOT NULL",
    ])
    func aRowStandsUnderItsOwnKey(edit: String) throws {
        let scratch = try Scratch()
        do {
            var entry = entry(faults(1), on: try day(1))
            entry.price = PriceChange(side: 1, at: nil, from: nil, to: UnitPrice(fenPerLitre: 1))
            try scratch.open().commit(entry)
        }
        try scratch.edit(edit)
        let damaged = try JournalReader(path: scratch.path).damagedRows
        #expect(damaged.first?.reason.contains("another position's") == true, "\(damaged)")
    }
}
