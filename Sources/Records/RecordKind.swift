/// What a record's number was used for, as lists and the journal name it (spec/dispenser.md, section 3).
package enum RecordKind: String, CaseIterable, Sendable {
    case sale
    case escape
    case localUnlock = "local-unlock"
    case onlineUnlock = "online-unlock"
    case noCard = "no-card"
    case cardFault = "card-fault"
    case prepaid
    case refund
    /// "Test, returned": a delivery that went back into the tank.
    case test
}

/// How far a record has come on disk, as lists and the journal name it. The order is that of the durable writes.
package enum RecordPhase: String, CaseIterable, Sendable {
    case intent
    case locked
    case paid
    case torn
    case flowing
    case ended
    case debitSent = "debit-sent"
    /// Refunds and notices are settled when they are written: the issuer does the rest.
    case settled
    case escaped
    case void

    /// Whether the record still has to be finished, by a restart or by its card.
    package var isOpen: Bool {
        switch self {
        case .intent, .locked, .paid, .torn, .flowing, .ended, .debitSent: true
        case .settled, .escaped, .void: false
        }
    }
}

extension Record {
    package var kind: RecordKind {
        switch content {
        case .sale(_, .greyLock(.escaped(_, .left))): .escape
        case .sale(_, .greyLock(.escaped(_, .fault))): .cardFault
        case .sale(_, .greyLock): .sale
        case .sale(_, .prepaid), .sale(_, .purchase): .prepaid
        case .sale(_, .none): .noCard
        case .release: .localUnlock
        case .notice: .onlineUnlock
        case .refund: .refund
        case .test: .test
        }
    }

    package var phase: RecordPhase {
        switch content {
        case .sale(_, .greyLock(let tender)), .sale(_, .prepaid(let tender)): tender.phase
        case .sale(_, .purchase(let tender)): tender.phase
        case .sale(_, .none(let isFlowing)), .test(_, let isFlowing): isFlowing ? .flowing : .settled
        case .release(let release): release.state.phase
        case .notice, .refund: .settled
        }
    }
}

extension LockTender {
    fileprivate var phase: RecordPhase {
        switch self {
        case .intent: .intent
        case .locked: .locked
        case .unpaid(let unpaid): unpaid.debits.isEmpty ? .ended : .debitSent
        case .paid: .paid
        case .settled: .settled
        case .escaped: .escaped
        }
    }
}

extension PurchaseTender {
    fileprivate var phase: RecordPhase {
        switch self {
        case .intent: .intent
        case .torn: .torn
        case .paid: .paid
        case .settled: .settled
        case .void: .void
        }
    }
}

extension Release.State {
    fileprivate var phase: RecordPhase {
        switch self {
        case .debitSent: .debitSent
        case .settled: .settled
        case .void: .void
        }
    }
}
