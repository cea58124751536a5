import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records

/// One fuelling side: from the card's insertion to the receipt, and again, on one thread.
///
/// Invariants: the valve opens only after the record is on disk as `locked` or `paid`; each durable write is on disk before the
/// act that it stands for; SESPK lives in the local value of one sale and nowhere else.
package final class Side {
    package let settings: SideSettings
    private let parts: Parts
    /// Why no card can be served, as it is shown between two visits; nil when it is not.
    private var shownObstacle: Refusal?
    /// Whether the obstacle of a full journal would have been seen.
    private var isRoomCounted = false

    /// Between two visits.
    private var shownState: SideState = .closed

    /// It is said again below this.
    private var shownMargin = PulserHealth.marginPercentMin
    private static let marginPercentStep = 5
    private static let obstacleNanoseconds: UInt64 = 1_000_000_000

    /// - Parameter before: the same side with other settings, which has ended: what lies in its reader stays there.
    package init(settings: SideSettings, edges: SideEdges, after board: RecoveredBoard, goingOnFrom before: Side? = nil)
    {
        self.settings = settings
        parts = Parts(settings, edges, board, before?.visit.presence ?? .absent)
    }

    package var stopIsRequested: Bool { parts.visit.stopIsRequested }

    /// The customer's console is gone: no visit begins any more.
    package var consoleIsGone: Bool { parts.visit.consoleIsGone }

    /// It ended so that it begins anew under other parameters.
    package var parametersAreNew: Bool { visit.parametersAreNew && !stopIsRequested && !consoleIsGone }

    /// It ended so that it begins anew at another price.
    package var priceIsNew: Bool {
        guard !stopIsRequested, !consoleIsGone,
            let order = books.board.orders.price(of: settings.number, at: books.clock.now)
        else { return false }
        return order.price != settings.unitPrice
    }

    private var visit: Visit { parts.visit }
    private var books: Books { parts.books }
    private var stray: StrayFuel { parts.stray }

    /// Serves cards until the service stops. Returns with the outputs off and everything on disk.
    package func run() throws(SideFailure) {
        try onDisk { () throws(StorageFault) in try books.loadTotaliser() }
        try onDisk { () throws(StorageFault) in try books.keepPrice() }
        try onDisk { () throws(StorageFault) in try warnOfRoom() }
        try showBetweenVisits()
        do throws(SideFailure) {
            if visit.presence == .waiting { try serveWaitingCards() }
            while !stopIsRequested && !consoleIsGone && !visit.parametersAreNew && !priceIsNew { try awaitEvent() }
        } catch {
            if case .pump = error { try onDisk { () throws(StorageFault) in try stray.finish() } }
            throw error
        }
        try onDisk { () throws(StorageFault) in try stray.finish() }
        if !priceIsNew { show(.closed, .closed) }
    }

    private func awaitEvent() throws(SideFailure) {
        let looksAgain = shownObstacle != nil || !isRoomCounted
        let look = looksAgain ? visit.now + Self.obstacleNanoseconds : nil
        switch visit.nextEvent(until: [look, stray.restsAt].compactMap(\.self).min()) {
        case .reader(.cardInserted): try serveWaitingCards()
        case .reader(.lost(let reason)):
            shownObstacle = nil
            show(.inoperative, .readerLost(reason))
        case .reader(.cardRemoved), .reader(.back): try showIdle()
        case .pump(.strayFlow):
            try onDisk { () throws(StorageFault) in try stray.record() }
            showStrayFlow()
        case .pump(.emergency(let isActive)):
            if !isActive { show(.idle, .emergencyOver) }
            try showBetweenVisits()
        case .pump(.strayFault):
            stray.faultCame()
            show(.idle, .strayFaults(parts.flow.presentSnapshot.strayFaults.total))
        case .keypadLost, .keypadBack:
            // The reader is missing too, and that is said already.
            if !visit.readerIsGone { try showBetweenVisits() }
        case .pumpFailed(let fault): throw .pump(fault)
        case .identificationAsked:
            if let identification = settings.identification { show(shownState, .identification(identification)) }
        case .ordersChanged: try showBetweenVisits()
        case .pump, .pinEntered, .pinRefused, .pinCancelled, .consoleLost, .parametersChanged, .stopRequested: break
        case nil:
            if let rest = stray.restsAt, visit.now >= rest {
                try onDisk { () throws(StorageFault) in try stray.restOrGrow() }
            }
            if looksAgain {
                let (shown, named) = (shownObstacle, books.board.namedCount)
                if try lookForObstacle() != shown || books.board.namedCount != named { try showIdle() }
            }
        }
    }

    private func serveWaitingCards() throws(SideFailure) {
        repeat {
            try serve()
        } while visit.presence == .waiting && !stopIsRequested && !priceIsNew
        guard !stopIsRequested else { return }
        try onDisk { () throws(StorageFault) in try stray.record(least: stray.reportCounts) }
        shownObstacle = nil
        showWear()
        try showBetweenVisits()
    }

    /// Said once, and again when less is left.
    private func showWear() {
        guard let health = parts.flow.presentSnapshot.health, health.isWorn, health.marginPercent < shownMargin else {
            return
        }
        shownMargin = max(0, health.marginPercent - Self.marginPercentStep)
        show(.idle, .pulserWorn(marginPercent: health.marginPercent))
    }

    /// An emergency is said as long as it lasts, whether a card is there or not.
    private func showBetweenVisits() throws(SideFailure) {
        if visit.presence == .absent { return try showIdle() }
        show(.completed, .removeCard)
        if parts.flow.presentSnapshot.emergencyIsActive { show(.inoperative, .emergency) }
    }

    /// One card's visit.
    private func serve() throws(SideFailure) {
        books.board.orders.visitBegins(at: settings.number)
        defer { books.board.orders.visitEnds(at: settings.number) }
        defer { visit.end() }
        visit.cardIsHere()
        do throws(Interruption) {
            show(.calling, .readingCard)
            let file = try visit.identifyWhenFree()
            try visit.claim(file.asn)
            try books.checkRecords(of: file.asn)
            let purchases = PurchaseSale(side: parts)
            switch try selectedCard() {
            case .grey(let purse, let status): try LocalUnlock(side: parts, purse: purse).run(file, status)
            case .free(let purse):
                let pin = try EarlierSales(side: parts, purse: purse).close(of: file.asn)
                try purchases.refundProven(of: file.asn)
                switch settings.payment {
                case .greyLock: try Refuel(side: parts, purse: purse).run(file, pin)
                case .prepaid(let preset): try Prepay(side: parts, purse: purse).run(file, preset, pin)
                }
            case .ordinary:
                try purchases.refundProven(of: file.asn)
                switch settings.payment {
                case .greyLock: throw .refused(.noPetrolCommands)
                case .prepaid(let preset): try purchases.run(file, preset)
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

    private func selectedCard() throws(Interruption) -> SelectedCard {
        try onCard { () throws(CardStop) in
            try Selection.card(over: visit.dialogue, module: parts.module, keyIndex: settings.keyIndex)
        }
    }

    private func show(_ state: SideState, _ notice: Notice) {
        shownState = state
        parts.display.show(state, notice)
    }

    private func showIdle() throws(SideFailure) {
        switch try lookForObstacle() {
        case .emergencyStop: show(.inoperative, .emergency)
        case .sideLocked(let lock): show(.closed, .refused(.sideLocked(lock)))
        case .drained: show(.closed, .refused(.drained))
        case .blocked(let block): show(.closed, .refused(.blocked(block)))
        case .some(let refusal): show(.inoperative, .refused(refusal))
        case nil: show(.idle, .insertCard)
        }
    }

    private func lookForObstacle() throws(SideFailure) -> Refusal? {
        var room: Int?
        try onDisk { () throws(StorageFault) in room = try books.journal.roomIfCounted(nanosecondsMax: 0) }
        if room != nil, !isRoomCounted { try onDisk { () throws(StorageFault) in try books.tellOfDamage() } }
        isRoomCounted = room != nil
        shownObstacle = try parts.readiness.obstacle(room: room) ?? visit.pin.obstacle.map { .keypadGone($0) }
        return shownObstacle
    }

    private func showStrayFlow() {
        guard let record = stray.flow?.record else { return }
        show(.idle, .strayFlow(number: record.number, centilitres: record.reading.volume.shownCentilitres))
    }

    private func warnOfRoom() throws(StorageFault) {
        guard let room = try books.journal.roomIfCounted(nanosecondsMax: 0), room < JournalRoom.warnedBelow else {
            return
        }
        show(.closed, .journalNearlyFull(room: room))
    }

    // MARK: - Storage between two visits

    private func onDisk(_ write: () throws(StorageFault) -> Void) throws(SideFailure) {
        do throws(StorageFault) { try write() } catch { throw .storage(error) }
    }
}
