import Metering
import Pump
private import Synchronization
import Threads

/// What other threads reach of a fuelling side: its events, the call to its card, and its pump while it has one.
final class ReachableSide: Sendable {
    let number: Int
    let mailbox = Mailbox()
    let cardCall: CardCall
    private let heldPump = Mutex(HeldPump.none)
    private let isShut = Atomic(false)
    private let hasEnded = Atomic(false)

    private enum HeldPump {
        case none
        case serving(PumpThread)
        /// It failed, and could not switch its outputs off.
        case leftOpen
    }

    /// - Parameter overdue: as of ``CardCall/init(overdue:)``.
    init(_ number: Int, overdue: @escaping @Sendable () -> Void) {
        self.number = number
        cardCall = CardCall(overdue: overdue)
    }

    var pump: PumpThread? {
        switch heldPump.withLock(\.self) {
        case .serving(let pump): pump
        case .none, .leftOpen: nil
        }
    }

    /// The side serves with this pump from now on.
    func takes(_ pump: PumpThread) {
        heldPump.withLock { $0 = .serving(pump) }
        if isShut.load(ordering: .sequentiallyConsistent) { pump.shut() }
    }

    /// The pump has ended.
    func takesNoPump() {
        let isOpen = drivesOutputs
        heldPump.withLock { $0 = isOpen ? .leftOpen : .none }
    }

    /// The valves close, and no pump of this side opens one again. Returns at once.
    func shut() {
        isShut.store(true, ordering: .sequentiallyConsistent)
        pump?.shut()
    }

    /// It has a pump, and its thread goes on.
    var serves: Bool { pump != nil && !hasEnded.load(ordering: .acquiring) }

    /// Or left them on, when its pump failed.
    var drivesOutputs: Bool {
        switch heldPump.withLock(\.self) {
        case .none: false
        case .serving(let pump): !pump.snapshot.outputs.isEmpty
        case .leftOpen: true
        }
    }

    /// Its thread has ended.
    func end() {
        hasEnded.store(true, ordering: .releasing)
        mailbox.progress.ends()
    }

    /// Since when the side's thread has not come back for its next event; zero while it waits, and when it has ended.
    var awayNanoseconds: UInt64 { mailbox.awayNanoseconds }

    /// Since when it waits for an event, and did not look whether the wait is over; zero while it does not wait.
    var waitingNanoseconds: UInt64 {
        switch mailbox.progress.standing {
        case .waiting(let nanoseconds): nanoseconds
        case .unwatched, .working, .ended: 0
        }
    }
}
