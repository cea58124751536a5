import CardCryptography
import FuelPassbook
package import Quantities

/// What a claim on an earlier sale repeats of it.
package struct SaleOrigin: Equatable, Sendable {
    package let nozzle: Int
    package let grade: String
    package let unitPrice: UnitPrice

    package init(nozzle: Int, grade: String, unitPrice: UnitPrice) {
        self.nozzle = nozzle
        self.grade = grade
        self.unitPrice = unitPrice
    }
}

extension Delivery {
    var origin: SaleOrigin { SaleOrigin(nozzle: nozzle, grade: grade, unitPrice: unitPrice) }
}

/// A local unlock: the debit that pays an escaped sale, steps 3.1 to 3.7.
package struct Release: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// With the TAC of an answer whose MAC4 was right.
        case debitSent(Debits, tac: [UInt8]?)
        case settled(DebitAttempt, tac: [UInt8])
        /// Another way out of the lock was proven.
        case void(Debits, tac: [UInt8]?)
    }

    /// The sale that escaped.
    package let sale: RecordNumber
    package let origin: SaleOrigin
    /// With the TAC that GET GREY STATUS said.
    package let lock: Lock
    package let amount: Amount
    package let state: State

    /// - Parameters:
    ///   - balance: before the lock.
    ///   - tac: that GET GREY STATUS said.
    init(of grey: GreyRecord, _ origin: SaleOrigin, balance: Amount, tac: [UInt8]) {
        let standing = CardStanding(card: grey.card, key: grey.gmac.key, balance: balance, ctc: grey.ctc)
        let lock = Lock(standing, mac3: grey.mac3, tac: tac)
        self.init(of: grey.number, origin, lock, amount: grey.amount, state: .debitSent([], tac: nil))
    }

    init(of sale: RecordNumber, _ origin: SaleOrigin, _ lock: Lock, amount: Amount, state: State) {
        self.sale = sale
        self.origin = origin
        self.lock = lock
        self.amount = amount
        self.state = state
    }

    package var debits: Debits {
        switch state {
        case .debitSent(let debits, _), .void(let debits, _): debits
        case .settled(let debit, _): [debit]
        }
    }

    package var tac: [UInt8]? {
        switch state {
        case .debitSent(_, let tac), .void(_, let tac): tac
        case .settled(_, let tac): tac
        }
    }

    private func with(_ state: State) -> Release {
        Release(of: sale, origin, lock, amount: amount, state: state)
    }

    /// What a step makes of it; nil for one that its state does not take, or that is of another lock.
    func after(_ step: RecordStep) -> Release? {
        guard case .debitSent(let debits, let tac) = state else { return nil }
        switch step {
        case .sending(let attempt):
            return debits.adding(attempt).map { with(.debitSent($0, tac: tac)) }
        case .answered(let answer):
            // It may be of a debit that the sale sent.
            guard answer.card == lock.standing.card, answer.amount == amount else { return nil }
            return with(.debitSent(debits, tac: answer.tac.bytes))
        case .paid(let proof):
            guard debits.isPaid(by: proof, lock.standing.card, lock.standing.ctc, amount) else { return nil }
            return with(.settled(proof.attempt, tac: proof.tac.bytes))
        case .overtaken(let grey):
            guard grey.number == sale, grey.state != .open else { return nil }
            return with(.void(debits, tac: tac))
        case .lockAnswered, .locked, .ended, .escaped, .interrupted, .torn, .bought, .neverBought, .delivered,
            .rested:
            return nil
        }
    }
}

/// The card of a grey record came back free: the issuer, or a terminal that got the record, released it.
package struct ReleaseNotice: Equatable, Sendable {
    /// The sale that escaped.
    package let sale: RecordNumber
    package let origin: SaleOrigin
    /// The card's present one, which proves it.
    package let standing: CardStanding
    /// Of the lock.
    package let mac3: [UInt8]
    /// That the grey record says.
    package let amount: Amount

    package init(of grey: GreyRecord, _ origin: SaleOrigin, _ release: ProvenRelease) {
        sale = grey.number
        self.origin = origin
        standing = CardStanding(
            card: grey.card,
            key: grey.gmac.key,
            balance: release.balance,
            ctc: release.present
        )
        mac3 = grey.mac3
        amount = grey.amount
    }

    init(of sale: RecordNumber, _ origin: SaleOrigin, _ standing: CardStanding, mac3: [UInt8], amount: Amount) {
        self.sale = sale
        self.origin = origin
        self.standing = standing
        self.mac3 = mac3
        self.amount = amount
    }
}

/// What was prepaid and did not flow: the issuer owes it to the card.
package struct Refund: Equatable, Sendable {
    /// That was prepaid.
    package let sale: RecordNumber
    package let origin: SaleOrigin
    /// Before the sale.
    package let standing: CardStanding
    package let amount: Amount

    /// nil where nothing was paid before fuel flowed, or all of it flowed.
    package init?(of sale: Record) {
        guard sale.undelivered > .zero, let standing = sale.standing else { return nil }
        self.init(of: sale.number, sale.origin, standing, amount: sale.undelivered)
    }

    init(of sale: RecordNumber, _ origin: SaleOrigin, _ standing: CardStanding, amount: Amount) {
        self.sale = sale
        self.origin = origin
        self.standing = standing
        self.amount = amount
    }
}
