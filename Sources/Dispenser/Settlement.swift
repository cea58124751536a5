import CardCryptography
import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

/// What a card that comes back says of a debit whose answer was not seen.
private enum LostAnswer {
    /// It has paid, and proved it.
    case paid(ProvenDebit)
    /// It bears the grey mark of this sale: the debit was not executed.
    case notExecuted
    /// It left, failed, or proved nothing.
    case unknown
}

// Steps 1.12 to 1.15: the debit, which unlocks the card in the same step.

extension Refuel {
    /// Of one sale, until its card proves one or is asked again at its next visit.
    private static let debitTriesMax = 5

    /// Debits the card, waiting for it within the grace time, and leaves a grey record when it does not come, refuses, or
    /// proves nothing.
    func settle(
        _ record: inout Record,
        _ pin: borrowing PIN
    ) throws(Interruption) {
        display.show(.settling, .settling)
        do throws(Interruption) {
            try settleWithinGrace(&record, pin)
        } catch {
            switch error {
            case .refused(let refusal): try books.escape(&record, .fault, remark: remark(refusal))
            // The side may serve again without a new recovery of its board.
            case .failure(.pump(let fault)):
                try books.escape(&record, .left, remark: FuellingEnd.pumpFailed(fault).remark)
            case .card, .stop, .failure(.storage): break
            }
            throw error
        }
    }

    private func settleWithinGrace(
        _ record: inout Record,
        _ pin: borrowing PIN
    ) throws(Interruption) {
        let begun = visit.now
        var triesLeft = Self.debitTriesMax
        while true {
            let left = visit.saleCardLeftAt ?? begun
            let deadline = (settings.closesValveOnCardRemoval ? left : max(begun, left)) + settings.timeouts.grace
            var isReady = visit.presence == .connected
            if !isReady { isReady = try awaitCard(of: record, pin, until: deadline) }
            guard isReady, record.debits.isEmpty || visit.now < deadline else {
                try books.escape(&record, .left, remark: nil)
                if visit.stopIsRequested { throw .stop }
                return
            }
            guard triesLeft > 0 else { throw .refused(.debitUnproven(record.amount)) }
            triesLeft -= 1
            switch record.debits.isEmpty ? .notExecuted : try lostAnswer(books.unpaid(record)) {
            case .paid(let proof): return try finish(&record, proof)
            case .unknown: visit.disconnectCard()
            case .notExecuted:
                switch try debiting.run(&record) {
                case .paid(let proof): return try finish(&record, proof)
                case .refused(.memoryFailure), .lost(_): visit.disconnectCard()
                case .refused(let status): throw .refused(Refusal(of: .debitForPetrol, status))
                }
            }
        }
    }

    /// - Returns: whether the card of this sale is connected, with its PIN verified.
    private func awaitCard(
        of record: Record,
        _ pin: borrowing PIN,
        until deadline: UInt64
    ) throws(Interruption) -> Bool {
        if visit.presence == .present || visit.presence == .held, try visit.isSameCard(record, pin) { return true }
        while !visit.stopIsRequested {
            let again = visit.presence == .held ? min(deadline, visit.now + settings.timeouts.tick) : deadline
            guard let event = visit.nextEvent(until: again) else {
                guard visit.presence == .held, visit.now < deadline else { return false }
                if try visit.isSameCard(record, pin) { return true }
                continue
            }
            switch event {
            case .reader(.cardInserted): if try visit.isSameCard(record, pin) { return true }
            case .pumpFailed(let fault): throw .failure(.pump(fault))
            case .reader(.cardRemoved), .reader(.lost): visit.disconnectCard()
            case .pump(.strayFlow): try visit.noteStrayFlow()
            case .reader(.back), .pump, .pinEntered, .pinRefused, .pinCancelled, .keypadLost, .keypadBack, .consoleLost,
                .parametersChanged, .ordersChanged,
                .identificationAsked,
                .stopRequested:
                break
            }
        }
        return false
    }

    /// A card that is not grey has paid, and still has the proof (D23). Only what it proves counts: while nothing is known, no
    /// other debit is sent.
    private func lostAnswer(_ unpaid: LockTender.Unpaid) throws(Interruption) -> LostAnswer {
        do throws(Interruption) {
            let status = try onCard { () throws(CardStop) in try purse.status() }
            if let status, status.mac3.isValid(MAC(bytes: unpaid.lock.mac3)) {
                return .notExecuted
            }
            let gmac = unpaid.due
            guard let answered = try debiting.answered(under: gmac, unpaid.debits) else {
                throw .refused(.debitUnproven(gmac.amount))
            }
            return try debiting.proof(of: answered, gmac).map { .paid($0) } ?? .unknown
        } catch {
            guard case .card(let fault) = error else { throw error }
            display.show(.settling, .cardFault(fault))
            return .unknown
        }
    }

    /// Step 1.15, and the sale's last durable write.
    private func finish(_ record: inout Record, _ proof: ProvenDebit) throws(Interruption) {
        try books.take(.paid(proof), &record)
        try books.commit(JournalEntry(record))
        display.printReceipt(record, balance: record.balanceBefore.subtracting(record.amount))
    }
}
