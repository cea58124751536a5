import Dispenser
package import FuelPassbook
private import Glibc
import ISO7816
private import Threads

/// The board's clocks. The corresponding C functions are `clock_gettime`, `time` and `localtime_r`.
package final class SystemClock: StationClock, Sendable {
    /// A clock that shows an earlier year was never set.
    package static let firstYear = 2024

    package init() {}

    package var monotonicNanoseconds: UInt64 { MonotonicClock.nanoseconds }

    package var localTime: TransactionTime? {
        var seconds = time(nil)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return nil }
        let year = unsafe Int(parts.tm_year) + 1900
        guard year >= Self.firstYear else { return nil }
        do throws(ParseError) {
            let date = unsafe try CalendarDate(year: year, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
            // A leap second is shown as the one before it.
            return unsafe try TransactionTime(
                date: date,
                hour: Int(parts.tm_hour),
                minute: Int(parts.tm_min),
                second: min(59, Int(parts.tm_sec))
            )
        } catch {
            return nil
        }
    }
}
