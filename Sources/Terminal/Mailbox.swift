package import Dispenser
private import Synchronization
private import Threads

/// The events of one fuelling side: any thread posts, its own thread waits.
package final class Mailbox: EventSource, Sendable {
    package static let eventsMax = 4_096

    private let events = Mutex<[PositionEvent]>([])
    private let arrived = MonotonicSemaphore()

    package init() {}

    /// A full mailbox means that its thread stands still; what comes then is lost with it.
    package func post(_ event: PositionEvent) {
        let taken = events.withLock { events in
            guard events.count < Self.eventsMax else { return false }
            events.append(event)
            return true
        }
        if taken { arrived.signal() }
    }

    package func next(until deadline: UInt64?) -> PositionEvent? {
        guard arrived.wait(until: deadline) else { return nil }
        return events.withLock { $0.removeFirst() }
    }
}
