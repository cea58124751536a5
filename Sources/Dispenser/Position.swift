import FuelPassbook
package import ISO7816
package import Metering
import Quantities
package import Records
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

/// What is in the reader.
enum CardPresence: Equatable {
    case absent
    /// A card that nothing was said to yet.
    case present
    /// A card that another program held when it was to be connected.
    case held
    /// The card of this visit, powered up and identified.
    case connected
    /// A card that came during another's sale and was told to wait.
    case waiting
}

/// One fuelling side: from the card's insertion to the receipt, and again, on one thread.
///
/// Invariants: the valve opens only after the record is on disk as `locked` or `paid`; each durable write is on disk before the
/// act that it stands for; SESPK lives in the local value of one sale and nowhere else.
package final class Position {
    package let settings: PositionSettings
    let edges: PositionEdges

    package private(set) var stopIsRequested = false
    private(set) var presence = CardPresence.absent
    /// The customer's console is gone: no visit begins any more.
    package private(set) var consoleIsGone = false
    /// Whose card answers.
    var identifiedCard: ApplicationSerialNumber?
    var wrongPINs = WrongPINs()
    /// Since when the card of the running sale is away; nil while it is not.
    var saleCardLeftAt: UInt64?
    var totaliser: Totaliser
    /// Of all that the pump counted since this position began: what is in a record.
    var recordedCounts: [Int]
    /// Fuel outside any sale that still flows, or has just come to rest.
    var strayFlow: StrayFlow?
    /// Purchases in a row whose cards proved nothing.
    var unprovenPurchases = UnprovenPurchases()
    /// Kept for the question behind a debit: once a card is locked, its sale ends also where no more numbers are given.
    var questionNumber: TTC?
    /// What a stop in mid-sale left to the next start.
    var saleLeftOpen: MeterReading?
    /// Why no card can be served, as it is shown between two visits; nil when it is not.
    private var shownObstacle: Refusal?
    /// The rows that are not believed, and were named since this position began.
    var namedRows: Set<DamagedRow> = []
    /// Whether the obstacle of a full journal would have been seen.
    private var isRoomCounted = false

    private static let obstacleNanoseconds: UInt64 = 1_000_000_000

    package init(settings: PositionSettings, edges: PositionEdges) {
        self.settings = settings
        self.edges = edges
        totaliser = .new(nozzle: settings.nozzle, points: settings.calibration.points.count)
        recordedCounts = edges.pump.snapshot.allCounts
    }

    /// Finishes what a crash left open, then serves cards until the service stops. Returns with the outputs off and
    /// everything on disk.
    package func run() throws(PositionFailure) {
        try onDisk { () throws(StorageFault) in try tellOfDamage() }
        try recover()
        try loadTotaliser()
        try onDisk { () throws(StorageFault) in try warnOfRoom() }
        try showIdle()
        do throws(PositionFailure) {
            while !stopIsRequested && !consoleIsGone { try awaitEvent() }
        } catch {
            if case .pump = error { try onDisk { () throws(StorageFault) in try finishStrayFlow() } }
            throw error
        }
        try onDisk { () throws(StorageFault) in try finishStrayFlow() }
        show(.closed, .closed)
    }

    private func awaitEvent() throws(PositionFailure) {
        let looksAgain = shownObstacle != nil || !isRoomCounted
        let look = looksAgain ? now + Self.obstacleNanoseconds : nil
        switch nextEvent(until: [look, strayFlowRestsAt].compactMap(\.self).min()) {
        case .reader(.cardInserted): try serveWaitingCards()
        case .reader(.lost(let reason)):
            shownObstacle = nil
            show(.inoperative, .readerLost(reason))
        case .reader(.cardRemoved), .reader(.back): try showIdle()
        case .pump(.strayFlow):
            try onDisk { () throws(StorageFault) in try recordStrayFlow() }
            showStrayFlow()
        case .pump(.emergency(let isActive)):
            if !isActive { show(.idle, .emergencyOver) }
            try showBetweenVisits()
        case .pump(.strayFault): show(.idle, .strayFaults(edges.pump.snapshot.strayFaults))
        case .pumpFailed(let fault): throw .pump(fault)
        case .pump, .pinEntered, .pinRefused, .pinCancelled, .consoleLost, .stopRequested: break
        case nil:
            if let rest = strayFlowRestsAt, now >= rest {
                try onDisk { () throws(StorageFault) in try restOrGrow() }
            }
            if looksAgain {
                let (shown, named) = (shownObstacle, namedRows.count)
                if try lookForObstacle() != shown || namedRows.count != named { try showIdle() }
            }
        }
    }

    private func serveWaitingCards() throws(PositionFailure) {
        repeat {
            try serve()
        } while presence == .waiting && !stopIsRequested
        guard !stopIsRequested else { return }
        try onDisk { () throws(StorageFault) in try recordStrayFlow(least: strayReportCounts) }
        shownObstacle = nil
        try showBetweenVisits()
    }

    /// An emergency is said as long as it lasts, whether a card is there or not.
    private func showBetweenVisits() throws(PositionFailure) {
        if presence == .absent { return try showIdle() }
        show(.completed, .removeCard)
        if edges.pump.snapshot.emergencyIsActive { show(.inoperative, .emergency) }
    }

    /// One card's visit.
    private func serve() throws(PositionFailure) {
        defer { disconnectCard() }
        saleCardLeftAt = nil
        do throws(Interruption) {
            show(.calling, .readingCard)
            let card = try identifyWhenFree()
            try checkRecords(of: card.asn)
            switch try greyStatus() {
            case .grey(let status): try localUnlock(card, status)
            case .free:
                let pin = try closeEarlierSales(of: card.asn)
                try refundProvenPurchases(of: card.asn)
                switch settings.payment {
                case .greyLock: try refuel(card, pin)
                case .prepaid(let preset): try prepaidSale(card, preset, pin)
                }
            case .noPetrolCommands:
                try refundProvenPurchases(of: card.asn)
                switch settings.payment {
                case .greyLock: throw .refused(.noPetrolCommands)
                case .prepaid(let preset): try ordinaryPrepaidSale(card, preset)
                }
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
        case .reader(.cardInserted): presence = .present
        case .reader(.cardRemoved), .reader(.lost):
            saleCardLeftAt = saleCardLeftAt ?? now
            presence = .absent
        case .stopRequested: stopIsRequested = true
        case .consoleLost: consoleIsGone = true
        case .reader(.back), .pump, .pumpFailed, .pinEntered, .pinRefused, .pinCancelled, nil: break
        }
        return event
    }

    func connectCard() throws(Interruption) {
        do throws(CardFault) { try edges.reader.connect() } catch {
            if case .inUse = error { presence = .held }
            throw .card(error)
        }
        presence = .connected
    }

    func disconnectCard() {
        edges.reader.disconnect()
        if presence == .connected { presence = .present }
    }

    func letCardWait() {
        edges.reader.disconnect()
        presence = .waiting
        show(.suspended, .otherCard)
    }

    var now: UInt64 { edges.clock.monotonicNanoseconds }

    func show(_ state: PositionState, _ notice: Notice) { edges.display.show(state, notice) }

    private func showIdle() throws(PositionFailure) {
        switch try lookForObstacle() {
        case .emergencyStop: show(.inoperative, .emergency)
        case .positionLocked(let lock): show(.closed, .refused(.positionLocked(lock)))
        case .some(let refusal): show(.inoperative, .refused(refusal))
        case nil: show(.idle, .insertCard)
        }
    }

    private func lookForObstacle() throws(PositionFailure) -> Refusal? {
        var room: Int?
        try onDisk { () throws(StorageFault) in room = try edges.journal.roomIfCounted(nanosecondsMax: 0) }
        if room != nil, !isRoomCounted { try onDisk { () throws(StorageFault) in try tellOfDamage() } }
        isRoomCounted = room != nil
        shownObstacle = try obstacle(room: room)
        return shownObstacle
    }

    private func showStrayFlow() {
        guard let record = strayFlow?.record else { return }
        show(.idle, .strayFlow(ttc: record.ttc, centilitres: record.reading.volume.shownCentilitres))
    }

    private func warnOfRoom() throws(StorageFault) {
        guard let room = try edges.journal.roomIfCounted(nanosecondsMax: 0), room < JournalRoom.warnedBelow else {
            return
        }
        show(.closed, .journalNearlyFull(room: room))
    }

    // MARK: - Storage between two visits

    private func onDisk(_ write: () throws(StorageFault) -> Void) throws(PositionFailure) {
        do throws(StorageFault) { try write() } catch { throw .storage(error) }
    }

    // MARK: - Calls that end the visit when they fail

    func stored<Value>(_ call: (any SaleJournal) throws(StorageFault) -> Value) throws(Interruption) -> Value {
        do throws(StorageFault) { return try call(edges.journal) } catch { throw .failure(.storage(error)) }
    }

    func commit(_ entry: JournalEntry) throws(Interruption) {
        try stored { (_) throws(StorageFault) in try write(entry) }
        if let totaliser = entry.totaliser { self.totaliser = totaliser }
    }

    func pump(_ command: PumpCommand) throws(Interruption) {
        do throws(PumpFault) { try edges.pump.perform(command) } catch { throw .failure(.pump(error)) }
    }
}
