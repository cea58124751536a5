import CardCryptography
package import FuelPassbook
package import Quantities

/// An ordinary purchase, as the terminal asked for it.
package struct Purchase: Equatable, Sendable {
    /// Before it.
    package let standing: CardStanding
    package let amount: Amount
    /// With it a later proof can be checked.
    package let icc: ICCRandom
    package let debit: DebitAttempt

    package init(_ standing: CardStanding, amount: Amount, icc: ICCRandom, debit: DebitAttempt) {
        self.standing = standing
        self.amount = amount
        self.icc = icc
        self.debit = debit
    }

    package var session: PurchaseSessionData {
        PurchaseSessionData(icc: icc, ctc: standing.ctc, ttc: debit.ttc)
    }
}

/// How far a sale that an ordinary purchase pays has come.
package enum PurchaseTender: Equatable, Sendable {
    /// Before DEBIT FOR PURCHASE leaves.
    case intent(Purchase)
    /// It is not known whether the card paid. No fuel flowed, and the card can prove it.
    case torn(Torn)
    /// Before the valve may open.
    case paid(Paid)
    case settled(Paid)
    /// It never reached the card.
    case void(Torn)

    package struct Torn: Equatable, Sendable {
        package let purchase: Purchase
        /// Of an answer whose MAC2 was wrong: the issuer can judge it.
        package let tac: [UInt8]?

        init(_ purchase: Purchase, tac: [UInt8]? = nil) {
            self.purchase = purchase
            self.tac = tac
        }
    }

    package struct Paid: Equatable, Sendable {
        package let purchase: Purchase
        /// Beside the right MAC2.
        package let tac: [UInt8]
    }

    package var purchase: Purchase {
        switch self {
        case .intent(let purchase): purchase
        case .torn(let torn), .void(let torn): torn.purchase
        case .paid(let paid), .settled(let paid): paid.purchase
        }
    }
}

extension Purchase {
    /// nil for a proof of something else.
    package func paid(by proof: ProvenPurchase) -> PurchaseTender.Paid? {
        guard standing.card == proof.card, amount == proof.amount, session == proof.session else { return nil }
        return PurchaseTender.Paid(purchase: self, tac: proof.tac.bytes)
    }
}

extension PurchaseTender.Torn {
    /// The card still had this purchase's number to lock with; nil where the lock does not say so.
    package func void(by lock: ProvenLock) -> PurchaseTender? {
        lock.card == purchase.standing.card && lock.ctc == purchase.standing.ctc ? .void(self) : nil
    }

    /// The same of another purchase, which was proven.
    package func void(by later: ProvenPurchase) -> PurchaseTender? {
        later.card == purchase.standing.card && later.session.ctc == purchase.standing.ctc
            && later.session != purchase.session ? .void(self) : nil
    }
}
