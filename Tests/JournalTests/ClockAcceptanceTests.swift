import Dispenser
import FuelPassbook
import Quantities
import Records
import SQLite
import SecurityModule
import Testing

@testable import Journal

struct ClockAcceptanceTests {
    private let customer = Customer()

    @Test func recordsThatWereAheadHoldTheClockBackNoMore() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(entry(try customer.record(1, .debitSent), at: moment(62)))
            try journal.commit(entry(try customer.record(110, .settled), at: moment(171)))
            #expect(try journal.latestTime() == moment(171))
            try journal.acceptClock(try moment(5))
            #expect(try journal.latestTime() == moment(5))
            #expect(try journal.record(RecordNumber(110))?.begun == time(110))
        }
        let journal = try scratch.open()
        #expect(try journal.latestTime() == moment(5))
        // Each later entry counts, whatever times stand in its record.
        var next = try customer.record(111, .intent)
        try journal.commit(entry(next, at: moment(7)))
        #expect(try journal.latestTime() == moment(7))
        next.ended = try time(9)
        try journal.commit(entry(next, at: moment(9)))
        #expect(try journal.latestTime() == moment(9))
        next = try customer.record(111, .debitSent)
        try journal.commit(entry(next, at: moment(11)))
        #expect(try journal.latestTime() == moment(11))
        // An entry that is written with the clock behind or not set moves nothing.
        try journal.commit(entry(next, at: moment(10)))
        try journal.commit(JournalEntry(next))
        #expect(try journal.latestTime() == moment(11))
        // It may be accepted again.
        try journal.acceptClock(try moment(6))
        #expect(try journal.latestTime() == moment(6))
    }

    @Test func aClockThatIsNotBehindIsNotAccepted() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        #expect(try fault { try journal.acceptClock(try moment(5)) } != nil)
        try journal.commit(entry(try customer.record(4, .intent), at: moment(4)))
        for seconds in [4, 5] { #expect(try fault { try journal.acceptClock(try moment(seconds)) } != nil) }
        #expect(try journal.latestTime() == moment(4))
    }

    @Test func momentsAreOrderedByUTCWhateverTheHourIsCalled() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        // An hour later in UTC, an hour earlier in words: the clocks were set back.
        let summer = StationTime(utcSeconds: 1_792_891_700, local: try time(3_600))
        let winter = StationTime(utcSeconds: 1_792_891_900, local: try time(200))
        try journal.commit(entry(try customer.record(1, .settled), at: summer))
        try journal.commit(entry(try customer.record(2, .settled), at: winter))
        #expect(try journal.latestTime() == winter)
        // The next entry before it in UTC is behind, however late it calls itself.
        try journal.acceptClock(StationTime(utcSeconds: 1_792_891_800, local: try time(7_000)))
        #expect(try journal.latestTime()?.utcSeconds == 1_792_891_800)
    }

    /// A rotten row of the clock serves no card, and an acceptance puts another in its place.
    @Test(arguments: ["local = 'nonsense'", "local = '20261399000000'", "utc = 9223372036854775807"])
    func aRowThatCannotBeBelievedIsAheadOfEveryClock(change: String) throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        try journal.commit(entry(try customer.record(1, .settled), at: moment(1)))
        try journal.connection.write { try $0.execute("UPDATE clock_floor SET \(change)") }
        let latest = try #require(try journal.latestTime())
        #expect(try moment(80_000).isBefore(latest))
        #expect("\(latest)".hasSuffix(" s UTC"))
        try journal.acceptClock(try moment(2))
        #expect(try journal.latestTime() == moment(2))
    }

    private func entry(_ record: Record, at moment: StationTime) -> JournalEntry {
        var entry = JournalEntry(record)
        entry.moment = moment
        return entry
    }
}

/// `seconds` after 2028-02-28 23:58:00 of a zone that is six hours east of UTC.
func moment(_ seconds: Int) throws -> StationTime {
    StationTime(utcSeconds: 1_835_373_480 + Int64(seconds), local: try time(seconds % 86_400))
}
