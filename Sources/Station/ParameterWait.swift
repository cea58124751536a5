import Codes
import Configuration
import Console
import Dispenser
import Logging
import Parameters
import Records
import Threads

// Without parameters that are in order a side sells nothing, and says why until they are; the others go on.

extension ServedSide {
    private static let parameterRetryNanoseconds: UInt64 = 1_000_000_000
    /// Whoever asked compares 64 digits.
    private static let identificationNanoseconds: UInt64 = 30_000_000_000

    /// The set under which the side is to sell, as soon as there is one.
    ///
    /// What the reader said meanwhile is said again to the side that begins.
    ///
    /// - Returns: nil when a stop was requested meanwhile.
    func awaitParameters(_ display: any SideDisplay) throws(Failure) -> ParameterSet? {
        var ofReader: SideEvent?
        while true {
            let found: Result<ParameterSet, ParameterRefusal>
            do throws(StorageFault) { found = try desk.set(of: side) } catch {
                let reason = "\(service.configuration.journal.path): \(error)"
                throw .ofService(ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason))
            }
            switch found {
            case .success(let set):
                say(set)
                if let ofReader { reached.mailbox.post(ofReader) }
                return set
            case .failure(let refusal):
                roster.waits(side.number)
                display.show(.closed, .parametersRefused(refusal))
            }
            var next = MonotonicClock.nanoseconds + Self.parameterRetryNanoseconds
            wait: while let event = reached.mailbox.next(until: next) {
                switch event {
                case .stopRequested: return nil
                case .parametersChanged: break wait
                case .reader: ofReader = event
                case .identificationAsked:
                    guard let program = service.identity else { break }
                    display.show(.closed, .program(version: Release.version, hash: program.hash))
                    next = MonotonicClock.nanoseconds + Self.identificationNanoseconds
                case .pump, .pumpFailed, .pinEntered, .pinRefused, .pinCancelled, .keypadLost, .keypadBack,
                    .consoleLost, .ordersChanged:
                    break
                }
            }
        }
    }

    private func say(_ set: ParameterSet) {
        log.notice(
            .parameters(.parametersInForce),
            "parameters under seal",
            metadata: [
                "version": "\(set.version)", "checksum": "\(set.checksum)",
                "calibration-counter": "\(set.counters.calibration)",
                "configuration-counter": "\(set.counters.configuration)",
            ]
        )
    }
}
