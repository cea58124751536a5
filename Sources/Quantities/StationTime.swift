import ISO7816

/// A moment by the station's clock (decision 0028). Moments are ordered by UTC, which rises through every change of zone and
/// of daylight saving; records, MACs and displays carry the local time.
package struct StationTime: Equatable, Sendable {
    /// Seconds since the beginning of 1970 in UTC, without leap seconds.
    package let utcSeconds: Int64
    package let local: TransactionTime

    package init(utcSeconds: Int64, local: TransactionTime) {
        self.utcSeconds = utcSeconds
        self.local = local
    }

    package func isBefore(_ other: StationTime) -> Bool { utcSeconds < other.utcSeconds }
}

extension StationTime: CustomStringConvertible {
    /// `YYYY-MM-DD hh:mm:ss, YYYY-MM-DD hh:mm:ss UTC`, the local time first.
    package var description: String { "\(local), \(utcWords)" }

    private var utcWords: String {
        do throws(ParseError) {
            guard let seconds = Int(exactly: utcSeconds) else { throw .invalid("time") }
            return "\(try TransactionTime(secondsSince1970: seconds)) UTC"
        } catch {
            return "\(utcSeconds) s UTC"
        }
    }
}
