/// What a column of a row holds.
package enum ColumnValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// - Parameter number: one that 64 bits with a sign hold.
    package init(_ number: some FixedWidthInteger) { self = .integer(Int64(number)) }

    package init(_ flag: Bool) { self = .integer(flag ? 1 : 0) }

    package init(_ text: String) { self = .text(text) }

    package init(_ bytes: [UInt8]) { self = .blob(bytes) }

    /// nil for anything else.
    package var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// nil for anything else.
    package var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }
}

extension ColumnValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    package init(integerLiteral number: Int64) { self = .integer(number) }

    package init(stringLiteral text: String) { self = .text(text) }
}
