import Metering
import Quantities

/// Why fuel no longer flows.
enum FuellingEnd: Equatable {
    /// Nozzle down, target reached, a timeout, or the card's owner did not come back.
    case regular
    /// The service ends in a sale that is paid.
    case stopped
    case emergency
    case pulserFaults(Int)
    /// The pump closed by itself; the time is the board's when that was heard.
    case meterStopped(MeterStop, TransactionTime?)
    case pumpFailed(PumpFault)

    var remark: String? {
        switch self {
        case .regular: nil
        case .stopped: "the service was stopped"
        case .emergency: "emergency stop"
        case .pulserFaults(let count): "\(count) pulser faults: settled at the proven volume"
        case .meterStopped(let stop, let time): stop.remark(until: time)
        case .pumpFailed(let fault): "pump: \(fault.reason)"
        }
    }
}
