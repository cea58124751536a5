package import CardCryptography
package import FuelPassbook
package import Metering
package import Quantities

/// What a terminal transaction number was used for (spec/dispenser.md, section 3).
package enum RecordKind: String, CaseIterable, Sendable {
    case sale
    case escape
    case localUnlock = "local-unlock"
    /// The card of a grey record came back free: the issuer, or a terminal that got the record, released it. A notice.
    case onlineUnlock = "online-unlock"
    /// Fuel outside any sale: nobody's card pays it.
    case noCard = "no-card"
    case cardFault = "card-fault"
    /// Paid before fuel flowed, by lock and debit at once or by an ordinary purchase; its card may have paid, or not yet have proven it.
    case prepaid
    /// What was prepaid and did not flow: the issuer owes it to the card.
    case refund
}

/// How far a transaction has come on disk. The order is that of the durable writes.
package enum RecordPhase: String, CaseIterable, Sendable {
    /// Written before LOCK FOR PETROL or DEBIT FOR PURCHASE leaves.
    case intent
    /// Written before the valve may open.
    case locked
    /// Of a prepaid sale, written before the valve may open.
    case paid
    /// Of a prepaid sale: it is not known whether the card paid. No fuel flowed, and the card can prove it.
    case torn
    /// Of fuel outside any sale: what flowed so far is in it and in the totaliser, and more may come.
    case flowing
    /// The final amount and its GMAC; SESPK is gone.
    case ended
    /// Written before DEBIT FOR PETROL leaves.
    case debitSent = "debit-sent"
    /// The card paid. A refund and an online unlock notice are settled when they are written: the issuer does the rest.
    /// So is fuel outside any sale when it has come to rest.
    case settled
    /// The card left unpaid; its grey record waits.
    case escaped
    /// The lock or the purchase never reached the card.
    case void

    /// Whether the record still has to be finished, by a restart or by its card.
    package var isOpen: Bool {
        switch self {
        case .intent, .locked, .paid, .torn, .flowing, .ended, .debitSent: true
        case .settled, .escaped, .void: false
        }
    }
}

/// What the meter counted for one sale.
package struct MeterReading: Equatable, Sendable {
    /// Per calibration point.
    package var counts: [Int]
    package var volume: Volume
    package var faults: PulserFaults

    package init(counts: [Int], volume: Volume, faults: PulserFaults) {
        self.counts = counts
        self.volume = volume
        self.faults = faults
    }

    package var totalCounts: Int { counts.reduce(0, +) }

    package static func none(points: Int) -> MeterReading {
        MeterReading(counts: Array(repeating: 0, count: points), volume: .zero, faults: PulserFaults())
    }
}

