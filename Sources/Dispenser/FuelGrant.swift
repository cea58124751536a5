import FuelPassbook
import Records
import SecurityModule

/// On what fuel flows: what a tender does differently meanwhile.
protocol FuelGrant: ~Copyable {
    /// Whether the sale waits for a card that left.
    var needsCard: Bool { get }

    /// What the customer reads when fuel may flow.
    borrowing func notice(_ record: Record) -> Notice

    /// Whether the card that came is that of the sale (D16).
    borrowing func isBack(_ record: Record, in visit: Visit) throws(Interruption) -> Bool

    /// Puts on disk what settles the sale at what has flowed.
    borrowing func keep(_ record: Record, in books: Books) throws(Interruption)
}

/// The card is locked by this terminal, pays for what flows, and has to stay.
struct LockGrant: FuelGrant, ~Copyable {
    let session: LockedSale
    /// What the card must see when it comes back.
    let pin: PIN

    var needsCard: Bool { true }

    borrowing func notice(_ record: Record) -> Notice { .liftNozzle(balance: record.balanceBefore) }

    borrowing func isBack(_ record: Record, in visit: Visit) throws(Interruption) -> Bool {
        try visit.isSameCard(record, pin)
    }

    borrowing func keep(_ record: Record, in books: Books) throws(Interruption) {
        let checkpoint = Checkpoint(
            number: record.number,
            reading: record.reading,
            amount: record.amount,
            nonCardPart: record.nonCardPart,
            gmac: session.gmac(of: record.amount)
        )
        try books.stored { (journal) throws(StorageFault) in try journal.checkpoint(checkpoint) }
    }
}

/// The card has paid the record's amount, and may leave.
struct PaidGrant: FuelGrant {
    var needsCard: Bool { false }

    func notice(_ record: Record) -> Notice { .prepaid(record.amount) }

    func isBack(_ record: Record, in visit: Visit) throws(Interruption) -> Bool { false }

    func keep(_ record: Record, in books: Books) throws(Interruption) { try books.commit(JournalEntry(record)) }
}
