package import FuelPassbook
private import Glibc

/// Centilitres as litres with two decimals.
package func litres(centilitres: Int) -> String {
    decimal(centilitres)
}

/// Fen as yuan with two decimals.
package func yuan(fen: Int) -> String {
    decimal(fen)
}

private func decimal(_ hundredths: Int) -> String {
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}

extension ApplicationSerialNumber {
    /// How many digits are shown where anybody may look.
    private static let digitsShown = 4

    /// For displays, receipts and logs: the last four digits. The whole number stands in records alone.
    package var masked: String { "****" + "\(self)".suffix(Self.digitsShown) }
}
