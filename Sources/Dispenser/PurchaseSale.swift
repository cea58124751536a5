import CardCryptography
import FuelPassbook
import GreyLock
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
// Durable writes as in `Prepay.swift`, with DEBIT FOR PURCHASE for LOCK and DEBIT FOR PETROL.

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

    /// A card has proven one.
    mutating func forget() { count = 0 }

    /// Before which no purchase begins; nil when none was left unproven.
    var pausesUntil: UInt64? { count == 0 ? nil : last + Self.pauseNanoseconds << UInt64(count - 1) }
}

struct PurchaseSale: Procedure {
    let side: Parts

    /// Of one card.
    static let tornPurchasesMax = 3

    func run(_ card: PublicApplicationFile, _ preset: Preset) throws(Interruption) {
        try readiness.checkMayServe(card)
        try checkMayPurchase(card.asn)
        let target = settings.prepaidTarget(preset)
        display.show(.calling, .prepaying(target.amount))
        _ = try visit.verifiedPIN()
        try readiness.beginAnew()

        // 1.1, 1.2
        let command = InitializeForPurchase(
            keyIndex: settings.keyIndex,
            amount: target.amount,
            terminal: module.terminal
        )
        let answer = try initialize(command)
        try checkUnused(card.asn, answer.ctc)
        // 1.3
        let number = try books.takeNumber()
        try books.keepRefundNumber()
        let debiting = try makeMAC1(card.asn, command, answer, module.ttc(for: number))
        try flow.checkNoEmergency()
        let purchase = purchase(card.asn, command, answer, debiting)
        var record = books.newSale(number, debiting.time, .purchase(purchase))
        try books.commit(JournalEntry(record))
        // 1.4 to 1.7
        let proof = try pay(&record, debiting)
        try books.voidTornPurchases(of: card.asn, .purchase(proof))
        try PrepaidDelivery(side: side).run(&record, target.volume)
    }

    /// A card that this station saw use petrol commands has them, whatever it says now; so has one whose grey record came from
    /// another terminal.
    private func checkMayPurchase(_ card: ApplicationSerialNumber) throws(Interruption) {
        if let pause = books.board.purchasesPauseUntil, visit.now < pause {
            throw .refused(.purchasesPaused(seconds: Int((pause - visit.now) / 1_000_000_000) + 1))
        }
        guard try books.tornPurchases(of: card).count < Self.tornPurchasesMax else {
            throw .refused(.tornPurchases(Self.tornPurchasesMax))
        }
        let usesPetrol = try books.stored { (journal) throws(StorageFault) in try journal.usesPetrolCommands(card) }
        let hasGreyRecord = try !books.openGreyRecords(of: card).isEmpty
        guard !usesPetrol, !hasGreyRecord else { throw .refused(.petrolCommandsHidden) }
    }

    /// No number of a card is bought with twice at this station, except one whose purchase never reached the card.
    private func checkUnused(_ card: ApplicationSerialNumber, _ ctc: CTC) throws(Interruption) {
        let isUsed = try books.stored { (journal) throws(StorageFault) in try journal.hasPurchase(of: card, ctc) }
        guard !isUsed else { throw .refused(.purchaseRepeated) }
    }

    /// Step 1.2 refuses for want of money without saying how much there is.
    private func initialize(
        _ command: InitializeForPurchase
    ) throws(Interruption) -> InitializeForPurchase.Response {
        switch try visit.send(command) {
        case .success(let response):
            // No code covers this balance: one that cannot pay is not believed, nor is it worked with.
            guard response.balance >= command.amount else {
                throw .refused(.notEnoughMoney(balance: response.balance, needed: command.amount))
            }
            return response
        case .status(.insufficientFunds):
            let balance = try visit.exchange(GetBalance()).balance
            throw .refused(.notEnoughMoney(balance: balance, needed: command.amount))
        case .status(.keyIndexNotSupported): throw .refused(.noKey(settings.keyIndex))
        case .status(let status): throw .refused(Refusal(of: .initializeForPurchase, status))
        }
    }

