import CardCryptography
import FuelPassbook
import ISO7816
import Records
import SQLite
import Synchronization

// What a row's code covers: its table, and the name, type and value of each column that is not NULL, its key among them,
// in the order of their names. So a column that a later version adds is covered as soon as it has a value.

/// The rows that are added up together: what recovery relies on apart from what nobody waits for.
enum RowClass: Int, CaseIterable, Sendable {
    case openSale
    case closedSale
    case checkpoint
    case greyRecord
    case totaliser
    case sideLock
    case clockAcceptance
    case clockFloor
    case numbering
    case acceptance
    case serviceRun
    case overrun
    case pulserFault
    case lockClearing
    case priceChange
    case totalsDifference
    case parameterMark
    case sideBlock
    case stationOrder
    case priceOrder
    case acknowledgement

    var table: JournalTable {
        switch self {
        case .openSale, .closedSale: .sale
        case .checkpoint: .checkpoint
        case .greyRecord: .greyRecord
        case .totaliser: .totaliser
        case .sideLock: .sideLock
        case .clockAcceptance: .clockAcceptance
        case .clockFloor: .clockFloor
        case .numbering: .numbering
        case .acceptance: .acceptance
        case .serviceRun: .serviceRun
        case .overrun: .overrun
        case .pulserFault: .pulserFault
        case .lockClearing: .lockClearing
        case .priceChange: .priceChange
        case .totalsDifference: .totalsDifference
        case .parameterMark: .parameterMark
        case .sideBlock: .sideBlock
        case .stationOrder: .stationOrder
        case .priceOrder: .priceOrder
        case .acknowledgement: .acknowledgement
        }
    }

    /// Few rows, which are read before anything is recovered.
    static let ofRecovery: Set<RowClass> = [
        .openSale, .checkpoint, .totaliser, .sideLock, .clockAcceptance, .clockFloor, .numbering, .overrun,
    ]

    /// The next write puts a row in the place of one that is not believed. Of the others, none is ever overwritten.
    var isRenewed: Bool {
        switch self {
        case .openSale, .closedSale, .greyRecord, .acceptance, .lockClearing, .parameterMark: false
        case .checkpoint, .totaliser, .sideLock, .clockAcceptance, .clockFloor, .numbering, .serviceRun, .overrun,
            .pulserFault, .priceChange, .totalsDifference, .sideBlock, .stationOrder, .priceOrder,
            .acknowledgement:
            true
        }
    }

    /// With several rows amiss, those with right codes are believed; of the others none is.
    var isBelievedApart: Bool {
        switch self {
        case .closedSale, .greyRecord, .acceptance, .serviceRun, .overrun, .pulserFault, .lockClearing, .priceChange,
            .totalsDifference, .parameterMark, .sideBlock, .stationOrder, .priceOrder,
            .acknowledgement:
            true
        case .openSale, .checkpoint, .totaliser, .sideLock, .clockAcceptance, .clockFloor, .numbering: false
        }
    }
}

extension JournalTable {
    /// - Parameter phase: nil for a row without one.
    func rowClass(phase: String?) -> RowClass {
        guard let first = RowClass.first(of: self) else { preconditionFailure("a coded table has a class") }
        return first.inPhase(phase)
    }
}

extension RowClass {
    fileprivate static func first(of table: JournalTable) -> RowClass? {
        allCases.first { $0.table.name == table.name }
    }

    private static let closedPhases = Set(RecordPhase.allCases.filter { !$0.isOpen }.map(\.rawValue))

    /// Of a sale's row, as its phase has it.
    fileprivate func inPhase(_ phase: String?) -> RowClass {
        guard self == .openSale else { return self }
        return phase.map(Self.closedPhases.contains) == true ? .closedSale : .openSale
    }
}

/// The columns of a statement, and the bytes that the code of one of its rows is made over.
final class RowLayout: Sendable {
    /// One that a code covers.
    private struct Column: Sendable {
        let index: Int
        /// What stands before its value.
        let head: [UInt8]
    }

    let table: JournalTable
    private let columns: [String]
    private let indexes: [String: Int]
    /// nil of a table without codes.
    private let rowClass: RowClass?
    /// Of the table's key, the phase and the code; nil where the statement has none.
    let key: Int?
    let phase: Int?
    let code: Int?
    /// The statement that writes the columns and, as the last, the code.
    let replacement: String
    private let head: [UInt8]
    /// By their names.
    private let covered: [Column]

    /// Of this process's statements: a few for each table, made once.
    private static let made = Mutex<[String: [RowLayout]]>([:])

    static func of(_ table: JournalTable, _ columns: [String]) -> RowLayout {
        made.withLock { made in
            if let known = made[table.name]?.first(where: { $0.columns == columns }) { return known }
            let layout = RowLayout(table, columns)
            made[table.name, default: []].append(layout)
            return layout
        }
    }

