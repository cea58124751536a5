import Dispenser
import FuelPassbook
import Journal
import Testing

struct ClockAcceptanceTests {
    private let customer = Customer()

    @Test func recordsThatWereAheadHoldTheClockBackNoMore() throws {
        let scratch = try Scratch()
        do {
            let journal = try scratch.open()
            try journal.commit(JournalEntry(try customer.record(1, .debitSent)))
            try journal.commit(JournalEntry(try customer.record(110, .settled)))
            let ahead = try journal.latestTime()
            #expect(try ahead == time(171))
            try journal.acceptClock(try time(5))
            #expect(try journal.latestTime() == time(5))
            #expect(try journal.record(TTC(110))?.lockTime == time(110))
        }
        let journal = try scratch.open()
        #expect(try journal.latestTime() == time(5))
        // Each column of a later record counts, and no column of an earlier one.
        var next = try customer.record(111, .intent)
        next.lockTime = try time(7)
        try journal.commit(JournalEntry(next))
        #expect(try journal.latestTime() == time(7))
        next.endTime = try time(9)
        try journal.commit(JournalEntry(next))
        #expect(try journal.latestTime() == time(9))
        next.debit = DebitAttempt(ttc: next.ttc, type: .refuel, time: try time(11))
        try journal.commit(JournalEntry(next))
        #expect(try journal.latestTime() == time(11))
        // It may be accepted again.
        try journal.acceptClock(try time(6))
        #expect(try journal.latestTime() == time(6))
    }

    @Test func aClockThatIsNotBehindIsNotAccepted() throws {
        let scratch = try Scratch()
        let journal = try scratch.open()
        #expect(try fault { try journal.acceptClock(try time(5)) } != nil)
        try journal.commit(JournalEntry(try customer.record(4, .intent)))
        for seconds in [4, 5] { #expect(try fault { try journal.acceptClock(try time(seconds)) } != nil) }
        #expect(try journal.latestTime() == time(4))
    }
}
