package import Dispenser
import ISO7816
package import Metering
private import Synchronization
import Threads

/// The events of one fuelling side: any thread posts, its own thread waits.
///
/// A full mailbox means that its thread stands still, or is slower than what happens. It then keeps of each kind the last
/// event: what the thread has to know is how things are now. A stop is no event among others but a flag, and comes before
/// all of them.
package final class Mailbox: EventSource, Sendable {
    package static let eventsMax = 4_096

    private struct Content {
        var events: [SideEvent] = []
        var isStopping = false
        var isStopTaken = false
    }

    private let content = Mutex(Content())
    private let arrived = MonotonicSemaphore()
    /// Of the side's thread, which begins when it first comes here.
    let progress = LoopProgress()

    package init() {}

    package func post(_ event: SideEvent) {
        if event == .stopRequested { return requestStop() }
        content.withLock { content in
            content.events.append(event)
            if content.events.count > Self.eventsMax { content.events = Self.lastOfEachKind(content.events) }
        }
        arrived.signal()
    }

    package func post(_ event: PumpEvent) {
        switch event {
        case .report(let report): post(.pump(report))
        case .failed(let fault): post(.pumpFailed(fault))
        }
    }

    /// Asked for already, it does nothing.
    package func requestStop() {
        content.withLock { $0.isStopping = true }
        arrived.signal()
    }

    /// Since when the side's thread has not come back here; zero while it waits.
    package var awayNanoseconds: UInt64 { progress.awayNanoseconds }

    package func next(until deadline: UInt64?) -> SideEvent? {
        while arrived.wait(until: deadline, showing: progress) {
            let event = content.withLock { content -> SideEvent? in
                if content.isStopping && !content.isStopTaken {
                    content.isStopTaken = true
                    return .stopRequested
                }
                return content.events.isEmpty ? nil : content.events.removeFirst()
            }
            if let event { return event }
        }
        return nil
    }

    private static func lastOfEachKind(_ events: [SideEvent]) -> [SideEvent] {
        var kinds: Set<Kind> = []
        return events.reversed().filter { kinds.insert(Kind($0)).inserted }.reversed()
    }

    /// Events of one kind replace each other.
    private enum Kind: Hashable {
        case cardInserted, cardGone, readerBack, countsReached, nozzle, emergency, pulserFault, strayFlow, strayFault,
            meterStopped
        case pumpFailed, pinEntered, pinRefused, pinCancelled, keypadLost, keypadBack, consoleLost, parametersChanged,
            ordersChanged,
            identificationAsked,
            stopRequested

        init(_ event: SideEvent) {
            self =
                switch event {
                case .reader(.cardInserted): .cardInserted
                case .reader(.cardRemoved), .reader(.lost): .cardGone
                case .reader(.back): .readerBack
                case .pump(.countsReached): .countsReached
                case .pump(.nozzle): .nozzle
                case .pump(.emergency): .emergency
                case .pump(.pulserFault): .pulserFault
                case .pump(.strayFlow): .strayFlow
                case .pump(.strayFault): .strayFault
                case .pump(.stopped): .meterStopped
                case .pumpFailed: .pumpFailed
                case .pinEntered: .pinEntered
                case .pinRefused: .pinRefused
                case .pinCancelled: .pinCancelled
                case .keypadLost: .keypadLost
                case .keypadBack: .keypadBack
                case .consoleLost: .consoleLost
                case .parametersChanged: .parametersChanged
                case .ordersChanged: .ordersChanged
                case .identificationAsked: .identificationAsked
                case .stopRequested: .stopRequested
                }
        }
    }
}
