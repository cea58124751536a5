import CardCryptography
import FuelPassbook
import GRDB
import ISO7816
import Records
import SecurityModule

// What a row's code covers: its table, and the name, type and value of each column that is not NULL, its key among them,
// in the order of their names. So a column that a later version adds is covered as soon as it has a value.

/// The rows that are added up together: what recovery relies on apart from what nobody waits for.
enum RowClass: Int, CaseIterable, Sendable {
    case openSale
    case closedSale
    case checkpoint
    case greyRecord
    case totaliser
    case positionLock
    case clockAcceptance
    case clockFloor
    case numbering
    case acceptance
    case serviceRun

    var table: JournalTable {
        switch self {
        case .openSale, .closedSale: .sale
        case .checkpoint: .checkpoint
        case .greyRecord: .greyRecord
        case .totaliser: .totaliser
        case .positionLock: .positionLock
        case .clockAcceptance: .clockAcceptance
        case .clockFloor: .clockFloor
        case .numbering: .numbering
        case .acceptance: .acceptance
        case .serviceRun: .serviceRun
        }
    }

    /// Few rows, which are read before anything is recovered.
    static let ofRecovery: Set<RowClass> = [
        .openSale, .checkpoint, .totaliser, .positionLock, .clockAcceptance, .clockFloor, .numbering,
    ]

    /// The next write puts a row in the place of one that is not believed. Of the others, none is ever overwritten.
    var isRenewed: Bool {
        switch self {
        case .openSale, .closedSale, .greyRecord, .acceptance: false
        case .checkpoint, .totaliser, .positionLock, .clockAcceptance, .clockFloor, .numbering, .serviceRun: true
        }
    }

    /// With several rows amiss, those with right codes are believed; of the others none is.
    var isBelievedApart: Bool {
        switch self {
        case .closedSale, .greyRecord, .acceptance, .serviceRun: true
        case .openSale, .checkpoint, .totaliser, .positionLock, .clockAcceptance, .clockFloor, .numbering: false
        }
    }
}

extension JournalTable {
    static let coded: [JournalTable] = [
        .sale, .checkpoint, .greyRecord, .totaliser, .positionLock, .clockAcceptance, .clockFloor, .numbering,
        .acceptance,
        .serviceRun,
    ]
    static let codeColumn = "code"

    /// - Parameter phase: nil for a row without one.
    func rowClass(phase: String?) -> RowClass {
        guard let only = RowClass.allCases.first(where: { $0.table.name == name }) else {
            preconditionFailure("a coded table has a class")
        }
        guard only == .openSale else { return only }
        return RecordPhase(rawValue: phase ?? "")?.isOpen == false ? .closedSale : .openSale
    }
}

/// The bytes that a code is made over.
enum RowBytes {
    static func of(_ table: JournalTable, _ columns: [String], _ value: (Int) -> DatabaseValue) -> [UInt8] {
        of(table, columns, order: order(of: columns), value)
    }

    /// The indexes of the columns by name.
    static func order(of columns: [String]) -> [Int] {
        columns.indices.filter { columns[$0] != JournalTable.codeColumn }.sorted { columns[$0] < columns[$1] }
    }

    static func of(
        _ table: JournalTable,
        _ columns: [String],
        order: [Int],
        _ value: (Int) -> DatabaseValue
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1_024)
        append(table.name, "t", to: &bytes)
        for index in order {
            let storage = value(index).storage
            if case .null = storage { continue }
            append(columns[index], "c", to: &bytes)
            switch storage {
            case .null: break
            case .int64(let number): append(UInt64(bitPattern: number), "i", to: &bytes)
            case .double(let number): append(number.bitPattern, "d", to: &bytes)
            case .string(let text): append(text, "s", to: &bytes)
            case .blob(let data):
                bytes.append(UInt8(ascii: "b"))
                append(UInt64(data.count), "n", to: &bytes)
                bytes.append(contentsOf: data)
            }
        }
        return bytes
    }

    private static func append(_ text: String, _ type: Unicode.Scalar, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: type))
        append(UInt64(text.utf8.count), "n", to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ number: UInt64, _ type: Unicode.Scalar, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: type))
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }
}

extension StoredRow {
    var rowKey: Int64? {
        guard row.hasColumn(table.key), case .int64(let key) = (row[table.key] as DatabaseValue).storage else {
            return nil
        }
        return key
    }

    var rowClass: RowClass {
        guard row.hasColumn("phase"), case .string(let phase) = (row["phase"] as DatabaseValue).storage else {
            return table.rowClass(phase: nil)
        }
        return table.rowClass(phase: phase)
    }

    /// - Parameter order: what ``RowBytes`` says of the statement's columns; nil to work it out.
    /// - Throws: `StorageFault` with the row where it has no code, or another one.
    func verifiedCode(_ key: JournalKey, order: [Int]? = nil) throws(StorageFault) -> StoredCode {
        guard row.hasColumn(JournalTable.codeColumn) else { throw damaged("it has no code") }
        guard case .blob(let stored) = (row[JournalTable.codeColumn] as DatabaseValue).storage else {
            throw damaged("it has no code")
        }
        let code = code(key, order)
        guard code.isValid(Array(stored)) else { throw damaged("it is not what the service wrote: its code is wrong") }
        return code
    }

    func code(_ key: JournalKey, _ order: [Int]?) -> StoredCode {
        let columns = Array(row.columnNames)
        let bytes = RowBytes.of(table, columns, order: order ?? RowBytes.order(of: columns)) {
            row[$0] as DatabaseValue
        }
        return key.code(of: bytes)
    }

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
        guard row.hasColumn("card_asn"), case .string(let text) = (row["card_asn"] as DatabaseValue).storage else {
            return nil
        }
        do throws(ParseError) {
            return try ApplicationSerialNumber(parsing: Hex.bytes(text))
        } catch {
            return nil
        }
    }
}
