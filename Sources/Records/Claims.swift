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
    package internal(set) var state: State

    package init(of grey: GreyRecord, _ origin: SaleOrigin, _ lock: Lock) {
        sale = grey.number
        self.origin = origin
        self.lock = lock
        amount = grey.amount
        state = .debitSent([], tac: nil)
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

    /// A debit that has to be on disk before it leaves; one that is there already stands once.
    package mutating func send(_ attempt: DebitAttempt) {
        guard case .debitSent(let debits, let tac) = state, !debits.contains(attempt) else { return }
        state = .debitSent(debits + [attempt], tac: tac)
    }

    package mutating func note(_ answered: AnsweredDebit) {
        guard case .debitSent(let debits, _) = state else { return }
        state = .debitSent(debits, tac: answered.tac.bytes)
    }

    package mutating func void() {
        guard case .debitSent(let debits, let tac) = state else { return }
        state = .void(debits, tac: tac)
    }

    /// - Returns: false for a proof of something else.
    mutating func settle(by proof: ProvenDebit) -> Bool {
        guard case .debitSent(let debits, _) = state, debits.isPaid(by: proof, lock.standing, amount) else {
            return false
        }
        state = .settled(proof.attempt, tac: proof.tac.bytes)
        return true
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

    package init(of sale: RecordNumber, _ origin: SaleOrigin, _ standing: CardStanding, amount: Amount) {
        self.sale = sale
        self.origin = origin
        self.standing = standing
        self.amount = amount
    }
}
