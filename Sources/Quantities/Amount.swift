import ISO7816

/// Money in fen, 4 bytes.
package struct Amount: Hashable, Comparable, Sendable {
    package var fen: UInt32

    package init(fen: UInt32) { self.fen = fen }

    package static let zero = Amount(fen: 0)

    package static func < (left: Amount, right: Amount) -> Bool { left.fen < right.fen }

    /// nil when the sum does not fit.
    package func adding(_ other: Amount) -> Amount? {
        let (sum, overflow) = fen.addingReportingOverflow(other.fen)
        return overflow ? nil : Amount(fen: sum)
    }

    /// nil when `other` is more.
    package func subtracting(_ other: Amount) -> Amount? { other > self ? nil : Amount(fen: fen - other.fen) }
}

extension Amount: IntegerElement {
    package var integer: UInt32 { fen }
    package init(integer: UInt32) { self.init(fen: integer) }
}

extension Amount: CustomStringConvertible {
    /// Yuan with two decimals.
    package var description: String { "\(yuan(fen: Int(fen))) yuan" }
}
