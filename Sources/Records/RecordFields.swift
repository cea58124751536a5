package import FuelPassbook
package import Quantities

/// A record as the journal keeps it: each value by itself. What they say together is judged once, by
/// ``Record/init(_:)``.
package struct RecordFields: Equatable, Sendable {
    package var head: RecordHead
    package var kind: RecordKind
    package var phase: RecordPhase
    package var standing: CardStanding
    package var mac3: [UInt8]?
    package var lockTAC: [UInt8]?
    package var icc: ICCRandom?
    package var delivery: Delivery
    package var amount: Amount
    package var gmac: SealedGMAC?
    package var debits: Debits = []
    package var debitTAC: [UInt8]?
    package var mac4IsValid: Bool?
    package var mac2IsValid: Bool?
    package var settles: RecordNumber?

    package init(
        _ head: RecordHead,
        _ kind: RecordKind,
        _ phase: RecordPhase,
        _ standing: CardStanding,
        mac3: [UInt8]?,
        delivery: Delivery,
        amount: Amount,
        gmac: SealedGMAC?
    ) {
        self.head = head
        self.kind = kind
        self.phase = phase
        self.standing = standing
        self.mac3 = mac3
        self.delivery = delivery
        self.amount = amount
        self.gmac = gmac
    }

    package init(
        number: RecordNumber,
        kind: RecordKind,
        phase: RecordPhase,
        side: Int,
        terminal: TerminalID,
        begun: TransactionTime,
        standing: CardStanding,
        mac3: [UInt8]?,
        delivery: Delivery,
        amount: Amount,
        gmac: SealedGMAC?
    ) {
        let head = RecordHead(number: number, side: side, terminal: terminal, begun: begun)
        self.init(head, kind, phase, standing, mac3: mac3, delivery: delivery, amount: amount, gmac: gmac)
    }

    /// As ``Record/nonCardPart``.
    package var nonCardPart: Amount {
        kind == .test ? .zero : Amount(fen: delivery.price.fen - min(delivery.price, amount).fen)
    }
}

/// Values of a record that do not go together.
package struct FieldFault: Error, Equatable, Sendable {
    package enum Field: Sendable {
        case phase
        case mac3, gmac, icc, debits, debitTAC, answer, settles
    }

    package let field: Field
    package let reason: String
}

extension RecordFields {
    package init(_ record: Record) {
        self.init(
            record.head,
            record.kind,
            record.phase,
            record.standing ?? .none(index: KeyIndex(0)),
            mac3: record.mac3,
            delivery: Delivery(
                nozzle: record.nozzle,
                grade: record.grade,
                unitPrice: record.unitPrice,
                reading: record.reading
            ),
            amount: record.gmac?.amount ?? record.amount,
            gmac: record.gmac
        )
        lockTAC = record.lock?.tac
        icc = record.purchaseTender?.purchase.icc
        debits = record.debits
        debitTAC = record.debitTAC
        mac4IsValid = record.mac4IsValid
        mac2IsValid = record.mac2IsValid
        settles = record.settles
    }
}

extension CardStanding {
    /// Of fuel outside any sale and of a test: zeros, but for the index of versions until schema 3.
    package static func none(index: KeyIndex) -> CardStanding {
        CardStanding(
            card: .none,
            key: KeyReference(index: index, version: KeyVersion(0)),
            balance: .zero,
            ctc: CTC(0)
        )
    }
}

// MARK: - Judged

extension Record {
    /// - Throws: ``FieldFault`` for a phase that its kind has not, and a value that its phase lacks.
    package init(_ fields: RecordFields) throws(FieldFault) {
        self.init(fields.head, try fields.content())
    }
}

extension RecordFields {
    fileprivate func content() throws(FieldFault) -> Content {
        switch kind {
        case .sale, .escape, .cardFault: .sale(delivery, .greyLock(try lockTender()))
        case .prepaid where mac3 == nil: .sale(delivery, .purchase(try purchaseTender()))
        case .prepaid: .sale(delivery, .prepaid(try lockTender()))
        case .noCard: .sale(delivery, .none(isFlowing: try isFlowing()))
        case .test: .test(delivery, isFlowing: try isFlowing())
        case .localUnlock: .release(try release())
        case .onlineUnlock: .notice(try notice())
        case .refund: .refund(try refund())
        }
    }

    private func lockTender() throws(FieldFault) -> LockTender {
        let tender = try anyLockTender()
        switch (kind, phase) {
        case (.sale, .intent), (.sale, .locked), (.sale, .ended), (.sale, .debitSent), (.sale, .settled),
            (.escape, .escaped), (.cardFault, .escaped),
            (.prepaid, .intent), (.prepaid, .debitSent), (.prepaid, .paid), (.prepaid, .settled), (.prepaid, .escaped):
            return tender
        case _: throw unfinishable
        }
    }

