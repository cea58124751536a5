package import FuelPassbook
package import Metering
import Quantities

extension MeterParameters {
    /// For the demonstration and tests only: 100 pulses a litre on two channels, a meter that is exactly right.
    package static var demonstration: MeterParameters {
        MeterParameters(
            meterSerial: "demonstration",
            pulserSerial: "demonstration",
            pulser: .quadrature(.alarm),
            pulsesPerLitre: 100,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)],
            litresPerMinute: 5...200,
            minimumQuantity: Volume(centilitres: 200),
            reverseCentilitresMax: 20,
            pulserFaultsMax: 10,
            slowFlow: Volume(centilitres: 50)
        )
    }
}

extension BoardSerial {
    /// As settings name a board of a demonstration: `[parameters] board = "demonstration"`.
    package static let demonstration = "demonstration"
}

extension ParameterBook {
    /// For the demonstration and tests only: the same meter at each side.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    package static func demonstration(
        of terminal: TerminalID,
        sides: [Int],
        _ meter: MeterParameters = .demonstration,
        on board: BoardSerial,
        at now: Int64,
        under key: ParameterKey
    ) throws(ParameterProblem) -> ParameterBook {
        var book = ParameterBook(of: terminal)
        let change = try ParameterChange(
            author: "demonstration",
            second: "another",
            reason: "a demonstration",
            date: TransactionTime(utc: now)
        )
        for side in sides { try book.add(meter, of: side, on: board, by: change, under: key) }
        return book
    }
}
