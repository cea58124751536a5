import Dispenser
import FuelPassbook
private import Glibc
import ISO7816
package import Quantities
private import Threads

/// The board's clocks. The corresponding C functions are `clock_gettime`, `time`, `tzset` and `localtime_r`.
package final class SystemClock: StationClock, Sendable {
    /// A clock that shows an earlier year was never set.
    package static let firstYear = 2024

    package init() {}

    package var monotonicNanoseconds: UInt64 { MonotonicClock.nanoseconds }

    package var now: StationTime? { Self.moment(utcSeconds: Int64(time(nil))) }

    package var localTime: TransactionTime? { now?.local }

    /// nil for a moment of a clock that was never set.
    ///
    /// The zone is asked for each time: `localtime_r` alone goes by the one that was there when the process began. `tzset`
    /// opens and stats `/etc/localtime`, and reads it when it is another file.
    package static func moment(utcSeconds: Int64) -> StationTime? {
        tzset()
        var seconds = time_t(utcSeconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return nil }
        let year = unsafe Int(parts.tm_year) + 1900
        guard year >= firstYear else { return nil }
        do throws(ParseError) {
            let date = unsafe try CalendarDate(year: year, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
            // A leap second is shown as the one before it.
            let local = unsafe try TransactionTime(
                date: date,
                hour: Int(parts.tm_hour),
                minute: Int(parts.tm_min),
                second: min(59, Int(parts.tm_sec))
            )
            return StationTime(utcSeconds: utcSeconds, local: local)
        } catch {
            return nil
        }
    }
}
