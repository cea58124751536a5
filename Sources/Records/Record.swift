package import FuelPassbook
package import Quantities

/// What every record says, whatever it is of.
package struct RecordHead: Equatable, Sendable {
    package var number: RecordNumber
    package var side: Int
    package var terminal: TerminalID
    /// Of the lock; of a purchase its debit, of a refund when it became due, of a notice when it was made, of fuel
    /// outside any sale when it was first noticed.
    package var begun: TransactionTime
    package var ended: TransactionTime?
    /// The nozzle's totals after this record; nil before the end.
    package var totaliser: Totaliser?
    /// What went wrong, in words; nil when nothing did.
    package var remark: String?
    /// Under what it began; nil of an older version's, and of a side that had no parameters.
    package var identification: SoftwareIdentification?

    package init(
        number: RecordNumber,
        side: Int,
        terminal: TerminalID,
        begun: TransactionTime,
        ended: TransactionTime? = nil,
        totaliser: Totaliser? = nil,
        remark: String? = nil,
        identification: SoftwareIdentification? = nil
    ) {
        self.number = number
        self.side = side
        self.terminal = terminal
        self.begun = begun
        self.ended = ended
        self.totaliser = totaliser
        self.remark = remark
        self.identification = identification
    }
}

/// Which program measured, and under which parameters: what an inspector compares with the type approval.
package struct SoftwareIdentification: Hashable, Sendable {
    package static let hashLength = 32

    package let version: String
    /// SHA-256 of the running program's file.
    package let program: [UInt8]
    /// Of the side's set of parameters.
    package let parametersVersion: Int
    /// The hash of that set.
    package let parameters: [UInt8]

    package init(version: String, program: [UInt8], parametersVersion: Int, parameters: [UInt8]) {
        precondition(program.count == Self.hashLength && parameters.count == Self.hashLength)
        self.version = version
        self.program = program
        self.parametersVersion = parametersVersion
        self.parameters = parameters
    }
}

/// The one record of its number.
package struct Record: Equatable, Sendable {
    package internal(set) var head: RecordHead
    /// Moved by ``RecordStep`` alone.
    package internal(set) var content: Content

    init(_ head: RecordHead, _ content: Content) {
        self.head = head
        self.content = content
    }

    package init(_ head: RecordHead, _ beginning: RecordBeginning) {
        self.init(head, beginning.content)
    }

    package var number: RecordNumber { head.number }
    package var side: Int { head.side }
    package var terminal: TerminalID { head.terminal }
    package var begun: TransactionTime { head.begun }

    package var ended: TransactionTime? {
        get { head.ended }
        set { head.ended = newValue }
    }

    package var totaliser: Totaliser? {
        get { head.totaliser }
        set { head.totaliser = newValue }
    }

    package var remark: String? {
        get { head.remark }
        set { head.remark = newValue }
    }
}

/// What a record is of. A release, notice or refund delivers nothing: it is a claim on an earlier sale.
package indirect enum Content: Equatable, Sendable {
    case sale(Delivery, Tender)
    /// Fuel that goes back into the tank, as into a prover: in the totaliser's volume, and no money of anybody.
    case test(Delivery, isFlowing: Bool)
    case release(Release)
    case notice(ReleaseNotice)
    case refund(Refund)
}

/// What pays for fuel.
package enum Tender: Equatable, Sendable {
    /// What flowed, when it has flowed.
    case greyLock(LockTender)
    /// By lock and debit at once, before fuel flows.
    case prepaid(LockTender)
    /// By an ordinary purchase, before fuel flows.
    case purchase(PurchaseTender)
    /// Fuel outside any sale: nobody's card. While it flows, what flowed so far is in its record and in the totaliser, and
    /// more may come.
    case none(isFlowing: Bool)
}

// MARK: - What any record says

extension Record {
    /// nil of a claim.
    package var delivery: Delivery? {
        switch content {
        case .sale(let delivery, _), .test(let delivery, _): delivery
        case .release, .notice, .refund: nil
        }
    }

