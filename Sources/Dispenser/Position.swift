import FuelPassbook
import ISO7816
package import Metering
package import SecurityModule

/// What a position works with.
package struct PositionEdges {
    package let module: SecurityModule
    package let journal: any SaleJournal
    package let reader: any CardReader
    package let pump: any Pump
    package let pin: any PINEntry
    package let clock: any StationClock
    package let events: any EventSource
    package let display: any PositionDisplay

    package init(
        module: SecurityModule,
        journal: any SaleJournal,
        reader: any CardReader,
        pump: any Pump,
        pin: any PINEntry,
        clock: any StationClock,
        events: any EventSource,
        display: any PositionDisplay
    ) {
        self.module = module
        self.journal = journal
        self.reader = reader
        self.pump = pump
        self.pin = pin
        self.clock = clock
        self.events = events
        self.display = display
    }
}

/// Why a position cannot go on. The outputs are off when it is thrown.
package enum PositionFailure: Error, Equatable, Sendable {
    case storage(StorageFault)
    case pump(PumpFault)
}

/// Why a card's visit ends early.
enum Interruption: Error, Equatable {
    case refused(Refusal)
    case card(CardFault)
    case stop
    case failure(PositionFailure)
}

/// One fuelling side: from the card's insertion to the receipt, and again, on one thread.
///
/// Invariants: the valve opens only after the record is on disk as `locked`; each durable write is on disk before the
/// act that it stands for; SESPK lives in the local value of one refuel and nowhere else.
package final class Position {
    package let settings: PositionSettings
    let edges: PositionEdges

    /// As the events say.
    private(set) var cardIsPresent = false
    private(set) var stopIsRequested = false
    /// Since when no card is in the reader; nil while one is.
    private(set) var cardLeftAt: UInt64?
    /// The card of this visit is powered up and identified.
    private(set) var cardIsConnected = false
    /// A card that came during another's sale was told to wait.
    var otherCardWaits = false
    var totaliser: Totaliser

    package init(settings: PositionSettings, edges: PositionEdges) {
        self.settings = settings
        self.edges = edges
        totaliser = Totaliser(
            nozzle: settings.nozzle,
            counts: Array(repeating: 0, count: settings.calibration.points.count),
            base: .zero,
            volume: .zero,
            fen: 0,
            overrunCounts: 0
        )
    }

    /// Finishes what a crash left open, then serves cards until the service stops. Returns with the outputs off and
    /// everything on disk.
    package func run() throws(PositionFailure) {
        try loadTotaliser()
        try recover()
        show(.idle, .insertCard)
        while !stopIsRequested {
            guard let event = nextEvent(until: nil) else { continue }
            switch event {
            case .cardInserted: try serveWaitingCards()
            case .readerLost(let reason): show(.inoperative, .readerLost(reason))
            case .cardRemoved, .readerBack: show(.idle, .insertCard)
            case .pumpFailed(let fault): throw .pump(fault)
            case .pump, .pinEntered, .pinRefused, .stopRequested: break
            }
        }
        show(.closed, .closed)
    }

    private func serveWaitingCards() throws(PositionFailure) {
        repeat {
            otherCardWaits = false
            try serve()
        } while otherCardWaits && cardIsPresent && !stopIsRequested
        if cardIsPresent { show(.completed, .removeCard) }
    }

    /// One card's visit.
    private func serve() throws(PositionFailure) {
        defer { disconnectCard() }
        do throws(Interruption) {
            show(.calling, .readingCard)
            let card = try identify()
            if let status = try greyStatus() {
                try localUnlock(card, status)
            } else {
                try refuel(card)
            }
        } catch {
            switch error {
            case .refused(let refusal): show(.idle, .refused(refusal))
            case .card(let fault): show(.idle, .cardFault(fault))
            case .stop: return
            case .failure(let failure): throw failure
            }
        }
    }

    /// The next event; what it says of card and service is noted.
    func nextEvent(until deadline: UInt64?) -> PositionEvent? {
        let event = edges.events.next(until: deadline)
        switch event {
        case .cardInserted:
            cardIsPresent = true
            cardLeftAt = nil
        case .cardRemoved, .readerLost:
            cardLeftAt = cardLeftAt ?? now
            cardIsPresent = false
            otherCardWaits = false
        case .stopRequested: stopIsRequested = true
        case .readerBack, .pump, .pumpFailed, .pinEntered, .pinRefused, nil: break
        }
        return event
    }

    func connectCard() throws(Interruption) {
        do throws(CardFault) { try edges.reader.connect() } catch { throw .card(error) }
        cardIsConnected = true
    }

    func disconnectCard() {
        edges.reader.disconnect()
        cardIsConnected = false
    }

    var now: UInt64 { edges.clock.monotonicNanoseconds }

    func show(_ state: PositionState, _ notice: Notice) { edges.display.show(state, notice) }

    // MARK: - Calls that end the visit when they fail

    func stored<Value>(_ call: (any SaleJournal) throws(StorageFault) -> Value) throws(Interruption) -> Value {
        do throws(StorageFault) { return try call(edges.journal) } catch { throw .failure(.storage(error)) }
    }

    func commit(_ entry: JournalEntry) throws(Interruption) {
        try stored { (journal) throws(StorageFault) in try journal.commit(entry) }
        if let totaliser = entry.totaliser { self.totaliser = totaliser }
    }

    func pump(_ command: PumpCommand) throws(Interruption) {
        do throws(PumpFault) { try edges.pump.perform(command) } catch { throw .failure(.pump(error)) }
    }

    func localTime() throws(Interruption) -> TransactionTime {
        guard let time = edges.clock.localTime else { throw .refused(.clockNotSet) }
        return time
    }
}