    private func anyLockTender() throws(FieldFault) -> LockTender {
        let lock = try lock()
        switch phase {
        case .intent: return .intent(LockTender.Intent(lock: lock, zero: try present(gmac, .gmac)))
        case .locked: return .locked(LockTender.Locked(lock: lock, zero: try present(gmac, .gmac)))
        case .ended:
            guard debits.isEmpty else { throw FieldFault(field: .debits, reason: "is of a later phase") }
            return .unpaid(try unpaid(lock))
        case .debitSent:
            guard !debits.isEmpty else { throw FieldFault(field: .debits, reason: "is missing") }
            return .unpaid(try unpaid(lock))
        case .escaped: return .escaped(try unpaid(lock), kind == .escape ? .left : .fault)
        case .paid: return .paid(try paid(lock))
        case .settled: return .settled(try paid(lock))
        case .torn, .flowing, .void: throw unfinishable
        }
    }

    private func lock() throws(FieldFault) -> Lock {
        Lock(standing, mac3: try present(mac3, .mac3), tac: lockTAC)
    }

    private func unpaid(_ lock: Lock) throws(FieldFault) -> LockTender.Unpaid {
        LockTender.Unpaid(lock: lock, due: try present(gmac, .gmac), debits: debits, tac: debitTAC)
    }

    private func paid(_ lock: Lock) throws(FieldFault) -> LockTender.Paid {
        LockTender.Paid(lock: lock, amount: amount, debit: try provenDebit(mac4IsValid), tac: try tac())
    }

    private func purchaseTender() throws(FieldFault) -> PurchaseTender {
        guard debits.count == 1 else { throw FieldFault(field: .debits, reason: "is not one purchase") }
        let purchase = Purchase(standing, amount: amount, icc: try present(icc, .icc), debit: debits[0])
        let torn = PurchaseTender.Torn(purchase, tac: debitTAC)
        switch phase {
        case .intent: return .intent(purchase)
        case .torn: return .torn(torn)
        case .void: return .void(torn)
        case .paid: return .paid(try paid(purchase))
        case .settled: return .settled(try paid(purchase))
        case .locked, .flowing, .ended, .debitSent, .escaped: throw unfinishable
        }
    }

    private func paid(_ purchase: Purchase) throws(FieldFault) -> PurchaseTender.Paid {
        _ = try provenDebit(mac2IsValid)
        return PurchaseTender.Paid(purchase: purchase, tac: try tac())
    }

    private func isFlowing() throws(FieldFault) -> Bool {
        switch phase {
        case .flowing: true
        case .settled: false
        case .intent, .locked, .paid, .torn, .ended, .debitSent, .escaped, .void: throw unfinishable
        }
    }

    private func release() throws(FieldFault) -> Release {
        let state: Release.State =
            switch phase {
            case .debitSent: .debitSent(debits, tac: debitTAC)
            case .settled: .settled(try provenDebit(mac4IsValid), tac: try tac())
            case .void: .void(debits, tac: debitTAC)
            case .intent, .locked, .paid, .torn, .flowing, .ended, .escaped: throw unfinishable
            }
        return Release(of: try present(settles, .settles), delivery.origin, try lock(), amount: amount, state: state)
    }

    private func notice() throws(FieldFault) -> ReleaseNotice {
        guard phase == .settled else { throw unfinishable }
        let sale = try present(settles, .settles)
        return ReleaseNotice(of: sale, delivery.origin, standing, mac3: try present(mac3, .mac3), amount: amount)
    }

    private func refund() throws(FieldFault) -> Refund {
        guard phase == .settled else { throw unfinishable }
        return Refund(of: try present(settles, .settles), delivery.origin, standing, amount: amount)
    }

    /// The debit that paid, by an answer that was right.
    private func provenDebit(_ isValid: Bool?) throws(FieldFault) -> DebitAttempt {
        guard isValid == true else {
            throw FieldFault(field: .answer, reason: "is not that of a debit that was proven")
        }
        guard debits.count == 1 else { throw FieldFault(field: .debits, reason: "is not the one that was proven") }
        return debits[0]
    }

    private func tac() throws(FieldFault) -> [UInt8] { try present(debitTAC, .debitTAC) }

    private func present<Value>(_ value: Value?, _ field: FieldFault.Field) throws(FieldFault) -> Value {
        guard let value else {
            throw FieldFault(field: field, reason: "is missing in a record of phase \(phase.rawValue)")
        }
        return value
    }

    private var unfinishable: FieldFault {
        FieldFault(field: .phase, reason: "is none of a record of kind \(kind.rawValue): \(phase.rawValue)")
    }
}
