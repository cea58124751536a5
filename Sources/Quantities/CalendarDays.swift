package import ISO7816

// Days and seconds as one number, by the Gregorian calendar without leap seconds: what POSIX counts, where the date and time
// are those of UTC.

extension CalendarDate {
    private static let daysInEra = 146_097
    private static let daysBefore1970 = 719_468
    /// More than ten thousand years have.
    private static let daysMax = 10_000 * 366

    /// Before the year 1970 less than zero.
    package var daysSince1970: Int {
        // Years begin in March, so that the leap day is the last of its year; an era is 400 of them.
        let march = month > 2 ? year : year - 1
        let era = (march >= 0 ? march : march - 399) / 400
        let yearOfEra = march - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * Self.daysInEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - Self.daysBefore1970
    }

    /// - Throws: `.invalid` before the year 0 and after 9999.
    package init(daysSince1970 days: Int) throws(ParseError) {
        guard (-Self.daysMax...Self.daysMax).contains(days) else { throw .invalid("date") }
        let shifted = days + Self.daysBefore1970
        let era = (shifted >= 0 ? shifted : shifted - Self.daysInEra + 1) / Self.daysInEra
        let dayOfEra = shifted - era * Self.daysInEra
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        try self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
            month: month,
            day: dayOfYear - (153 * march + 2) / 5 + 1
        )
    }
}

extension TransactionTime {
    private static let secondsOfDay = 86_400

    /// - Throws: `.invalid` before the year 0 and after 9999.
    package init(secondsSince1970 seconds: Int) throws(ParseError) {
        let whole = seconds / Self.secondsOfDay
        let days = seconds % Self.secondsOfDay < 0 ? whole - 1 : whole
        let date = try CalendarDate(daysSince1970: days)
        let clock = seconds - days * Self.secondsOfDay
        try self.init(
            date: date,
            hour: clock / 3_600,
            minute: clock / 60 % 60,
            second: clock % 60
        )
    }

    /// Of seconds of UTC since 1970; ``unknown`` of what no calendar shows.
    package init(utc seconds: Int64) {
        do throws(ParseError) { try self.init(secondsSince1970: Int(seconds)) } catch { self = .unknown }
    }
}
