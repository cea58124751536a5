package import Configuration
import Files
import FuelPassbook
package import Metering
import ParameterFiles
import Parameters
import Quantities
package import Threads

extension Configuration {
    /// Begins a book in which all sides have the same meter: for demonstrations and benches, without ceremony.
    package func sealMeters(_ meter: MeterParameters) throws(ServiceFailure) {
        guard let now = SystemClock().now?.utcSeconds else {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "the clock is not set: set it first")
        }
        let key = try Arms(of: self).parameterKey
        do {
            let book = try ParameterBook.demonstration(
                of: terminal,
                sides: sides.map(\.number),
                meter,
                on: parameters.serial,
                at: now,
                under: key
            )
            try ParameterFile(parameters.path).replace(with: book)
        } catch let fault as FileFault {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: fault.reason)
        } catch let problem as ParameterProblem {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: problem.words)
        } catch {
            preconditionFailure("no other is thrown: \(error)")
        }
    }
}
