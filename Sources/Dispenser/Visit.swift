import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Records

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

/// Who is in the reader: the card's presence, what is said to it, its PIN, and the events that come meanwhile.
final class Visit {
    let reader: any CardReader
    let dialogue: CardDialogue
    let pin: any PINEntry
    let events: any EventSource
    let clock: any StationClock
    let display: any SideDisplay
    let settings: SideSettings
    let board: RecoveredBoard
    /// What is done when fuel flows outside any sale.
    private let recordStrayFlow: () throws(StorageFault) -> Void

    private(set) var stopIsRequested = false
    private(set) var presence: CardPresence
    private(set) var readerIsGone = false
    /// The customer's console is gone: no visit begins any more.
    private(set) var consoleIsGone = false
    /// The side begins anew, with others.
    private(set) var parametersAreNew = false
    /// Whose card answers.
    var identifiedCard: ApplicationSerialNumber?
    /// Since when the card of the running sale is away; nil while it is not.
    private(set) var saleCardLeftAt: UInt64?

    init(
        _ settings: SideSettings,
        _ edges: SideEdges,
        _ board: RecoveredBoard,
        _ presence: CardPresence,
        strayFlow recordStrayFlow: @escaping () throws(StorageFault) -> Void
    ) {
        reader = edges.reader
        dialogue = CardDialogue(edges.reader)
        pin = edges.pin
        events = edges.events
        clock = edges.clock
        display = edges.display
        self.settings = settings
        self.board = board
        self.presence = presence
        self.recordStrayFlow = recordStrayFlow
    }

    var now: UInt64 { clock.monotonicNanoseconds }

    /// The card is this side's until ``end()``.
    ///
    /// - Throws: `.refused` where it is another's.
    func claim(_ card: ApplicationSerialNumber) throws(Interruption) {
        if let other = board.claim(card, at: settings.number) { throw .refused(.servedElsewhere(side: other)) }
    }

    func end() {
        disconnectCard()
        board.release(at: settings.number)
    }

    /// The card of the running sale, or the one that a visit begins with.
    func cardIsHere() { saleCardLeftAt = nil }

    /// The next event; what it says of card and service is noted.
    func nextEvent(until deadline: UInt64?) -> SideEvent? {
        let event = events.next(until: deadline)
        switch event {
        case .reader(.cardInserted):
            presence = .present
            readerIsGone = false
        case .reader(.cardRemoved):
            saleCardLeftAt = saleCardLeftAt ?? now
            presence = .absent
        case .reader(.lost):
            saleCardLeftAt = saleCardLeftAt ?? now
            presence = .absent
            readerIsGone = true
        case .reader(.back): readerIsGone = false
        case .stopRequested: stopIsRequested = true
        case .consoleLost: consoleIsGone = true
        case .parametersChanged: parametersAreNew = true
        case .pump, .pumpFailed, .pinEntered, .pinRefused, .pinCancelled, .keypadLost, .keypadBack, .ordersChanged,
            .identificationAsked, nil:
            break
        }
        return event
    }

    func connectCard() throws(Interruption) {
        do throws(CardFault) { try reader.connect() } catch {
            if case .inUse = error { presence = .held }
            throw .card(error)
        }
        presence = .connected
    }

    func disconnectCard() {
        reader.disconnect()
        if presence == .connected { presence = .present }
    }

    func letCardWait() {
        reader.disconnect()
        presence = .waiting
        display.show(.suspended, .otherCard)
    }

    /// What the pump said of fuel outside any sale, while a card is waited for.
    func noteStrayFlow() throws(Interruption) {
        do throws(StorageFault) { try recordStrayFlow() } catch { throw .failure(.storage(error)) }
    }
}
