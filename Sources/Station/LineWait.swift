import Codes
import Dispenser
import GPIO
import Threads

// A chip whose driver loads late, or a program that still holds a line, is no reason to end: every cause that can pass is
// waited for (decision record 0024). Nothing is known of the outputs meanwhile, and nothing is sold. A
// wrong setting is one side's: it ends nothing while another side serves or waits (0039).

extension ServedSide {
    private static let lineRetryNanoseconds: UInt64 = 1_000_000_000

    /// Takes the pump's lines as soon as they can be had.
    ///
    /// - Returns: nil when a stop was requested meanwhile, or when only another setting can help and no other side serves or
    ///   waits.
    func awaitLines(
        _ wiring: GPIOWiring,
        _ display: any SideDisplay
    ) -> sending GPIOPumpLines? {
        while true {
            do throws(GPIOFault) { return try GPIOPumpLines(wiring) } catch {
                if error.isInSettings {
                    let failure = ServiceFailure(
                        exitStatus: ServiceFailure.configuration,
                        reason: "pump: \(error)",
                        code: .pump(error.code)
                    )
                    guard roster.closes(reached.number, failure.of(side, on: service.configuration)) else { return nil }
                } else {
                    roster.waits(reached.number)
                }
                display.show(.inoperative, .pumpMissing("\(error)", cause: error.code))
            }
            if stopComes(before: MonotonicClock.nanoseconds + Self.lineRetryNanoseconds) { return nil }
        }
    }

    /// Nothing else happens to a side that has no pump yet.
    func stopComes(before deadline: UInt64) -> Bool {
        while let event = reached.mailbox.next(until: deadline) {
            if event == .stopRequested { return true }
        }
        return false
    }
}
