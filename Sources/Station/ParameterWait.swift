import Configuration
import Dispenser
import Logging
import Parameters
import Records
import Threads

// Without parameters that are in order a side sells nothing, and says why until they are; the others go on.

extension ServedSide {
    private static let parameterRetryNanoseconds: UInt64 = 1_000_000_000

    /// The set under which the side is to sell, as soon as there is one.
    ///
    /// - Returns: nil when a stop was requested meanwhile.
    func awaitParameters(_ display: any SideDisplay) throws(Failure) -> (set: ParameterSet, hasWaited: Bool)? {
        var hasWaited = false
        while true {
            let found: Result<ParameterSet, ParameterRefusal>
            do throws(StorageFault) { found = try desk.set(of: side) } catch {
                let reason = "\(service.configuration.journal.path): \(error)"
                throw .ofService(ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason))
            }
            switch found {
            case .success(let set):
                say(set)
                return (set, hasWaited)
            case .failure(let refusal):
                roster.waits(side.number)
                display.show(.closed, .parametersRefused(refusal))
            }
            hasWaited = true
            if stopComes(before: MonotonicClock.nanoseconds + Self.parameterRetryNanoseconds) { return nil }
        }
    }

    private func say(_ set: ParameterSet) {
        log.notice(
            "parameters under seal",
            metadata: [
                "version": "\(set.version)", "checksum": "\(set.checksum)",
                "calibration-counter": "\(set.counters.calibration)",
                "configuration-counter": "\(set.counters.configuration)",
            ]
        )
    }
}
