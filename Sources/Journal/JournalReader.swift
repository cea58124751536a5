package import FuelPassbook
package import Quantities
package import Records
import SQLite
import Synchronization

/// Looks at a journal while the service writes it, or after it ended in whatever way, also on a read-only medium or in a
/// copy without its `-wal` file. Nothing is locked, changed or made; the user needs the right to read.
package final class JournalReader: Sendable {
    private struct Loaded {
        let image: JournalImage
        let connection: Connection
        let judgement: Judgement
    }

    private let path: String
    private let keys: [RecordKey]
    private let loaded: Mutex<Loaded>

    /// - Parameter key: nil when there is none: then rows are read without judging their codes.
    /// - Throws: `StorageFault` when there is no journal, this user may not read it, it is damaged or of another version.
    package convenience init(path: String, key: RecordKey? = nil) throws(StorageFault) {
        try self.init(path: path, keys: key.map { [$0] } ?? [])
    }

    /// - Parameter keys: of which one may be the journal's.
    package init(path: String, keys: [RecordKey]) throws(StorageFault) {
        self.path = JournalFile.resolved(path)
        self.keys = keys
        loaded = Mutex(try Self.load(self.path, keys))
    }

    /// As of the last commit.
    private func present() throws(StorageFault) -> (Connection, Judgement) {
        try loaded.withLock { loaded throws(StorageFault) in
            if try !loaded.image.isPresent(at: path) {
                loaded = try Self.load(path, keys)
            }
            return (loaded.connection, loaded.judgement)
        }
    }

    private func view<Value>(
        _ operation: String,
        _ body: (Database) throws -> Value
    ) throws(StorageFault) -> Value {
        try present().0.view(operation, body)
    }

    private static func load(_ path: String, _ keys: [RecordKey]) throws(StorageFault) -> Loaded {
        let image = try JournalImage(path: path)
        do {
            let connection = try Connection.reader(of: image)
            var judgement = try judge(connection, keys)
            judgement.findings.merge(Findings(damaged: try connection.read { try $0.damagedTables() }))
            return Loaded(image: image, connection: connection, judgement: judgement)
        } catch {
            throw StorageFault("open", error)
        }
    }

    /// The rows that are not believed; they are in none of the lists.
    package var damagedRows: [DamagedRow] {
        get throws(StorageFault) { try present().1.findings.damaged }
    }

    /// Why no code was judged; nil when all were.
    package var unjudged: String? {
        get throws(StorageFault) { try present().1.unjudged }
    }

    /// Whether the journal's state opens with one of the keys.
    package var isStateBelieved: Bool {
        get throws(StorageFault) { try present().1.isStateBelieved }
    }

    /// Of the key that the rows are judged with, which is what the journal calls its own; nil where none is.
    package var keyReference: KeyReference? {
        get throws(StorageFault) { try present().1.key?.reference }
    }

    /// Whether a service has the journal open, as far as this user can see.
    package var isInUse: Bool { JournalFile.isInUse(path) }

    // MARK: - Rows with codes

    /// The checkpoints of sales that fuel, or did when the service ended.
    package func checkpoints() throws(StorageFault) -> [RecordNumber: Checkpoint] {
        let all: [Checkpoint] = try values("ORDER BY ttc")
        return Dictionary(all.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func lock(of side: Int) throws(StorageFault) -> SideLock? {
        if let row = try closingRow(side) { return SideLock(side: side, row) }
        let locks: [SideLock] = try values("WHERE position = ?", [ColumnValue(side)])
        return locks.first
    }

    /// As the service decides.
    private func closingRow(_ side: Int) throws(StorageFault) -> DamagedRow? {
        let judgement = try present().1
        if let fault = judgement.stateFault { return fault }
        return judgement.findings.damaged.first { row in
            row.table == JournalTable.numbering.name
                || row.table == JournalTable.sideLock.name && row.key ?? Int64(side) == Int64(side)
        }
    }

    package func latestTime() throws(StorageFault) -> StationTime? {
        let belief = try present().1.belief
        return try view("read the latest time") { try $0.clockFloor(belief) }
    }

    /// The last `limit` records, the newest last.
    package func records(limit: Int) throws(StorageFault) -> [Record] {
        precondition(limit >= 0)
        let newest: [Record] = try values("ORDER BY ttc DESC LIMIT ?", [ColumnValue(limit)])
        return newest.reversed()
    }

    /// nil for one that is not there, or not believed.
    package func record(_ number: RecordNumber) throws(StorageFault) -> Record? {
        let records: [Record] = try values("WHERE ttc = ?", [ColumnValue(Int64(number.value))])
        return records.first
    }

    /// Those that a restart or their card finishes, in the order of their numbers.
    package func openRecords() throws(StorageFault) -> [Record] {
        let records: [Record] = try values(Database.openSales)
        return records.filter(\.phase.isOpen)
    }

    /// In the order of their numbers, whatever their state.
    package func greyRecords() throws(StorageFault) -> [GreyRecord] {
        try values("ORDER BY ttc")
    }

    /// In the order of their nozzles.
    package func totalisers() throws(StorageFault) -> [Totaliser] {
        try values("ORDER BY nozzle")
    }

    /// Those that can be believed, or without a key those that can be read, up to the first in a damaged page.
    func values<Value: TableRow>(
        _ condition: String,
        _ arguments: [ColumnValue] = []
    ) throws(StorageFault) -> [Value] {
        let table = Value.columns.table
        let (connection, judgement) = try present()
        let belief = judgement.belief
        var values: [Value] = []
        do {
            // SQLite ends no transaction well that has met a damaged page.
            try connection.read { db in
                try db.visit(table, condition, arguments) { row in
                    let value = try belief.ifBelieved { () throws(StorageFault) in
                        try Value(row.believed(belief))
                    }
                    if let value { values.append(value) }
                }
            }
        } catch let error as DatabaseError where error.code == .corrupt {
            return values
        } catch {
            throw StorageFault("read table \(table.name)", error)
        }
        return values
    }

    /// What technicians accepted, in that order.
    package func acceptances() throws(StorageFault) -> [JournalAcceptance] {
        try values("ORDER BY number")
    }

    /// The last `limit` runs of the service, the newest last.
    package func runs(limit: Int) throws(StorageFault) -> [ServiceRun] {
        let newest: [ServiceRun] = try values("ORDER BY run DESC LIMIT ?", [ColumnValue(limit)])
        return newest.reversed()
    }

    // MARK: - The others

    /// nil when the journal's state is not believed.
    package func custodyMark() throws(StorageFault) -> CustodyMark? {
        guard let key = try present().1.key else { return nil }
        return try view("read the journal's state") { try $0.journalState(key)?.custody }
    }

    package func count() throws(StorageFault) -> Int {
        try view("count the records") { db in
            Int(try db.numbers("SELECT count(*) FROM sale").first.flatMap(\.self) ?? 0)
        }
    }

    /// How many records take room.
    package func takenRoom() throws(StorageFault) -> Int {
        try view("count the records") { db in
            let sql = "SELECT (SELECT count(*) FROM sale) - (SELECT count(*) FROM acknowledgement)"
            return Int(try db.numbers(sql).first.flatMap(\.self) ?? 0)
        }
    }

    /// How the journal's numbers stand to its mark at `markPath`.
    package func standing(markPath: String?) throws(StorageFault) -> JournalStanding {
        let belief = try present().1.belief
        let mark = HighWaterMark(path: markPath ?? HighWaterMark.path(of: path)).read()
        return try view("read the numbers") { try $0.standing(belief, mark).0 }
    }

    /// When the service was last seen to run; nil where the journal's copy came without that file.
    package var lastSeen: TransactionTime? { RunBeat.read(path) }
}

/// What the rows of a journal are worth.
private struct Judgement {
    var key: JournalKey?
    var findings = Findings()
    var unjudged: String?
    /// Why the journal's state is not believed.
    var stateFault: DamagedRow?

    var isStateBelieved: Bool { key != nil && stateFault == nil }

    var belief: Belief { Belief(key: key, doubts: findings.doubts, showsUnjudged: true) }
}

extension JournalReader {
    /// Each table beside the state of the same moment. One whose pages are damaged is named, and the others are judged.
    private static func judge(_ connection: Connection, _ keys: [RecordKey]) throws(StorageFault) -> Judgement {
        var judgement = Judgement()
        for table in JournalTable.coded {
            do {
                try connection.read { try judge(table, $0, keys, &judgement) }
            } catch let error as DatabaseError where error.code == .corrupt {
                let reason = "pages of the file are damaged: what is beyond them cannot be read"
                judgement.findings.damaged.append(
                    DamagedRow(table: table.name, keyName: table.keyName, key: nil, column: nil, reason: reason)
                )
            } catch {
                throw StorageFault("judge the rows", error)
            }
        }
        return judgement
    }

    private static func judge(
        _ table: JournalTable,
        _ db: Database,
        _ keys: [RecordKey],
        _ judgement: inout Judgement
    ) throws {
        var state: JournalState?
        if keys.isEmpty {
            judgement.unjudged = "there is no key"
        } else {
            do {
                switch try db.journalState(keys) {
                case .uncoded: judgement.unjudged = "the service has made none yet"
                case .believed(let believed, let key, let copyFault):
                    (judgement.key, state) = (key, believed)
                    if let copyFault { judgement.findings.merge(Findings(damaged: [copyFault])) }
                case .unbelieved(let fault, let key):
                    judgement.key = key
                    judgement.unjudged = key == nil ? "the journal's state is damaged" : nil
                    judgement.stateFault = fault
                    judgement.findings.merge(Findings(damaged: [fault]))
                }
            } catch let fault as StorageFault {
                judgement.unjudged = fault.reason
            }
        }
        let classes = RowClass.allCases.filter { $0.table.name == table.name }
        judgement.findings.merge(try db.findings(Set(classes), judgement.key, state))
    }
}
