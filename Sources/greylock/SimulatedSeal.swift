import FuelPassbook
import Metering
import Parameters
import Quantities
import Records
import SecurityModule
import Simulation

extension ParameterSeal {
    /// For a simulation only: the books of a simulated station, sealed and believed by what does it on a board, under the
    /// demonstration's key.
    ///
    /// - Parameter version: of the program, for the records.
    static func demonstration(version: String) -> ParameterSeal {
        let books = SimulatedBooks(version)
        return ParameterSeal(
            add: { meter, place, seconds in try books.add(meter, place, at: seconds) },
            inForce: { place in try books.inForce(place) }
        )
    }
}

/// One for each terminal, and what the journal would know of their sides.
private final class SimulatedBooks {
    private static let key: ParameterKey = {
        let record = RecordKey.demonstration
        return ParameterKey(record.parameterKey(), as: record.reference)
    }()
    private static let board: BoardSerial = {
        guard let serial = BoardSerial(BoardSerial.demonstration) else { preconditionFailure("letters alone") }
        return serial
    }()
    /// No program is judged by a simulation's records.
    private static let program = [UInt8](repeating: 0, count: SoftwareIdentification.hashLength)

    private let version: String
    private var books: [TerminalID: ParameterBook] = [:]
    private var marks: [ParameterSeal.Place: ParameterMark] = [:]

    init(_ version: String) { self.version = version }

    func add(_ meter: MeterParameters, _ place: ParameterSeal.Place, at seconds: Int64) throws -> Bool {
        var book = books[place.terminal] ?? ParameterBook(of: place.terminal)
        guard try !book.isInForce(meter, of: place.side, on: Self.board, under: Self.key) else { return false }
        let change = try ParameterChange(
            author: "technician",
            second: "another",
            reason: "simulated",
            date: TransactionTime(utc: seconds)
        )
        try book.add(meter, of: place.side, on: Self.board, by: change, under: Self.key)
        books[place.terminal] = try ParameterBook(parsing: Array(book.text.utf8))
        return true
    }

    func inForce(_ place: ParameterSeal.Place) throws -> ParameterSeal.InForce? {
        guard let book = books[place.terminal], book.newest(of: place.side) != nil else { return nil }
        let set = try book.set(of: place.side, of: place.terminal, on: Self.board, marks[place], under: Self.key)
        marks[place] = ParameterMark(set)
        return ParameterSeal.InForce(
            meter: set.meter,
            identification: SoftwareIdentification(
                version: version,
                program: Self.program,
                parametersVersion: set.version,
                parameters: set.hash
            ),
            calibrationCounter: set.counters.calibration,
            configurationCounter: set.counters.configuration
        )
    }
}