/// The one record of a terminal transaction number.
package struct SaleRecord: Equatable, Sendable {
    package var ttc: TTC
    package var kind: RecordKind
    /// Changed by ``advance(to:)``; paid and settled are written by what proves them.
    package private(set) var phase: RecordPhase
    package var position: Int
    package var terminal: TerminalID
    /// Of the lock; of a purchase its debit, of a refund when it became due, of a notice when it was made, of fuel
    /// outside any sale when it was first noticed.
    package var lockTime: TransactionTime
    package var endTime: TransactionTime?

    /// All zeros in a no-card record, and so are key version, balance and number.
    package var card: ApplicationSerialNumber
    package var key: KeyReference
    /// Of a notice, what the card holds now.
    package var balanceBefore: Amount
    /// The number before the lock, or before the purchase; of a notice the card's present one, which proves it.
    package var ctc: CTC
    /// The code that the card must answer to the lock, known before it is sent; nil without a lock.
    package var mac3: [UInt8]?
    package var lockTAC: [UInt8]?
    /// The card's random of a purchase: with it a later proof can be checked.
    package var icc: ICCRandom?

    package var nozzle: Int
    package var grade: String
    package var unitPrice: UnitPrice
    package var reading: MeterReading
    /// What the card pays. Of a prepaid sale what it paid before fuel flowed, of a refund what it gets back, of a notice
    /// what its grey record says.
    package var amount: Amount
    /// What flowed beyond the card's balance, beyond what was prepaid, or outside any sale.
    package var nonCardPart: Amount
    /// Of `amount`, while the card is unpaid.
    package var gmac: SealedGMAC?

    /// Every debit sent whose answer was not seen, the latest last: any of them may be the one that the card executed. The
    /// one that is proven stands alone.
    package var debits: [DebitAttempt] = []
    package private(set) var debitTAC: [UInt8]?
    package private(set) var mac4IsValid: Bool?
    /// Of a purchase.
    package private(set) var mac2IsValid: Bool?
    /// The nozzle's totaliser after this record; nil before the end.
    package var totaliser: Totaliser?
    /// For a local unlock or a notice, the TTC of the sale that escaped; for a refund, that of the prepaid sale.
    package var settles: TTC?
    /// What went wrong, in words; nil when nothing did.
    package var remark: String?

    package init(
        ttc: TTC,
        kind: RecordKind,
        phase: RecordPhase,
        position: Int,
        terminal: TerminalID,
        lockTime: TransactionTime,
        card: ApplicationSerialNumber,
        key: KeyReference,
        balanceBefore: Amount,
        ctc: CTC,
        mac3: [UInt8]?,
        nozzle: Int,
        grade: String,
        unitPrice: UnitPrice,
        reading: MeterReading,
        amount: Amount,
        gmac: SealedGMAC?
    ) {
        self.ttc = ttc
        self.kind = kind
        self.phase = phase
        self.position = position
        self.terminal = terminal
        self.lockTime = lockTime
        self.card = card
        self.key = key
        self.balanceBefore = balanceBefore
        self.ctc = ctc
        self.mac3 = mac3
        self.nozzle = nozzle
        self.grade = grade
        self.unitPrice = unitPrice
        self.reading = reading
        self.amount = amount
        nonCardPart = .zero
        self.gmac = gmac
    }
}

// MARK: - What may be said of a record, and by which proof

extension SaleRecord {
    /// The next phase, which is not that of a paid record.
    package mutating func advance(to phase: RecordPhase) {
        precondition(phase != .settled && phase != .paid, "a record is paid by a proof")
        self.phase = phase
    }

    /// Its card paid it, or the sale that it settles.
    package mutating func settle(by proof: ProvenDebit) {
        accept(proof)
        phase = .settled
    }

    /// Prepaid by lock and debit: fuel may flow for it.
    package mutating func pay(by proof: ProvenDebit) {
        precondition(kind == .prepaid)
        accept(proof)
        phase = .paid
    }

    /// Prepaid by an ordinary purchase: fuel may flow for it.
    package mutating func pay(by proof: ProvenPurchase) {
        precondition(kind == .prepaid && card == proof.card && amount == proof.amount)
        precondition(icc == proof.session.icc && ctc == proof.session.ctc && ttc == proof.session.ttc)
        debitTAC = proof.tac.bytes
        mac2IsValid = true
        phase = .paid
    }

    /// A prepaid sale is over.
    package mutating func settlePaid() {
        precondition(kind == .prepaid && phase == .paid)
        phase = .settled
    }

    /// Fuel outside any sale has come to rest: no card pays it.
    package mutating func settleWithoutCard() {
        precondition(kind == .noCard)
        phase = .settled
    }

    /// MAC2 was wrong; the issuer can judge the TAC that came with it.
    package mutating func noteWrongMAC2(tac: MAC) {
        mac2IsValid = false
        debitTAC = debitTAC ?? tac.bytes
    }

    /// MAC4 was right, and the card did not say that it is free: nothing is paid, and the issuer can judge the TAC.
    package mutating func noteAnswer(_ answered: AnsweredDebit) {
        precondition(card == answered.card && amount == answered.amount)
        debitTAC = answered.tac.bytes
    }

    private mutating func accept(_ proof: ProvenDebit) {
        precondition(card == proof.card && amount == proof.amount && ctc == proof.lock)
        precondition(debits.contains { $0.ttc == proof.attempt.ttc })
        debits = [proof.attempt]
        debitTAC = proof.tac.bytes
        mac4IsValid = true
        gmac = nil
    }

    /// As a journal has them.
    package mutating func restoreAnswer(tac: [UInt8]?, mac4IsValid: Bool?, mac2IsValid: Bool?) {
        debitTAC = tac
        self.mac4IsValid = mac4IsValid
        self.mac2IsValid = mac2IsValid
    }

