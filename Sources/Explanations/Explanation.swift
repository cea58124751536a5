package import Codes

/// What a code means, what it does to money, and what there is to do: the words of `greylock explain`, and of the journal's
/// catalogue (<doc:0066-codes>).
package struct Explanation: Sendable {
    /// What becomes of money and fuel.
    package enum Money: Sendable {
        case nothing
        case onDisk
        case unproven
        case uncounted
        case issuers
        case noSale
        case paid
        case sideClosed

        package var words: String {
            switch self {
            case .nothing: "It costs nobody anything."
            case .onDisk: "What was sold is on disk, and its card pays it here, now or at its next visit."
            case .unproven: "Nothing counts as paid until the card proves it, and nothing is paid twice."
            case .uncounted:
                "What was counted is on disk. Fuel may have flowed that no sale has: compare the totals with the nozzle's own counter."
            case .issuers: "The records stay and say what is owed to whom: the issuer settles it from them."
            case .noSale: "No sale begins until then. What was sold before is on disk and is settled."
            case .paid: "It is paid, and the record says so."
            case .sideClosed: "This side sells nothing until then, and the others go on. What was sold is settled."
            }
        }
    }

    /// What there is to do, and for whom.
    package enum Act: Sendable {
        case customer(String)
        case staff(String)
        case technician(String)
        case custodian(String)
        case issuer(String)
        case integrator(String)

        package var audience: String {
            switch self {
            case .customer: "Customer"
            case .staff: "Staff"
            case .technician: "Technician"
            case .custodian: "Custodian of the keys"
            case .issuer: "Issuer"
            case .integrator: "Integrator"
            }
        }

        package var words: String {
            switch self {
            case .customer(let words), .staff(let words), .technician(let words), .custodian(let words),
                .issuer(let words), .integrator(let words):
                words
            }
        }
    }

    /// One line.
    package let subject: String
    package let meaning: String
    package let money: Money
    package let acts: [Act]

    init(_ subject: String, _ meaning: String, money: Money, _ acts: Act...) {
        self.subject = subject
        self.meaning = meaning
        self.money = money
        self.acts = acts
    }
}

extension EventCode {
    package var explanation: Explanation {
        switch self {
        case .notice(let code): code.explanation
        case .refusal(let code): code.explanation
        case .pump(let code): code.explanation
        case .card(let code): code.explanation
        case .keys(let code): code.explanation
        case .parameters(let code): code.explanation
        case .service(let code): code.explanation
        case .interface(let code): code.explanation
        case .end(let code): code.explanation
        }
    }
}
