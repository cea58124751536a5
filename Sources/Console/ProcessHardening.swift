private import CLinux
private import CardCryptography
import Codes
private import Glibc
package import Logging
package import Threads

/// What keeps keys from leaving the process by the system's own ways.
package enum ProcessHardening {
    /// No core dump, and no reading of this memory by other processes of the same user. A fatal signal ends the process at once:
    /// Swift's runtime would write to standard error what lies where its registers point (decision record 0020).
    package static func forbidDumps() throws(ServiceFailure) {
        for number in SignalPolicy.numbers({ $0 == .fatal }) { TerminalMode.giveBackAndEnd(at: number) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0, greylock_forbid_dumps() == 0
        else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.systemError,
                reason: "core dumps cannot be forbidden: \(systemError())"
            )
        }
    }

    /// Forbids dumps, and warns when keys may be swapped out.
    package static func apply(log: Logger) throws(ServiceFailure) {
        try forbidDumps()
        if !LockedBuffer.arenaIsLocked {
            log.warning(
                .keys(.keysSwappable),
                "keys may be swapped out: allow this user to lock \(LockedBuffer.arenaBytesMax) bytes (LimitMEMLOCK)"
            )
        }
    }
}
