/// What the pump of one nozzle tells, as it happens.
package enum PumpEvent: Equatable, Sendable {
    case report(PumpReport)
    /// Its lines failed.
    case failed(PumpFault)
}
