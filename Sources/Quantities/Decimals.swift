/// Centilitres as litres with two decimals.
package func litres(centilitres: Int) -> String { decimal(hundredths: centilitres) }

/// Fen as yuan with two decimals.
package func yuan(fen: Int) -> String { decimal(hundredths: fen) }

package func decimal(hundredths: Int) -> String {
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
