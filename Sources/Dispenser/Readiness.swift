import FuelPassbook
import ISO7816
import Quantities
import Records

/// What must be right of the side itself before it sells.
struct Readiness {
    let books: Books
    let flow: Flow
    let stray: StrayFuel
    let settings: SideSettings

    /// - Returns: the time of a sale that begins now.
    /// - Throws: `.refused` with what keeps every card from being served.
    func checkReadiness() throws(Interruption) -> TransactionTime {
        try checkReadiness(room: countedRoom())
    }

    /// Whoever has put in a card waits a moment for the count of a large journal, which may take minutes, and is told.
    func countedRoom() throws(Interruption) -> Int {
        let room = try books.stored { (journal) throws(StorageFault) in
            try journal.roomIfCounted(nanosecondsMax: Self.countNanosecondsMax)
        }
        guard let room else { throw .refused(.journalNotCounted) }
        return room
    }

    private static let countNanosecondsMax: UInt64 = 1_000_000_000

    /// What keeps every card from being served; nil when nothing does.
    ///
    /// - Parameter room: nil while the records are not counted.
    func obstacle(room: Int?) throws(SideFailure) -> Refusal? {
        do throws(Interruption) {
            _ = try checkReadiness(room: room)
            return nil
        } catch {
            switch error {
            case .refused(let refusal): return refusal
            case .failure(let failure): throw failure
            case .card, .stop: preconditionFailure("no card is asked")
            }
        }
    }

    private func checkReadiness(room: Int?) throws(Interruption) -> TransactionTime {
        try flow.checkNoEmergency()
        let time = try books.saleTime()
        if let lock = try books.stored({ (journal) throws(StorageFault) in try journal.lock(of: settings.number) }) {
            throw .refused(.sideLocked(lock))
        }
        if let target = settings.targetTooSmall {
            throw .refused(.targetTooSmall(centilitres: target, least: settings.minimumQuantity.shownCentilitres))
        }
        if let reason = books.board.totalsObstacle { throw .refused(.totalsNotKept(reason)) }
        if let room, room < JournalRoom.refusedBelow { throw .refused(.journalFull(room: room)) }
        if let refusal = books.board.orders.refusal(at: settings.number) { throw .refused(refusal) }
        return time
    }

    /// The last thing before a sale takes its number: what flowed before it is not its own, and neither that record nor the
    /// notices of this visit may have taken the room that is kept.
    func beginAnew() throws(Interruption) {
        try books.stored { (_) throws(StorageFault) in try stray.finish() }
        _ = try checkReadiness()
    }

    /// What must be right before a card is asked to lock or to pay; the rest the card itself decides.
    func checkMayServe(_ card: PublicApplicationFile) throws(Interruption) {
        let time = try checkReadiness()
        guard let today = time.date else { throw .refused(.clockNotSet) }
        guard card.validFrom <= today else { throw .refused(.notYetValid(from: card.validFrom)) }
        guard today <= card.validTo else { throw .refused(.expired(on: card.validTo)) }
        guard settings.cardKinds.contains(card.asn.kind) else { throw .refused(.cardKind(card.asn.kind)) }
        let isListed = try books.stored { (_) throws(StorageFault) in try books.board.orders.isBlocked(card.asn) }
        guard !isListed, !settings.blacklist.contains(card.asn) else { throw .refused(.blacklisted) }
        let room = try countedRoom()
        if room < JournalRoom.warnedBelow { books.display.show(.calling, .journalNearlyFull(room: room)) }
    }
}