    private init(_ table: JournalTable, _ columns: [String]) {
        self.table = table
        self.columns = columns
        indexes = Dictionary(zip(columns, columns.indices)) { first, _ in first }
        rowClass = RowClass.first(of: table)
        key = columns.firstIndex(of: table.key)
        phase = columns.firstIndex(of: "phase")
        code = columns.firstIndex(of: JournalTable.codeColumn)
        replacement = table.replacement(
            of: columns.filter { $0 != JournalTable.codeColumn } + [JournalTable.codeColumn]
        )
        head = Self.named(table.name, "t")
        covered = columns.indices.filter { [code] in $0 != code }.sorted { columns[$0] < columns[$1] }.map {
            Column(index: $0, head: Self.named(columns[$0], "c"))
        }
    }

    /// nil where there is no such column.
    func index(of column: String) -> Int? { indexes[column] }

    /// - Parameter phase: nil for a row without one.
    func rowClass(phase: String?) -> RowClass {
        guard let rowClass else { preconditionFailure("a coded table has a class") }
        return rowClass.inPhase(phase)
    }

    func bytes(_ values: [ColumnValue]) -> [UInt8] {
        var bytes = begun()
        for column in covered {
            let value = values[column.index]
            if value == .null { continue }
            bytes += column.head
            switch value {
            case .null: break
            case .integer(let number): Self.append(UInt64(bitPattern: number), "i", to: &bytes)
            case .real(let number): Self.append(number.bitPattern, "d", to: &bytes)
            case .text(let text): Self.append(text, "s", to: &bytes)
            case .blob(let blob): unsafe blob.withUnsafeBytes { unsafe Self.append($0, "b", to: &bytes) }
            }
        }
        return bytes
    }

    /// The same of the row that a statement stands on, without making its values.
    func bytes(_ statement: Statement) -> [UInt8] {
        var bytes = begun()
        for column in covered {
            // SAFETY: the value's bytes are copied before the statement goes on.
            let value = unsafe statement.standing(at: column.index)
            if case .null = unsafe value { continue }
            bytes += column.head
            switch unsafe value {
            case .null: break
            case .integer(let number): Self.append(UInt64(bitPattern: number), "i", to: &bytes)
            case .real(let number): Self.append(number.bitPattern, "d", to: &bytes)
            case .text(let text): unsafe Self.append(text, "s", to: &bytes)
            case .blob(let blob): unsafe Self.append(blob, "b", to: &bytes)
            }
        }
        return bytes
    }

    private func begun() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1_024)
        bytes += head
        return bytes
    }

    private static func named(_ name: String, _ type: Unicode.Scalar) -> [UInt8] {
        var bytes: [UInt8] = []
        append(name, type, to: &bytes)
        return bytes
    }

    private static func append(_ text: String, _ type: Unicode.Scalar, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0), type, to: &bytes) }
    }

    private static func append(_ value: UnsafeRawBufferPointer, _ type: Unicode.Scalar, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: type))
        append(UInt64(value.count), "n", to: &bytes)
        unsafe bytes.append(contentsOf: value)
    }

    private static func append(_ number: UInt64, _ type: Unicode.Scalar, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: type))
        BigEndian.append(number, to: &bytes)
    }
}

extension StoredRow {
    var rowKey: Int64? {
        layout.key.flatMap { value(at: $0).integer }
    }

    var rowClass: RowClass {
        layout.rowClass(phase: layout.phase.flatMap { value(at: $0).text })
    }

    /// - Throws: `StorageFault` with the row where it has no code, or another one.
    func verifiedCode(_ key: JournalKey) throws(StorageFault) -> StoredCode {
        guard let index = layout.code, case .blob(let stored) = value(at: index) else {
            throw damaged("it has no code")
        }
        let code = code(key)
        guard code.isValid(stored) else { throw damaged("it is not what the service wrote: its code is wrong") }
        return code
    }

    func code(_ key: JournalKey) -> StoredCode { key.code(of: codedBytes) }

    func damaged(_ reason: String) -> StorageFault { StorageFault(damagedRow(column: nil, reason)) }

    func damagedRow(column: String?, _ reason: String) -> DamagedRow {
        var damaged = DamagedRow(
            table: table.name,
            keyName: table.keyName,
            key: rowKey,
            column: column,
            reason: reason
        )
        damaged.card = statedCard
        damaged.isOpen = table.name == JournalTable.sale.name && rowClass == .openSale
        return damaged
    }

    /// nil where it states none.
    private var statedCard: ApplicationSerialNumber? {
        guard let text = value(of: "card_asn")?.text else { return nil }
        do throws(ParseError) {
            return try ApplicationSerialNumber(parsing: Hex.bytes(text))
        } catch {
            return nil
        }
    }
}
