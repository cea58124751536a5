import ISO7816

extension TransactionTime {
    /// nil when the bytes are no time of a day.
    package var nextSecond: TransactionTime? {
        guard let date else { return nil }
        do throws(ParseError) {
            let clock = try BCD.decode(bytes.suffix(3), "time")
            let seconds = clock / 10_000 * 3_600 + clock / 100 % 100 * 60 + clock % 100 + 1
            return try TransactionTime(
                date: seconds < 86_400 ? date : date.next,
                hour: seconds % 86_400 / 3_600,
                minute: seconds / 60 % 60,
                second: seconds % 60
            )
        } catch {
            return nil
        }
    }
}
