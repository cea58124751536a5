package import FuelPassbook
package import Quantities

/// What settles an escaped card at its next visit (claim 5 of the source): card, lock, amount and GMAC. It is whole: one that
/// came from another terminal is paid as this terminal's own.
package struct GreyRecord: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        case open
        /// Paid; the sale or a local unlock has the TAC.
        case settled
        /// A later lock at the same number proved that this one never was.
        case void
        /// The card was released without this terminal: by the issuer or another terminal.
        case elsewhere
    }

    /// The sale that escaped; of a record that came from another terminal a number of this journal's, which no sale has.
    package let number: RecordNumber
    package let mac3: [UInt8]
    /// What is owed, and the lock: its terminal and TTC are the lock's.
    package let gmac: SealedGMAC
    /// Before the lock, as MAC3 proved it; nil of a record that an earlier version wrote.
    package let balance: Amount?
    /// When it came from another terminal; nil of this terminal's own.
    package let imported: TransactionTime?
    /// Changed by what proves it.
    package private(set) var state = State.open
    /// As in its sale.
    package private(set) var debits = Debits()

    package var card: ApplicationSerialNumber { gmac.card }
    /// The number before the lock.
    package var ctc: CTC { gmac.ctc }
    package var amount: Amount { gmac.amount }
}

/// A grey record as the journal keeps it: what its values say together is judged once, by ``GreyRecord/init(_:)``.
package struct GreyRecordFields: Equatable, Sendable {
    package var number: RecordNumber
    package var mac3: [UInt8]
    package var gmac: SealedGMAC
    package var balance: Amount?
    package var imported: TransactionTime?
    package var state: GreyRecord.State
    package var debits: Debits

    package init(
        _ number: RecordNumber,
        mac3: [UInt8],
        gmac: SealedGMAC,
        balance: Amount? = nil,
        imported: TransactionTime? = nil,
        _ state: GreyRecord.State,
        _ debits: Debits = []
    ) {
        self.number = number
        self.mac3 = mac3
        self.gmac = gmac
        self.balance = balance
        self.imported = imported
        self.state = state
        self.debits = debits
    }
}

extension GreyRecord {
    /// - Throws: ``FieldFault`` for a settled one without the one debit that was proven.
    package init(_ fields: GreyRecordFields) throws(FieldFault) {
        guard fields.state != .settled || fields.debits.count == 1 else {
            throw FieldFault(field: .debits, reason: "is not the one that was proven")
        }
        number = fields.number
        mac3 = fields.mac3
        gmac = fields.gmac
        balance = fields.balance
        imported = fields.imported
        state = fields.state
        debits = fields.debits
    }

    /// What is left of a sale that its card has not paid.
    init(of number: RecordNumber, _ unpaid: LockTender.Unpaid) {
        self.number = number
        mac3 = unpaid.lock.mac3
        gmac = unpaid.due
        balance = unpaid.lock.standing.balance
        imported = nil
        debits = unpaid.debits
    }

    /// One that came from another terminal, with a number of this journal's.
    package init(
        _ number: RecordNumber,
        mac3: [UInt8],
        gmac: SealedGMAC,
        balance: Amount?,
        imported: TransactionTime
    ) {
        self.number = number
        self.mac3 = mac3
        self.gmac = gmac
        self.balance = balance
        self.imported = imported
    }

    /// Whose sale it was, in words; nil of this terminal's own.
    package var origin: String? {
        imported == nil ? nil : "of record \(gmac.ttc.number) of terminal \(gmac.terminal)"
    }

    /// A debit that has to be on disk before it leaves; one that is there already stands once.
    ///
    /// - Throws: ``StorageFault`` where it is owed no more, or as many as are kept were sent.
    package mutating func send(_ attempt: DebitAttempt) throws(StorageFault) {
        guard state == .open, let debits = debits.adding(attempt) else { throw refused("debit sent") }
        self.debits = debits
    }

    /// Step 3.7, or a proof of it.
    ///
    /// - Throws: ``StorageFault`` for a proof of something else.
    package mutating func settle(by proof: ProvenDebit) throws(StorageFault) {
        guard state == .open, debits.isPaid(by: proof, card, ctc, amount) else { throw refused("paid") }
        debits = [proof.attempt]
        state = .settled
    }

    /// The card answered what only a card does that was released from this lock, and proved no debit of this terminal.
    ///
    /// - Throws: ``StorageFault`` for a proof of something else.
    package mutating func release(by proof: ProvenRelease) throws(StorageFault) {
        guard state == .open, card == proof.card, ctc == proof.lock else { throw refused("released") }
        state = .elsewhere
    }

    /// The card still had this lock's number to lock with; nil where the lock does not say so.
    package func void(by proof: ProvenLock) -> GreyRecord? {
        guard state == .open, card == proof.card, ctc == proof.ctc, !isOf(proof) else { return nil }
        var void = self
        void.state = .void
        return void
    }

    private func isOf(_ proof: ProvenLock) -> Bool { gmac.terminal == proof.terminal && gmac.ttc == proof.ttc }

    private func refused(_ step: String) -> StorageFault {
        StorageFault(refusing: step, "grey record \(number.value)", state.rawValue)
    }
}
