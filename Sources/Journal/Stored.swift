import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SQLite

// How values stand in cells (``JournalSchema``).

/// Why a cell holds no value of its column, in words.
struct CellFault: Error {
    let reason: String
}

/// A value that stands in one cell. Reading refuses whatever writing would not have made, so that the arithmetic behind it
/// cannot overflow.
protocol Stored: Sendable {
    static var type: ColumnType { get }
    static var mayBeNull: Bool { get }

    var cell: ColumnValue { get }
    init(cell: ColumnValue) throws(CellFault)
}

enum ColumnType: String {
    case integer = "INTEGER"
    case text = "TEXT"
    case blob = "BLOB"
}

extension Stored {
    static var mayBeNull: Bool { false }
}

extension Optional: Stored where Wrapped: Stored {
    static var type: ColumnType { Wrapped.type }
    static var mayBeNull: Bool { true }

    var cell: ColumnValue { self?.cell ?? .null }

    init(cell: ColumnValue) throws(CellFault) { self = cell == .null ? nil : try Wrapped(cell: cell) }
}

// MARK: - Numbers

extension Stored where Self: FixedWidthInteger {
    static var type: ColumnType { .integer }

    var cell: ColumnValue { ColumnValue(self) }

    init(cell: ColumnValue) throws(CellFault) {
        guard case .integer(let stored) = cell else { throw CellFault(reason: "is not an integer") }
        guard let number = Self(exactly: stored) else { throw CellFault(reason: "is out of range: \(stored)") }
        self = number
    }
}

extension UInt8: Stored {}
extension UInt16: Stored {}
extension UInt32: Stored {}
extension Int64: Stored {}
extension Int: Stored {}

extension Bool: Stored {
    static var type: ColumnType { .integer }

    var cell: ColumnValue { ColumnValue(self) }

    init(cell: ColumnValue) throws(CellFault) {
        let number = try Int64(cell: cell)
        guard number == 0 || number == 1 else { throw CellFault(reason: "is neither 0 nor 1") }
        self = number == 1
    }
}

/// An element that stands as its number.
protocol StoredNumber: Stored, IntegerElement where Integer: Stored {}

extension StoredNumber {
    static var type: ColumnType { .integer }

    var cell: ColumnValue { integer.cell }

    init(cell: ColumnValue) throws(CellFault) { self.init(integer: try Integer(cell: cell)) }
}

extension Amount: StoredNumber {}
extension CTC: StoredNumber {}
extension TTC: StoredNumber {}
extension KeyIndex: StoredNumber {}
extension KeyVersion: StoredNumber {}

extension RecordNumber: Stored {
    static var type: ColumnType { .integer }

    var cell: ColumnValue { value.cell }

    init(cell: ColumnValue) throws(CellFault) { self.init(try UInt32(cell: cell)) }
}

extension UnitPrice: Stored {
    static var type: ColumnType { .integer }

    var cell: ColumnValue { fenPerLitre.cell }

    init(cell: ColumnValue) throws(CellFault) {
        self.init(fenPerLitre: try Within<PriceRange>(cell: cell).number)
    }

    private enum PriceRange: Bounds { static let range = 1...UnitPrice.fenMax }
}

/// What sums and products of stored numbers stay clear of.
protocol Bounds: Sendable {
    static var range: ClosedRange<Int> { get }
}

enum CountBounds: Bounds { static let range = -(1 << 38)...1 << 38 }
/// Microlitres of one sale.
enum VolumeBounds: Bounds { static let range = -(1 << 50)...1 << 50 }
/// Microlitres or fen of all sales.
enum TotalBounds: Bounds { static let range = 0...1 << 60 }
/// Of the one row that its table has.
enum OneRowBounds: Bounds { static let range = 1...1 }

struct Within<Limits: Bounds>: Stored {
    let number: Int

    init(_ number: Int) { self.number = number }

    static var type: ColumnType { .integer }

    var cell: ColumnValue { number.cell }

    init(cell: ColumnValue) throws(CellFault) {
        number = try Int(cell: cell)
        guard Limits.range.contains(number) else { throw CellFault(reason: "is out of range: \(number)") }
    }
}

// MARK: - Text

extension String: Stored {
    static var type: ColumnType { .text }

    private static let bytesMax = 4_096

    var cell: ColumnValue { ColumnValue(self) }

    init(cell: ColumnValue) throws(CellFault) {
        guard case .text(let text) = cell else { throw CellFault(reason: "is not text") }
        guard text.utf8.count <= Self.bytesMax else {
            throw CellFault(reason: "is longer than any text of this program")
        }
        self = text
    }
}

extension Stored where Self: RawRepresentable<String> {
    static var type: ColumnType { .text }

    var cell: ColumnValue { rawValue.cell }

    init(cell: ColumnValue) throws(CellFault) {
        guard let choice = Self(rawValue: try String(cell: cell)) else {
            throw CellFault(reason: "is none of its values")
        }
        self = choice
    }
}

extension RecordKind: Stored {}
extension RecordPhase: Stored {}
extension GreyRecord.State: Stored {}

/// Bytes that stand as upper-case hexadecimal digits.
protocol StoredDigits: Stored {
    static var length: Int { get }
    var bytes: [UInt8] { get }
    init(digits bytes: [UInt8]) throws(ParseError)
}

extension StoredDigits {
    static var type: ColumnType { .text }

    var cell: ColumnValue { ColumnValue(Hex.string(bytes)) }

