package import FuelPassbook
package import Quantities
package import Records

/// What a line of the paper receipt says.
package enum ReceiptLine: Equatable, Sendable {
    case record(TerminalID, side: Int, RecordNumber)
    case kind(RecordKind)
    case time(TransactionTime)
    /// The card's number as it may be shown.
    case card(String)
    /// An earlier sale that is paid now.
    case settles(RecordNumber)
    case fuel(grade: String, nozzle: Int)
    case volume(centilitres: Int)
    case unitPrice(UnitPrice)
    case paid(Amount)
    case notPaid(Amount)
    case refund(Amount)
    /// Of what was prepaid.
    case refundDue(Amount)
    case notByCard(Amount)
    case balance(Amount)
    /// Hexadecimal digits.
    case tac(String)
    case notAuthentic
}

/// A line of the receipt in one language, before it is laid out.
package enum ReceiptWords: Equatable, Sendable {
    /// In columns of the printer; a label is shorter.
    private static let labelColumns = 12
    private static let figureColumns = 9

    case sentence(String)
    case entry(label: String, String)
    case figure(label: String, hundredths: Int, unit: String)

    static func money(_ label: String, _ amount: Amount, _ unit: String) -> ReceiptWords {
        .figure(label: label, hundredths: Int(amount.fen), unit: unit)
    }

    package var line: String {
        switch self {
        case .sentence(let text): text
        case .entry(let label, let text): label.padded(toColumns: Self.labelColumns) + text
        case .figure(let label, let hundredths, let unit):
            label.padded(toColumns: Self.labelColumns)
                + decimal(hundredths: hundredths).indented(toColumns: Self.figureColumns) + " " + unit
        }
    }
}
