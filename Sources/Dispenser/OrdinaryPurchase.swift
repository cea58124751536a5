import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Records
import SecurityModule

// The ordinary purchase, steps 1.1 to 1.7 of seed 002, for a card without petrol commands.
//
// What MAC2 proves is less than MAC4 proves: it covers the amount alone, under a key of the card's random and number and
// the low half of the TTC. A code that the card, or a terminal, made elsewhere under the same three for the same amount is
// the same code (D31), and that a card has no petrol commands is its word alone. Decision record 0009 says what that allows.
//
// Durable writes as in `Prepaid.swift`, with DEBIT FOR PURCHASE for LOCK and DEBIT FOR PETROL.

/// Purchases in a row whose cards did not prove them. The card has proven nothing when MAC1 is made for it: so that no pump
/// makes codes for serial numbers by the minute, or fills its journal with them, each one makes the next wait longer.
struct UnprovenPurchases {
    private static let pauseNanoseconds: UInt64 = 10_000_000_000
    private static let doublingsMax = 6

    private var count = 0
    private var last: UInt64 = 0

    /// One more, at an instant of the monotonic clock.
    mutating func note(at now: UInt64) {
        count = min(count + 1, Self.doublingsMax + 1)
        last = now
    }

    /// Before which no purchase begins; nil when none was left unproven.
    var pausesUntil: UInt64? { count == 0 ? nil : last + Self.pauseNanoseconds << UInt64(count - 1) }
}

extension Position {
    /// Of one card.
    static let tornPurchasesMax = 3

    func ordinaryPrepaidSale(_ card: PublicApplicationFile, _ preset: Preset) throws(Interruption) {
        try checkMayServe(card)
        try checkMayPurchase(card.asn)
        let target = prepaidTarget(preset)
        show(.calling, .prepaying(target.amount))
        _ = try verifiedPIN()
        try beginAnew()

        // 1.1, 1.2
        let command = InitializeForPurchase(
            keyIndex: settings.keyIndex,
            amount: target.amount,
            terminal: edges.module.terminal
        )
        let answer = try initialize(command)
        try checkUnused(card.asn, answer.ctc)
        // 1.3
        let debiting = try makeMAC1(card.asn, command, answer)
        try checkNoEmergency()
        let purchase = purchase(card.asn, command, answer, debiting)
        var record = newSale(debiting.ttc, debiting.time, .purchase(.intent(purchase)))
        try commit(JournalEntry(record))
        // 1.4 to 1.7
        let paid = try pay(&record, purchase, debiting)
        try voidTornPurchases(of: card.asn) { $0.void(by: paid) }
        try deliver(&record, target.volume)
    }

    /// A card that this station saw use petrol commands has them, whatever it says now.
    private func checkMayPurchase(_ card: ApplicationSerialNumber) throws(Interruption) {
        if let pause = unprovenPurchases.pausesUntil, now < pause {
            throw .refused(.purchasesPaused(seconds: Int((pause - now) / 1_000_000_000) + 1))
        }
        guard try tornPurchases(of: card).count < Self.tornPurchasesMax else {
            throw .refused(.tornPurchases(Self.tornPurchasesMax))
        }
        let usesPetrol = try stored { (journal) throws(StorageFault) in try journal.usesPetrolCommands(card) }
        guard !usesPetrol else { throw .refused(.petrolCommandsHidden) }
    }

    /// No number of a card is bought with twice at this station, except one whose purchase never reached the card.
    private func checkUnused(_ card: ApplicationSerialNumber, _ ctc: CTC) throws(Interruption) {
        let isUsed = try stored { (journal) throws(StorageFault) in try journal.hasPurchase(of: card, ctc) }
        guard !isUsed else { throw .refused(.purchaseRepeated) }
    }

    /// The card bought, or was locked, with a number now: an earlier purchase at the same number never reached it.
    ///
    /// - Parameter voided: nil for a purchase of which nothing is proven.
    func voidTornPurchases(
        of card: ApplicationSerialNumber,
        _ voided: (PurchaseTender.Torn) -> PurchaseTender?
    ) throws(Interruption) {
        for (var record, torn) in try tornPurchases(of: card) {
            guard let void = voided(torn) else { continue }
            record.purchaseTender = void
            record.ended = endTime(after: record.begun)
            try commit(JournalEntry(record))
            show(.calling, .purchaseVoid(record.amount))
        }
    }