    private func makeMAC1(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPurchase,
        _ answer: InitializeForPurchase.Response,
        _ ttc: TTC
    ) throws(Interruption) -> DebitingPurchase {
        let time = try books.saleTime()
        do throws(SecurityModuleError) {
            return try module.makeMAC1(card: card, command: command, answer: answer, ttc: ttc, time: time)
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
            terminal: module.terminal,
            time: debiting.time
        )
        return Purchase(standing, amount: command.amount, icc: answer.icc, debit: debit)
    }

    /// Steps 1.4 to 1.7. Whatever goes wrong after the command left, the card may have paid: the purchase is torn until
    /// the card proves it, at once when it is still there.
    private func pay(
        _ record: inout Record,
        _ debiting: consuming DebitingPurchase
    ) throws(Interruption) -> ProvenPurchase {
        var wronglyAnswered: MAC?
        let proof: ProvenPurchase
        do throws(Interruption) {
            // 1.4 to 1.6
            let answer = try visit.exchange(
                DebitForPurchase(ttc: debiting.ttc, time: debiting.time, mac1: debiting.mac1)
            )
            // 1.7
            do throws(SecurityModuleError) {
                proof = try debiting.verifyMAC2(answer.mac2, tac: answer.tac)
            } catch {
                wronglyAnswered = answer.tac
                throw .refused(.module(error))
            }
        } catch {
            books.board.noteUnprovenPurchase(at: visit.now)
            try leaveTorn(&record, tac: wronglyAnswered, because: error)
        }
        books.board.forgetUnprovenPurchases()
        try books.take(.bought(proof), &record)
        try books.commit(JournalEntry(record))
        return proof
    }

    /// Ends the visit: with what went wrong when the card could prove whether it paid, and else with that it could not.
    private func leaveTorn(
        _ record: inout Record,
        tac: MAC?,
        because interruption: Interruption
    ) throws(Interruption) -> Never {
        try books.take(.torn(tac: tac), &record)
        switch interruption {
        case .card(let fault):
            record.remark = "DEBIT FOR PURCHASE was not answered: \(fault)"
            try books.commit(JournalEntry(record))
            display.show(.settling, .cardFault(fault))
        case .refused(let refusal):
            record.remark = remark(refusal)
            try books.commit(JournalEntry(record))
            // Void is for another power session: a card that failed to write does not know yet whether it paid.
            try refundProven(of: record.card)
        case .stop, .failure:
            throw interruption
        }
        let number = record.number
        let isTorn = try books.tornPurchases(of: record.card).contains { (record, _) in record.number == number }
        throw isTorn ? .refused(.purchaseUnproven(record.amount)) : interruption
    }

    /// No fuel flowed for a torn purchase. A card that paid it keeps MAC2 as its proof, and all of it is refunded. With a
    /// wrong MAC2 the TAC is kept, which the issuer can check, because the card's next purchase replaces the proof.
    func refundProven(of card: ApplicationSerialNumber) throws(Interruption) {
        for (open, torn) in try books.tornPurchases(of: card) {
            var record = open
            guard let answer = try visit.proof(of: .purchase, ctc: record.ctc) else { continue }
            guard let proof = try prove(answer, torn.purchase), let paid = record.after(.bought(proof)) else {
                try books.take(.torn(tac: answer.tac), &record)
                try books.commit(JournalEntry(record))
                continue
            }
            record = paid
            let refund = try books.stored { (_) throws(StorageFault) in
                try books.settlePrepaid(&record, on: books.totaliser(before: record))
            }
            display.printReceipt(record, balance: nil)
            if let refund { display.show(.calling, .refund(refund.amount)) }
        }
    }

    private func prove(_ answer: TransactionProof, _ purchase: Purchase) throws(Interruption) -> ProvenPurchase? {
        do throws(SecurityModuleError) {
            return try module.provePurchase(
                mac2: answer.mac,
                tac: answer.tac,
                card: purchase.standing.card,
                key: purchase.standing.key,
                session: purchase.session,
                amount: purchase.amount
            )
        } catch {
            throw .refused(.module(error))
        }
    }
}
