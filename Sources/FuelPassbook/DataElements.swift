package import ISO7816

// Data elements of the passbook (spec/grey-lock.md, section 1). Integers are big-endian and unsigned.

/// Money in fen, 4 bytes.
package struct Amount: Hashable, Comparable, Sendable {
    package var fen: UInt32

    package init(fen: UInt32) { self.fen = fen }

    package static let zero = Amount(fen: 0)

    package static func < (left: Amount, right: Amount) -> Bool { left.fen < right.fen }
}

/// CTC: the card's offline transaction number, 2 bytes.
package struct CTC: Hashable, Comparable, Sendable {
    package static let maximum = CTC(0xFFFF)

    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }

    /// nil after the last number.
    package var next: CTC? { number == .max ? nil : CTC(number + 1) }

    package static func < (left: CTC, right: CTC) -> Bool { left.number < right.number }
}

/// The card's online transaction number, 2 bytes.
package struct OnlineNumber: Hashable, Sendable {
    package static let maximum = OnlineNumber(0xFFFF)

    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }

    /// nil after the last number.
    package var next: OnlineNumber? { number == .max ? nil : OnlineNumber(number + 1) }
}

/// TTC: the terminal's transaction number, 4 bytes.
package struct TTC: Hashable, Comparable, Sendable {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package static func < (left: TTC, right: TTC) -> Bool { left.number < right.number }
}

/// TID: the terminal id, 6 bytes.
package struct TerminalID: Hashable, Sendable {
    private let number: UInt64

    package init(_ number: UInt64) {
        precondition(number >> 48 == 0)
        self.number = number
    }
}

/// ASN: the application serial number, 20 BCD digits in 10 bytes; its right 8 bytes diversify the card's keys.
package struct ApplicationSerialNumber: Hashable, Sendable {
    private let high: UInt16
    private let low: UInt64

    package var diversificationFactor: [UInt8] { Array(bytes.suffix(8)) }

    /// `01`, a customer's card (spec/deployed-profile.md: byte 2 is the card's kind).
    package static let customerKind: UInt8 = 0x01

    /// The card's kind, byte 2.
    package var kind: UInt8 { UInt8(truncatingIfNeeded: high) }
}

/// ICC: the card's random number, 4 bytes.
package struct ICCRandom: Hashable, Sendable {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }
}

/// A key's place in the scheme, 1 byte.
package struct KeyIndex: Hashable, Sendable {
    package let number: UInt8

    package init(_ number: UInt8) { self.number = number }
}

/// A key's generation, 1 byte.
package struct KeyVersion: Hashable, Sendable {
    package let number: UInt8

    package init(_ number: UInt8) { self.number = number }
}

/// The algorithm of a session, 1 byte. `00` is the only one known: 3DES.
package struct AlgorithmID: Hashable, Sendable {
    package static let tripleDES = AlgorithmID(0x00)

    package let number: UInt8

    package init(_ number: UInt8) { self.number = number }
}

/// The kind of a transaction in cryptograms and in the card's log, 1 byte.
package struct TransactionType: Hashable, Sendable {
    /// `01`
    package static let load = TransactionType(0x01)
    /// `03`
    package static let unload = TransactionType(0x03)
    /// `04`
    package static let cashWithdrawal = TransactionType(0x04)
    /// `05`
    package static let purchase = TransactionType(0x05)
    /// `07`
    package static let overdraft = TransactionType(0x07)
    /// `10`
    package static let refuel = TransactionType(0x10)
    /// `11`
    package static let onlineUnlock = TransactionType(0x11)
    /// `12`
    package static let localUnlock = TransactionType(0x12)

    package let code: UInt8

    package init(_ code: UInt8) { self.code = code }
}

/// The flag of GET GREY STATUS. The card answers only when it is grey: `01`.
package struct GreyFlag: Hashable, Sendable {
    package static let grey = GreyFlag(0x01)

    package let code: UInt8

    package init(_ code: UInt8) { self.code = code }
}

// MARK: - Encodings

/// An element that is one unsigned integer.
package protocol IntegerElement: DataElement {
    associatedtype Integer: DataElement
    var integer: Integer { get }
    init(integer: Integer)
}

extension IntegerElement {
    package static var length: Int { Integer.length }
    package init(bytes: ArraySlice<UInt8>) throws(ParseError) { self.init(integer: try Integer(bytes: bytes)) }
    package func append(to bytes: inout [UInt8]) { integer.append(to: &bytes) }
}

extension Amount: IntegerElement {
    package var integer: UInt32 { fen }
    package init(integer: UInt32) { self.init(fen: integer) }
}

extension CTC: IntegerElement {
    package var integer: UInt16 { number }
    package init(integer: UInt16) { self.init(integer) }
}

extension OnlineNumber: IntegerElement {
    package var integer: UInt16 { number }
    package init(integer: UInt16) { self.init(integer) }
}

extension TTC: IntegerElement {
    package var integer: UInt32 { number }
    package init(integer: UInt32) { self.init(integer) }
}

extension ICCRandom: IntegerElement {
    package var integer: UInt32 { number }
    package init(integer: UInt32) { self.init(integer) }
}

extension KeyIndex: IntegerElement {
    package var integer: UInt8 { number }
    package init(integer: UInt8) { self.init(integer) }
}

extension KeyVersion: IntegerElement {
    package var integer: UInt8 { number }
    package init(integer: UInt8) { self.init(integer) }
}

extension AlgorithmID: IntegerElement {
    package var integer: UInt8 { number }
    package init(integer: UInt8) { self.init(integer) }
}

extension TransactionType: IntegerElement {
    package var integer: UInt8 { code }
    package init(integer: UInt8) { self.init(integer) }
}

extension GreyFlag: IntegerElement {
    package var integer: UInt8 { code }
    package init(integer: UInt8) { self.init(integer) }
}

extension TerminalID: DataElement {
    package static var length: Int { 6 }

    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        self.init(bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }

    package func append(to bytes: inout [UInt8]) {
        for index in (0..<Self.length).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))))
        }
    }
}

extension TerminalID: CustomStringConvertible {
    package var description: String { Hex.string(bytes) }
}

extension ApplicationSerialNumber: DataElement {
    package static var length: Int { 10 }

    package init(bytes: ArraySlice<UInt8>) throws(ParseError) {
        guard bytes.allSatisfy({ $0 >> 4 <= 9 && $0 & 0x0F <= 9 }) else { throw .invalid("application serial number") }
        high = bytes.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
        low = bytes.dropFirst(2).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package func append(to bytes: inout [UInt8]) {
        high.append(to: &bytes)
        for index in (0..<8).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: low >> (8 * UInt64(index))))
        }
    }
}

extension ApplicationSerialNumber: CustomStringConvertible {
    package var description: String { Hex.string(bytes) }
}
