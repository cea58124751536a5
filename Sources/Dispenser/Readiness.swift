import FuelPassbook
import ISO7816
import Quantities
import Records

// What must be right of the position itself before it sells, and what time its records bear.

/// How full the journal may become (spec/dispenser.md, section 3).
package enum JournalRoom {
    package static let warnedBelow = 48
    /// What is left is for what must be written whether cards are served or not: local unlocks, refunds and fuel outside
    /// any sale. A full journal takes them too.
    package static let refusedBelow = 16
}

extension Position {
    /// - Returns: the time of a sale that begins now.
    /// - Throws: `.refused` with what keeps every card from being served.
    func checkReadiness() throws(Interruption) -> TransactionTime {
        try checkReadiness(room: countedRoom())
    }

    /// Whoever has put in a card waits a moment for the count of a large journal, which may take minutes, and is told.
    func countedRoom() throws(Interruption) -> Int {
        let room = try stored { (journal) throws(StorageFault) in
            try journal.roomIfCounted(nanosecondsMax: Self.countNanosecondsMax)
        }
        guard let room else { throw .refused(.journalNotCounted) }
        return room
    }

    private static let countNanosecondsMax: UInt64 = 1_000_000_000

    /// What keeps every card from being served; nil when nothing does.
    ///
    /// - Parameter room: nil while the records are not counted.
    func obstacle(room: Int?) throws(PositionFailure) -> Refusal? {
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
        try checkNoEmergency()
        let time = try saleTime()
        if let lock = try stored({ (journal) throws(StorageFault) in try journal.lock(of: settings.position) }) {
            throw .refused(.positionLocked(lock))
        }
        if let room, room < JournalRoom.refusedBelow { throw .refused(.journalFull(room: room)) }
        return time
    }

    /// The last thing before a sale takes its TTC: what flowed before it is not its own, and neither that record nor the
    /// notices of this visit may have taken the room that is kept.
    func beginAnew() throws(Interruption) {
        try stored { (_) throws(StorageFault) in try finishStrayFlow() }
        _ = try checkReadiness()
    }

    /// The clock, which must not be behind any record, whatever it calls the hour.
    func saleTime() throws(Interruption) -> TransactionTime {
        guard let now = edges.clock.now else { throw .refused(.clockNotSet) }
        let last = try stored { (journal) throws(StorageFault) in try journal.latestTime() }
        if let last, now.isBefore(last) { throw .refused(.clockBehind(last: last.local)) }
        return now.local
    }

    /// Every entry bears the moment at which it is written.
    func write(_ entry: JournalEntry) throws(StorageFault) {
        var entry = entry
        entry.moment = edges.clock.now
        try edges.journal.commit(entry)
    }

    /// The time of a debit that releases a card, of a notice, and of fuel outside any sale, none of which waits for the
    /// clock: that of the last record when the clock is behind it or not set.
    func stampTime() throws(StorageFault) -> TransactionTime {
        let last = try edges.journal.latestTime()
        guard let now = edges.clock.now else { return last?.local ?? .unknown }
        if let last, now.isBefore(last), last.local != .unknown { return last.local }
        return now.local
    }

    /// The next number for what a card is to be asked.
    func takeNumber() throws(Interruption) -> TTC {
        do throws(StorageFault) { return try edges.journal.reserveTTC() } catch {
            throw error.refusesNumbers ? .refused(.noNumber(error.reason)) : .failure(.storage(error))
        }
    }

    /// The end of what began at `begin`, in local words never before it: what ends in the hour that autumn repeats is shown
    /// as long as it takes to catch up; nil when the clock is not set.
    func endTime(after begin: TransactionTime) -> TransactionTime? { edges.clock.localTime.map { max($0, begin) } }
}
