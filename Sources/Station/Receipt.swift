import FuelPassbook
import ISO7816
import Metering
package import Quantities
package import Records
package import Words

extension Record {
    /// The paper receipt's lines.
    ///
    /// - Parameter balance: what is left on the card.
    package func receiptLines(balance: Amount?, _ vocabulary: any Vocabulary) -> [String] {
        receipt(balance: balance).map { vocabulary.words($0).line }
    }

    private func receipt(balance: Amount?) -> [ReceiptLine] {
        var lines: [ReceiptLine] = [
            .record(terminal, side: side, number), .kind(kind), .time(ended ?? begun), .card(card.masked),
        ]
        if let settles {
            lines.append(.settles(settles))
        } else {
            lines.append(.fuel(grade: grade.printable, nozzle: nozzle))
            lines.append(.volume(centilitres: reading.volume.shownCentilitres))
            lines.append(.unitPrice(unitPrice))
        }
        if let outcome { lines.append(outcome) }
        if undelivered > .zero { lines.append(.refundDue(undelivered)) }
        if nonCardPart > .zero { lines.append(.notByCard(nonCardPart)) }
        if let balance { lines.append(.balance(balance)) }
        if let debitTAC { lines.append(.tac(Hex.string(debitTAC))) }
        if answerIsAuthentic == false { lines.append(.notAuthentic) }
        return lines
    }

    /// What became of the amount; nil where no card has any part in it.
    private var outcome: ReceiptLine? {
        switch kind {
        case .sale, .localUnlock, .prepaid: .paid(amount)
        case .escape, .cardFault, .onlineUnlock: .notPaid(amount)
        case .refund: .refund(amount)
        case .noCard, .test: nil
        }
    }
}
