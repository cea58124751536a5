package import FuelPassbook
package import ISO7816
package import Metering

// What a fuelling side stands on. Each protocol has a real edge and a simulated one.

/// Why a card cannot be talked to.
package enum CardFault: Error, Equatable, Sendable {
    /// The card left the reader.
    case removed
    /// Nothing was heard of the reader, or it failed; the text keeps the operation and its code.
    case reader(String)
    /// Another program holds the card, and will let it go or not; the text keeps the operation and its code.
    case inUse(String)
    /// There is a card but no chip answers: upside down, or dirty.
    case unresponsive(String)
    /// The card's bytes are no answer.
    case malformed(ParseError)
}

/// One reader and the card in it. Calls block; one thread makes them.
package protocol CardReader: AnyObject {
    /// Powers the card up and takes it for this process alone.
    func connect() throws(CardFault)

    /// Sends one command APDU and returns the card's answer; `61xx` and `6Cxx` are followed.
    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU

    /// Powers the card down and gives it back. Without a connection it does nothing.
    func disconnect()
}

/// The pump of one nozzle.
package protocol Pump: AnyObject {
    /// Returns when the outputs are as the command wants them.
    func perform(_ command: PumpCommand) throws(PumpFault)
    var snapshot: MeterSnapshot { get }
}

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
package enum PositionEvent: Equatable, Sendable {
    case cardInserted
    case cardRemoved
    /// The reader is gone; the text says what to do.
    case readerLost(String)
    case readerBack
    case pump(PumpReport)
    /// The pump's lines failed.
    case pumpFailed(PumpFault)
    /// The customer finished typing; the PIN waits in the ``PINEntry``.
    case pinEntered
    case pinRefused(String)
    /// The customer does not want to type it.
    case pinCancelled
    /// There is no console any more: what runs is finished, and then the service is started anew.
    case consoleLost
    /// The service ends: finish what must be finished and return.
    case stopRequested
}

/// Where a fuelling side waits.
package protocol EventSource: AnyObject {
    /// The next event, or nil when the monotonic clock has reached `deadline`.
    func next(until deadline: UInt64?) -> PositionEvent?
}

/// How the customer's PIN comes in. It reports `pinEntered`, `pinRefused`, `pinCancelled` or `consoleLost` as an event.
package protocol PINEntry: AnyObject {
    /// Whether somebody types each PIN that is taken: what nobody typed is presented once in a visit.
    var isTyped: Bool { get }
    func begin()
    /// Stops asking; what was typed is wiped.
    func cancel()
    /// The PIN after `pinEntered`; nil when there is none.
    func take() -> PIN?
}

extension PINEntry {
    package var isTyped: Bool { true }
}
