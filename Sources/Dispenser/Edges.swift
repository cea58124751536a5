package import FuelPassbook
package import ISO7816
package import Metering
package import Quantities

/// The clocks of the board.
package protocol StationClock: AnyObject {
    /// Nanoseconds that only go forward, the same as the kernel stamps edges with.
    var monotonicNanoseconds: UInt64 { get }
    /// nil when the board's clock is not set.
    var now: StationTime? { get }
}

extension StationClock {
    /// The local date and time; nil when the board's clock is not set.
    package var localTime: TransactionTime? { now?.local }
}

/// What happens around a fuelling side.
package enum SideEvent: Equatable, Sendable {
    case reader(ReaderEvent)
    case pump(PumpReport)
    /// The pump's lines failed.
    case pumpFailed(PumpFault)
    /// The customer finished typing; the PIN waits in the ``PINEntry``.
    case pinEntered
    case pinRefused(PINFault)
    /// The customer does not want to type it.
    case pinCancelled
    /// Nothing can be typed before ``keypadBack``, and what was typed counts for nothing; the text says what to do.
    case keypadLost(String)
    case keypadBack
    /// There is no console any more: what runs is finished, and then the service is started anew.
    case consoleLost
    /// The meter's parameters are to be read again, when no card is served.
    case parametersChanged
    /// The standing orders are others.
    case ordersChanged
    /// Somebody at the display wants to know which program and which parameters these are.
    case identificationAsked
    /// The service ends: finish what must be finished and return.
    case stopRequested
}

/// Why what was typed is no PIN.
package enum PINFault: Equatable, Sendable {
    case tooShort
    case tooLong
    case noDigit
    /// Keys were lost on the way.
    case keysLost
}

/// Where a fuelling side waits.
package protocol EventSource: AnyObject {
    /// The next event, or nil when the monotonic clock has reached `deadline`.
    func next(until deadline: UInt64?) -> SideEvent?
}

/// How the customer's PIN comes in. It reports `pinEntered`, `pinRefused`, `pinCancelled`, `keypadLost` or
/// `consoleLost` as an event.
package protocol PINEntry: AnyObject {
    /// Whether somebody types each PIN that is taken: what nobody typed is presented once in a visit.
    var isTyped: Bool { get }
    /// Why nothing can be typed now, with what to do; nil while it can.
    var obstacle: String? { get }
    func begin()
    /// Stops asking; what was typed is wiped.
    func cancel()
    /// The PIN after `pinEntered`; nil when there is none.
    func take() -> PIN?
}

extension PINEntry {
    package var isTyped: Bool { true }
    package var obstacle: String? { nil }
}
