package import FuelPassbook
import ISO7816
package import Records
import SecurityModule
import Synchronization

/// The fuelling sides of one process, which share a journal, its numbers and a security module, before they are recovered.
/// That uses it up: its sides know of each other's cards by the one ``RecoveredBoard``.
package struct Board: ~Copyable {
    /// One of them, as far as recovery needs it.
    package struct Member {
        package let settings: SideSettings
        package let display: any SideDisplay

        package init(settings: SideSettings, display: any SideDisplay) {
            self.settings = settings
            self.display = display
        }
    }

    package static let sidesMax = 8

    private let journal: any SaleJournal
    private let clock: any StationClock
    private let terminal: TerminalID
    private let members: [Member]
    private let totals: KeptTotals
    private let orders: StandingOrders

    /// - Parameters:
    ///   - members: at least one, at most ``sidesMax``, each with a number and nozzle of its own.
    ///   - totals: outside the journal.
    package init(
        terminal: TerminalID,
        journal: any SaleJournal,
        clock: any StationClock,
        _ members: [Member],
        totals: KeptTotals = KeptTotals(),
        orders: StandingOrders = StandingOrders()
    ) {
        precondition((1...Self.sidesMax).contains(members.count))
        precondition(Set(members.map(\.settings.number)).count == members.count)
        precondition(Set(members.map(\.settings.nozzle)).count == members.count)
        self.terminal = terminal
        self.journal = journal
        self.clock = clock
        self.members = members
        self.totals = totals
        self.orders = orders
    }

    /// Finishes what a crash left open of any side, once and before any of them serves: later an open record may be a
    /// neighbour's running sale.
    package consuming func recover() throws(SideFailure) -> RecoveredBoard {
        let board = RecoveredBoard(totals, orders, nozzles: Set(members.map(\.settings.nozzle)))
        do throws(StorageFault) {
            try books(of: members[0], board).tellOfDamage()
            for record in try journal.openRecords() { try Recovery(books: books(of: record, board)).finish(record) }
            try totals.compare(members.map { books(of: $0, board) })
            let waiting = try journal.openRecords().count
            if waiting > 0 { members[0].display.show(.closed, .waitForTheirCards(waiting)) }
        } catch {
            throw .storage(error)
        }
        return board
    }

    /// Of a side that is no more, the first one speaks.
    private func books(of record: Record, _ board: RecoveredBoard) -> Books {
        if let member = members.first(where: { $0.settings.number == record.side }) {
            return books(of: member, board)
        }
        var settings = members[0].settings
        (settings.number, settings.nozzle) = (record.side, record.nozzle)
        return books(of: Member(settings: settings, display: members[0].display), board)
    }

    private func books(of member: Member, _ board: RecoveredBoard) -> Books {
        Books(
            member.settings,
            terminal: terminal,
            journal: journal,
            clock: clock,
            display: member.display,
            board: board
        )
    }
}

/// A board whose open sales are finished, and what its sides then know in common.
package final class RecoveredBoard: Sendable {
    /// At which side a card is served, or its sale goes on without it.
    private let cards = Mutex<[ApplicationSerialNumber: Int]>([:])
    private let wrongPINs = Mutex(WrongPINs())
    private let unproven = Mutex(UnprovenPurchases())
    /// The rows that are not believed, and were named.
    private let namedRows = Mutex<Set<DamagedRow>>([])

    private let totals: KeptTotals
    private let nozzles: Set<Int>

    let orders: StandingOrders

    fileprivate init(_ totals: KeptTotals, _ orders: StandingOrders, nozzles: Set<Int>) {
        (self.totals, self.orders, self.nozzles) = (totals, orders, nozzles)
    }

    /// The journal has these totals on disk.
    ///
    /// - Returns: what is to be said.
    func keep(_ totaliser: Totaliser) -> [Notice] { totals.keep(totaliser, of: nozzles) }

    /// Why the journal alone keeps totals; nil where it does not.
    var totalsObstacle: String? { totals.obstacle(nozzles) }

    /// A card that is answered at two readers at once would have one debit counted twice.
    ///
    /// - Returns: the other side at which the card is served; nil when it is this side's now.
    func claim(_ card: ApplicationSerialNumber, at side: Int) -> Int? {
        cards.withLock { cards in
            if let other = cards[card], other != side { return other }
            cards[card] = side
            return nil
        }
    }

    /// A visit at this side has ended.
    func release(at side: Int) {
        cards.withLock { cards in cards = cards.filter { $0.value != side } }
    }

    func triesLeft(of card: ApplicationSerialNumber) -> UInt8? { wrongPINs.withLock { $0.triesLeft(of: card) } }

    func note(_ status: StatusWord, of card: ApplicationSerialNumber) {
        wrongPINs.withLock { $0.note(status, of: card) }
    }

    var purchasesPauseUntil: UInt64? { unproven.withLock(\.pausesUntil) }

    func noteUnprovenPurchase(at now: UInt64) { unproven.withLock { $0.note(at: now) } }

    func forgetUnprovenPurchases() { unproven.withLock { $0.forget() } }

    /// - Returns: false for a row that was named before.
    func names(_ row: DamagedRow) -> Bool { namedRows.withLock { $0.insert(row).inserted } }

    var namedCount: Int { namedRows.withLock(\.count) }
}
