package import Codes

/// Why a program cannot start or go on, and its exit status (sysexits.h).
package struct ServiceFailure: Error, Sendable {
    package static let unavailable: Int32 = 69
    package static let systemError: Int32 = 71
    package static let inputOutput: Int32 = 74
    /// EX_NOPERM: the housing was opened, and the keys are destroyed.
    package static let tampered: Int32 = 77
    package static let configuration: Int32 = 78

    package let exitStatus: Int32
    package let reason: String
    /// The exit status's own where nothing more is known of the cause; nil of a status that no code stands for.
    package let code: EventCode?

    package init(exitStatus: Int32, reason: String, code: EventCode? = nil) {
        self.exitStatus = exitStatus
        self.reason = reason
        self.code = code ?? EndCode(status: exitStatus).map(EventCode.end)
    }
}
