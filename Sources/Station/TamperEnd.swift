import Codes
import Configuration
import Console
private import Files
import GPIO
private import Glibc
private import KeyCustody
import Logging
import Threads

/// What is left to do once a service's keys are out of memory: the keys on disk are destroyed, and the program ends with a status
/// after which the unit stays down.
struct TamperEnd {
    let configuration: Configuration
    /// On the monotonic clock.
    private let edge: UInt64
    /// nil when outputs were left on, or not known.
    private let valvesAreOff: UInt64?
    private let keysAreGone: UInt64

    /// The line was active before any key was read.
    init(atStartOf configuration: Configuration) {
        self.configuration = configuration
        edge = MonotonicClock.nanoseconds
        valvesAreOff = nil
        keysAreGone = edge
    }

    /// nil where this program did not begin in a service's place.
    ///
    /// - Parameter path: of the settings, by name alone.
    init?(begunFor path: String) throws(ServiceFailure) {
        let now = MonotonicClock.nanoseconds
        guard let text = unsafe getenv(NextProgram.variable).map({ unsafe String(cString: $0) }) else { return nil }
        unsafe unsetenv(NextProgram.variable)
        let values = text.split(separator: " ").compactMap { UInt64($0) }
        guard values.count == 3, values[0] <= UInt64(Int32.max) else { return nil }
        keysAreGone = now
        edge = values[1]
        valvesAreOff = values[2] == 0 ? nil : values[2]
        let source: [UInt8]?
        do throws(FileFault) {
            source = try WholeFile.contents("/proc/self/fd/\(values[0])", bytesMax: Configuration.bytesMax)
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: error.reason)
        }
        do throws(ConfigurationError) { configuration = try Configuration(toml: source ?? [], file: path) } catch {
            throw ServiceFailure(error)
        }
    }

    /// - Parameter closeValves: where they may be on.
    func run(_ log: Logger, closeValves: () -> Void) -> ServiceFailure {
        let supervisor = Supervisor()
        supervisor?.status("the housing was opened: the keys are being destroyed")
        if valvesAreOff == nil { closeValves() }
        func milliseconds(_ nanoseconds: UInt64) -> String { "\((nanoseconds - min(edge, nanoseconds)) / 1_000_000)" }
        log.critical(
            .keys(.housingOpened),
            "the housing was opened",
            metadata: [
                "edge-ns": "\(edge)",
                "valves-off-after-ms": "\(valvesAreOff.map(milliseconds) ?? "unknown")",
                "keys-gone-after-ms": "\(milliseconds(keysAreGone))",
            ]
        )
        guard let keys = configuration.keys else { preconditionFailure("the tamper line is one of [keys]") }
        let begun = MonotonicClock.nanoseconds
        let report = Erasure(of: keys, configuration.terminal)
            .run(
                [.reason("the housing was opened")],
                begins: { supervisor?.feedWatchdog() },
                say: { log.critical(.keys(.keysDestroyed), "\($0)") }
            )
        let isComplete = report.isComplete
        let disk = (MonotonicClock.nanoseconds - begun) / 1_000_000
        log.critical(
            .keys(.keysDestroyed),
            "keys on disk",
            metadata: ["complete": "\(isComplete)", "took-ms": "\(disk)"]
        )
        supervisor?.status("the housing was opened: the keys \(isComplete ? "are destroyed" : "are NOT ALL destroyed")")
        return ServiceFailure(
            exitStatus: ServiceFailure.tampered,
            reason: isComplete
                ? "the housing was opened, and the keys are destroyed: close it, and load the keys again"
                : "the housing was opened, and not all keys are destroyed: the lines above say what is left",
            code: .keys(.housingOpened)
        )
    }
}