    /// Step 1.2 refuses for want of money without saying how much there is.
    private func initialize(
        _ command: InitializeForPurchase
    ) throws(Interruption) -> InitializeForPurchase.Response {
        switch try send(command) {
        case .success(let response):
            // No code covers this balance: one that cannot pay is not believed, nor is it worked with.
            guard response.balance >= command.amount else {
                throw .refused(.notEnoughMoney(balance: response.balance, needed: command.amount))
            }
            return response
        case .status(.insufficientFunds):
            let balance = try exchange(GetBalance()).balance
            throw .refused(.notEnoughMoney(balance: balance, needed: command.amount))
        case .status(let status): throw .refused(refusal(of: .initializeForPurchase, status))
        }
    }

    private func makeMAC1(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPurchase,
        _ answer: InitializeForPurchase.Response
    ) throws(Interruption) -> DebitingPurchase {
        let ttc = try takeNumber()
        let time = try saleTime()
        do throws(SecurityModuleError) {
            return try edges.module.makeMAC1(card: card, command: command, answer: answer, ttc: ttc, time: time)
        } catch {
            throw .refused(.module(error))
        }
    }

    private func purchase(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPurchase,
        _ answer: InitializeForPurchase.Response,
        _ debiting: borrowing DebitingPurchase
    ) -> Purchase {
        let standing = CardStanding(
            card: card,
            key: KeyReference(index: command.keyIndex, version: answer.keyVersion),
            balance: answer.balance,
            ctc: answer.ctc
        )
        let debit = DebitAttempt(
            ttc: debiting.ttc,
            type: .purchase,
            terminal: edges.module.terminal,
            time: debiting.time
        )
        return Purchase(standing, amount: command.amount, icc: answer.icc, debit: debit)
    }

    /// Steps 1.4 to 1.7. Whatever goes wrong after the command left, the card may have paid: the purchase is torn until
    /// the card proves it, at once when it is still there.
    private func pay(
        _ record: inout Record,
        _ purchase: Purchase,
        _ debiting: consuming DebitingPurchase
    ) throws(Interruption) -> PurchaseTender.Paid {
        var torn = PurchaseTender.Torn(purchase)
        let paid: PurchaseTender.Paid?
        do throws(Interruption) {
            // 1.4 to 1.6
            let answer = try exchange(
                DebitForPurchase(ttc: debiting.ttc, time: debiting.time, mac1: debiting.mac1)
            )
            // 1.7
            do throws(SecurityModuleError) {
                paid = purchase.paid(by: try debiting.verifyMAC2(answer.mac2, tac: answer.tac))
            } catch {
                torn.noteWrongMAC2(tac: answer.tac)
                throw .refused(.module(error))
            }
        } catch {
            unprovenPurchases.note(at: now)
            try leaveTorn(&record, torn, because: error)
        }
        guard let paid else { preconditionFailure("a sale's own purchase pays it") }
        unprovenPurchases = UnprovenPurchases()
        record.purchaseTender = .paid(paid)
        try commit(JournalEntry(record))
        return paid
    }

    /// Ends the visit: with what went wrong when the card could prove whether it paid, and else with that it could not.
    private func leaveTorn(
        _ record: inout Record,
        _ torn: PurchaseTender.Torn,
        because interruption: Interruption
    ) throws(Interruption) -> Never {
        record.purchaseTender = .torn(torn)
        switch interruption {
        case .card(let fault):
            record.remark = "DEBIT FOR PURCHASE was not answered: \(fault)"
            try commit(JournalEntry(record))
            show(.settling, .cardFault(fault))
        case .refused(let refusal):
            record.remark = "\(refusal)"
            try commit(JournalEntry(record))
            // Void is for another power session: a card that failed to write does not know yet whether it paid.
            try refundProvenPurchases(of: record.card)
        case .stop, .failure:
            throw interruption
        }
        let ttc = record.ttc
        let isTorn = try tornPurchases(of: record.card).contains { (record, _) in record.ttc == ttc }
        throw isTorn ? .refused(.purchaseUnproven(record.amount)) : interruption
    }
}
