import FuelPassbook
import ISO7816
import Quantities
import Testing

struct CalendarDaysTests {
    /// Computed with `date -u -d '...' +%s`; of the year 0 by the rule that 400 years are 146,097 days.
    @Test(
        arguments: [
            ("1970-01-01 00:00:00", 0), ("1969-12-31 23:59:59", -1), ("2000-02-29 12:00:00", 951_825_600),
            ("2026-10-25 00:30:00", 1_792_888_200), ("2100-03-01 00:00:00", 4_107_542_400),
            ("9999-12-31 23:59:59", 253_402_300_799), ("1600-01-01 00:00:00", -11_676_096_000),
            ("0000-01-01 00:00:00", -62_167_219_200),
        ]
    )
    func secondsAreThoseOfPOSIX(words: String, seconds: Int) throws {
        #expect(try TransactionTime(secondsSince1970: seconds).description == words)
    }

    @Test func everyDayFollowsTheOneBefore() throws {
        var date = try CalendarDate(year: 1896, month: 1, day: 1)
        var number = date.daysSince1970
        while date.year < 2_405 {
            #expect(try CalendarDate(daysSince1970: number) == date)
            date = date.next
            number += 1
            guard date.daysSince1970 == number else {
                Issue.record("\(date) is \(date.daysSince1970), not \(number)")
                return
            }
        }
    }

    @Test(arguments: [Int.min, -62_167_219_201, 253_402_300_800, Int.max])
    func whatNoCalendarHasIsRefused(seconds: Int) {
        #expect(throws: ParseError.self) { try TransactionTime(secondsSince1970: seconds) }
    }
}
