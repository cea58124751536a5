/// Why a service has no console.
package enum ConsoleFault: Error, Sendable {
    case noTerminal
    case otherProgramHasIt
    /// With the system's words.
    case refused(String)
}

extension ConsoleFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noTerminal: "there is no terminal: start the service at a console"
        case .otherProgramHasIt: "the terminal belongs to another program: start the service in the foreground"
        case .refused(let reason): "the terminal: \(reason)"
        }
    }
}
