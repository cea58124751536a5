package import FuelPassbook
package import Metering
package import Records

/// What puts parameters of a station's sides under seal, and says which are in force. Their book is none of the simulation's (record
/// 0055): who is linked with both gives it.
package struct ParameterSeal {
    package struct InForce: Equatable, Sendable {
        package let meter: MeterParameters
        package let identification: SoftwareIdentification
        package let calibrationCounter: Int
        package let configurationCounter: Int

        package init(
            meter: MeterParameters,
            identification: SoftwareIdentification,
            calibrationCounter: Int,
            configurationCounter: Int
        ) {
            self.meter = meter
            self.identification = identification
            self.calibrationCounter = calibrationCounter
            self.configurationCounter = configurationCounter
        }
    }

    /// One side's, of a terminal.
    package struct Place: Hashable, Sendable {
        package let terminal: TerminalID
        package let side: Int
    }

    /// At a time in seconds of UTC since 1970. The answer is whether there is a new set: what is in force already is not put there again.
    let add: (MeterParameters, Place, Int64) throws -> Bool
    /// As a service finds it at its start; nil where the terminal has no book yet.
    let inForce: (Place) throws -> InForce?

    package init(
        add: @escaping (MeterParameters, Place, Int64) throws -> Bool,
        inForce: @escaping (Place) throws -> InForce?
    ) {
        self.add = add
        self.inForce = inForce
    }
}