    init(cell: ColumnValue) throws(CellFault) {
        let text = try String(cell: cell)
        let bytes: [UInt8]
        do throws(ParseError) {
            bytes = try Hex.bytes(text)
            guard bytes.count == Self.length, Hex.string(bytes) == text else { throw .wrongLength("text") }
        } catch {
            throw CellFault(reason: "is not \(2 * Self.length) upper-case hexadecimal digits")
        }
        do throws(ParseError) { try self.init(digits: bytes) } catch { throw CellFault(reason: "\(error)") }
    }
}

extension StoredDigits where Self: DataElement {
    init(digits bytes: [UInt8]) throws(ParseError) { try self.init(parsing: bytes) }
}

/// SHA-256.
struct Digest: StoredDigits {
    static let length = 32

    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.length)
        self.bytes = bytes
    }

    init(digits bytes: [UInt8]) { self.init(bytes) }
}

extension ApplicationSerialNumber: StoredDigits {}
extension TerminalID: StoredDigits {}
extension ICCRandom: StoredDigits {}
extension TransactionType: StoredDigits {}

/// A MAC or TAC.
struct Code: StoredDigits {
    static let length = MAC.length

    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(digits bytes: [UInt8]) { self.bytes = bytes }

    static func ifThere(_ bytes: [UInt8]?) -> Code? { bytes.map { Code($0) } }
}

extension TransactionTime: StoredDigits {}
extension CalendarDate: StoredDigits {}

// MARK: - Lists

/// A JSON array of counts, in the one form that this program writes.
struct Counts<Length: Bounds>: Stored {
    let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    static var type: ColumnType { .text }

    var cell: ColumnValue { ColumnValue("[" + numbers.map(String.init).joined(separator: ",") + "]") }

    init(cell: ColumnValue) throws(CellFault) {
        numbers = try String(cell: cell).dropFirst().dropLast().split(separator: ",").map { Int($0) ?? .max }
        guard self.cell == cell, Length.range.contains(numbers.count) else {
            let range = Length.range
            throw CellFault(reason: "is not a list of \(range.lowerBound) to \(range.upperBound) integers")
        }
        guard numbers.allSatisfy(CountBounds.range.contains) else { throw CellFault(reason: "is out of range") }
    }
}

/// By calibration point.
enum PointBounds: Bounds { static let range = 1...Calibration.pointsMax }
/// Of channels A and B.
enum ChannelBounds: Bounds { static let range = PulserChannel.allCases.count...PulserChannel.allCases.count }
/// Seven, or nine with the noise of each channel.
enum FurtherFaultBounds: Bounds { static let range = 7...9 }

/// By rate band, -1 where a band has shown nothing; NULL where none has.
struct StoredTimes: Stored {
    private static let unknown = -1

    let times: ClosingTimes

    init(_ times: ClosingTimes) { self.times = times }

    static var type: ColumnType { .text }
    static var mayBeNull: Bool { true }

    var cell: ColumnValue {
        times.isEmpty ? .null : Counts<BandBounds>(times.microseconds.map { $0 ?? Self.unknown }).cell
    }

    init(cell: ColumnValue) throws(CellFault) {
        guard cell != .null else {
            times = ClosingTimes()
            return
        }
        let numbers = try Counts<BandBounds>(cell: cell).numbers
        guard numbers.allSatisfy((Self.unknown...ClosingTimes.microsecondsMax).contains) else {
            throw CellFault(reason: "is out of range")
        }
        times = ClosingTimes(microseconds: numbers.map { $0 == Self.unknown ? nil : $0 })
        guard !times.isEmpty else { throw CellFault(reason: "has nothing, which is NULL") }
    }

    private enum BandBounds: Bounds { static let range = ClosingTimes.bands...ClosingTimes.bands }
}

/// Debits before the latest: number, type, terminal and time of each, in hexadecimal digits.
struct EarlierDebits: Stored {
    let debits: Debits

    init(_ debits: Debits) { self.debits = debits }

    static var type: ColumnType { .text }

    var cell: ColumnValue {
        let parts = debits.map { Hex.string($0.ttc.bytes + $0.type.bytes + $0.terminal.bytes + $0.time.bytes) }
        return ColumnValue(parts.joined(separator: ","))
    }

    init(cell: ColumnValue) throws(CellFault) {
        let parts = try String(cell: cell).split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count < Debits.attemptsMax else { throw CellFault(reason: "has too many debits") }
        var debits: Debits = []
        for part in parts {
            do throws(ParseError) {
                let bytes = try Hex.bytes(part)
                guard Hex.string(bytes) == part else { throw .invalid("debit") }
                debits.append(try DebitAttempt(stored: bytes))
            } catch {
                throw CellFault(reason: "is no list of debits: \(error)")
            }
        }
        self.debits = debits
    }
}

extension DebitAttempt {
    fileprivate init(stored bytes: [UInt8]) throws(ParseError) {
        var reader = FieldReader(bytes)
        self.init(
            ttc: try reader.read("TTC"),
            type: try reader.read("type"),
            terminal: try reader.read("TID"),
            time: try reader.read("date and time")
        )
        try reader.finish("debit")
    }
}

// MARK: - Bytes

/// A GMAC under its seal.
struct SealedBytes: Stored {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static var type: ColumnType { .blob }

    var cell: ColumnValue { ColumnValue(bytes) }

    init(cell: ColumnValue) throws(CellFault) {
        guard case .blob(let bytes) = cell, bytes.count == SealedGMAC.sealedLength else {
            throw CellFault(reason: "is not a blob of \(SealedGMAC.sealedLength) bytes")
        }
        self.bytes = bytes
    }
}
