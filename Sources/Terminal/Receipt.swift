import Dispenser
import FuelPassbook
import ISO7816
import Metering
package import Quantities
package import Records

extension Record {
    /// The paper receipt's lines.
    ///
    /// - Parameter balance: what is left on the card.
    package func receiptLines(balance: Amount?) -> [String] {
        var lines = [
            "terminal \(terminal), position \(position), record \(ttc.number)",
            kind.words,
            "date        \(ended?.description ?? begun.description)",
            "card        \(card.masked)",
        ]
        if let settles {
            lines.append("for sale    \(settles.number), left unpaid")
        } else {
            lines.append("grade \(grade.printable), nozzle \(nozzle)")
            lines.append("volume      \(right(litres(centilitres: reading.volume.shownCentilitres))) L")
            lines.append("unit price  \(right(yuan(fen: unitPrice.fenPerLitre))) yuan/L")
        }
        if let amountLabel { lines.append("\(amountLabel)\(right(yuan(fen: Int(amount.fen)))) yuan") }
        if undelivered > .zero {
            lines.append("refund due  \(right(yuan(fen: Int(undelivered.fen)))) yuan, by the issuer")
        }
        if nonCardPart > .zero { lines.append("not by card \(right(yuan(fen: Int(nonCardPart.fen)))) yuan") }
        if let balance { lines.append("balance     \(right(yuan(fen: Int(balance.fen)))) yuan") }
        if let debitTAC { lines.append("TAC         \(Hex.string(debitTAC))") }
        if answerIsAuthentic == false { lines.append("THE CARD'S ANSWER WAS NOT AUTHENTIC: keep this receipt") }
        return lines
    }

    /// What became of the amount; nil where no card has any part in it.
    private var amountLabel: String? {
        switch kind {
        case .sale, .localUnlock, .prepaid: "paid        "
        case .escape, .cardFault, .onlineUnlock: "not paid    "
        case .refund: "refund      "
        case .noCard: nil
        }
    }

    private func right(_ text: String) -> String {
        String(repeating: " ", count: max(0, 9 - text.utf8.count)) + text
    }
}