    /// Of a sale on a lock.
    package var lockTender: LockTender? {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender
        case .sale, .test, .release, .notice, .refund: nil
        }
    }

    /// Of a sale that an ordinary purchase pays.
    package var purchaseTender: PurchaseTender? {
        guard case .sale(_, .purchase(let tender)) = content else { return nil }
        return tender
    }

    package var card: ApplicationSerialNumber { standing?.card ?? .none }

    /// Before the sale; of a notice, at present. nil of fuel outside any sale and of a test.
    package var standing: CardStanding? {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.lock.standing
        case .sale(_, .purchase(let tender)): tender.purchase.standing
        case .sale(_, .none), .test: nil
        case .release(let release): release.lock.standing
        case .notice(let notice): notice.standing
        case .refund(let refund): refund.standing
        }
    }

    package var balanceBefore: Amount { standing?.balance ?? .zero }

    package var ctc: CTC { standing?.ctc ?? CTC(0) }

    /// nil without a lock.
    package var mac3: [UInt8]? {
        switch content {
        case .sale, .test, .release: lock?.mac3
        case .notice(let notice): notice.mac3
        case .refund: nil
        }
    }

    /// Of the sale, or that a local unlock ends.
    package var lock: Lock? {
        switch content {
        case .sale, .test: lockTender?.lock
        case .release(let release): release.lock
        case .notice, .refund: nil
        }
    }

    /// What the card pays. Of a prepaid sale what it paid before fuel flowed, of a refund what it gets back, of a notice
    /// what its grey record says.
    package var amount: Amount {
        switch content {
        case .sale(let delivery, .greyLock(.locked(let locked))): min(delivery.price, locked.lock.standing.balance)
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.amount
        case .sale(_, .purchase(let tender)): tender.purchase.amount
        case .sale(_, .none), .test: .zero
        case .release(let release): release.amount
        case .notice(let notice): notice.amount
        case .refund(let refund): refund.amount
        }
    }

    /// What the shown volume costs, whoever pays it; nothing of a claim, or of a test.
    package var price: Amount {
        switch content {
        case .sale(let delivery, _): delivery.price
        case .test, .release, .notice, .refund: .zero
        }
    }

    /// What flowed beyond the card's balance, beyond what was prepaid, or outside any sale.
    package var nonCardPart: Amount {
        let price = price
        return Amount(fen: price.fen - min(price, amount).fen)
    }

    /// What was prepaid and did not flow: paid = price - part that is not the card's + this.
    package var undelivered: Amount {
        kind == .prepaid ? Amount(fen: amount.fen - min(amount, price).fen) : .zero
    }

    /// Of nothing until the sale has ended, then of `amount` while the card is unpaid.
    package var gmac: SealedGMAC? {
        switch lockTender {
        case .intent(let intent): intent.zero
        case .locked(let locked): locked.zero
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.due
        case .paid, .settled, nil: nil
        }
    }

    package var debits: Debits {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.debits
        case .sale(_, .purchase(let tender)): [tender.purchase.debit]
        case .release(let release): release.debits
        case .sale(_, .none), .test, .notice, .refund: []
        }
    }

    /// The module's number of the sale's lock or purchase; nil of any other record.
    package var ttc: TTC? {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.ttc
        case .sale(_, .purchase(let tender)): tender.purchase.debit.ttc
        case .sale(_, .none), .test, .release, .notice, .refund: nil
        }
    }

    /// The latest debit; of a paid record the one that paid it.
    package var debit: DebitAttempt? { debits.last }

    package var debitTAC: [UInt8]? {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.debitTAC
        case .sale(_, .purchase(let tender)): tender.tac
        case .release(let release): release.tac
        case .sale(_, .none), .test, .notice, .refund: nil
        }
    }

    /// Whether the card's answer to the debit was authentic; nil when it was not checked.
    package var answerIsAuthentic: Bool? { mac4IsValid ?? mac2IsValid }

    package var mac4IsValid: Bool? {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.isPaid ? true : nil
        case .release(let release): if case .settled = release.state { true } else { nil }
        case .sale, .test, .notice, .refund: nil
        }
    }

    /// Of a purchase.
    package var mac2IsValid: Bool? {
        switch purchaseTender {
        case .torn(let torn), .void(let torn): torn.tac == nil ? nil : false
        case .paid, .settled: true
        case .intent, nil: nil
        }
    }

    /// For a local unlock or a notice, the number of the sale that escaped; for a refund, that of the prepaid sale.
    package var settles: RecordNumber? {
        switch content {
        case .sale, .test: nil
        case .release(let release): release.sale
        case .notice(let notice): notice.sale
        case .refund(let refund): refund.sale
        }
    }

    /// Nothing of a claim.
    package var reading: MeterReading { delivery?.reading ?? .none(points: totaliser?.counts.count ?? 1) }

    package var nozzle: Int { origin.nozzle }
    package var grade: String { origin.grade }
    package var unitPrice: UnitPrice { origin.unitPrice }

    /// Of a claim, that of its sale.
    package var origin: SaleOrigin {
        switch content {
        case .sale(let delivery, _), .test(let delivery, _): delivery.origin
        case .release(let release): release.origin
        case .notice(let notice): notice.origin
        case .refund(let refund): refund.origin
        }
    }
}

extension LockTender {
    fileprivate var amount: Amount {
        switch self {
        case .intent, .locked: .zero
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.due.amount
        case .paid(let paid), .settled(let paid): paid.amount
        }
    }

    fileprivate var debits: Debits {
        switch self {
        case .intent, .locked: []
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.debits
        case .paid(let paid), .settled(let paid): [paid.debit]
        }
    }

    fileprivate var debitTAC: [UInt8]? {
        switch self {
        case .intent, .locked: nil
        case .unpaid(let unpaid), .escaped(let unpaid, _): unpaid.tac
        case .paid(let paid), .settled(let paid): paid.tac
        }
    }

    fileprivate var isPaid: Bool {
        switch self {
        case .intent, .locked, .unpaid, .escaped: false
        case .paid, .settled: true
        }
    }
}

extension PurchaseTender {
    fileprivate var tac: [UInt8]? {
        switch self {
        case .intent: nil
        case .torn(let torn), .void(let torn): torn.tac
        case .paid(let paid), .settled(let paid): paid.tac
        }
    }
}