    /// The latest debit; of a paid record the one that paid it.
    package var debit: DebitAttempt? { debits.last }
}

extension [DebitAttempt] {
    package static let attemptsMax = 16

    /// The debit that is sent next: a new one, or the last once more when there are as many as are kept. So none that was
    /// sent is ever forgotten.
    package mutating func next(_ attempt: DebitAttempt) -> DebitAttempt {
        if count >= Self.attemptsMax, let last { return last }
        append(attempt)
        return attempt
    }
}

extension SaleRecord {
    /// What the shown volume costs, whoever pays it.
    package var price: Amount {
        Amount(fen: UInt32(clamping: unitPrice.fen(forCentilitres: reading.volume.shownCentilitres)))
    }

    /// What was prepaid and did not flow: paid = price - part that is not the card's + this.
    package var undelivered: Amount {
        kind == .prepaid ? Amount(fen: amount.fen - min(amount, price).fen) : .zero
    }

    /// Whether the card's answer to the debit was authentic; nil when it was not checked.
    package var answerIsAuthentic: Bool? { mac4IsValid ?? mac2IsValid }
}

/// A running sale of a locked card on disk: enough to settle it at this amount after a power cut.
package struct Checkpoint: Equatable, Sendable {
    package let ttc: TTC
    package let reading: MeterReading
    package let amount: Amount
    package let nonCardPart: Amount
    package let gmac: SealedGMAC

    package init(ttc: TTC, reading: MeterReading, amount: Amount, nonCardPart: Amount, gmac: SealedGMAC) {
        self.ttc = ttc
        self.reading = reading
        self.amount = amount
        self.nonCardPart = nonCardPart
        self.gmac = gmac
    }
}

/// The non-resettable totals of one nozzle: the sums over all its records.
///
/// Invariant: `volume` is `base` plus the calibration's volume of `counts`. A sale's volume is the difference that its
/// counts make here, so sales add up to the totaliser to the microlitre.
package struct Totaliser: Equatable, Sendable {
    package let nozzle: Int
    /// Per calibration point, since the present calibration took effect.
    package var counts: [Int]
    /// The volume before the present calibration.
    package var base: Volume
    package var volume: Volume
    package var fen: Int
    /// The overrun after closing, learnt; in counts.
    package var overrunCounts: Int

    package init(nozzle: Int, counts: [Int], base: Volume, volume: Volume, fen: Int, overrunCounts: Int) {
        self.nozzle = nozzle
        self.counts = counts
        self.base = base
        self.volume = volume
        self.fen = fen
        self.overrunCounts = overrunCounts
    }
}

extension Totaliser {
    /// A nozzle that has delivered nothing.
    package static func new(nozzle: Int, points: Int) -> Totaliser {
        Totaliser(
            nozzle: nozzle,
            counts: Array(repeating: 0, count: points),
            base: .zero,
            volume: .zero,
            fen: 0,
            overrunCounts: 0
        )
    }

    /// The volume that `counts` add.
    package func volume(of counts: [Int], _ calibration: Calibration) -> Volume {
        base + calibration.volume(of: zip(self.counts, counts).map(+)) - volume
    }

    /// This totaliser after a sale.
    package func adding(_ reading: MeterReading, fen: Int) -> Totaliser {
        var next = self
        next.fen += fen
        // A record of an earlier calibration without fuel adds money only.
        guard reading.counts.contains(where: { $0 != 0 }) else { return next }
        next.volume = volume + reading.volume
        if reading.counts.count == counts.count {
            next.counts = zip(counts, reading.counts).map(+)
        } else {
            // Of another calibration, whose counts are in the volume before the present one.
            next.base = next.volume
            next.counts = counts.map { _ in 0 }
        }
        return next
    }

    /// This totaliser with counts that begin anew when it was not kept under `calibration`.
    package func under(_ calibration: Calibration) -> Totaliser {
        if counts.count == calibration.points.count, base + calibration.volume(of: counts) == volume { return self }
        return Totaliser(
            nozzle: nozzle,
            counts: Array(repeating: 0, count: calibration.points.count),
            base: volume,
            volume: volume,
            fen: fen,
            overrunCounts: overrunCounts
        )
    }
}
