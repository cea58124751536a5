import CardCryptography
import FuelPassbook
import Records
import SQLite

/// What a journal knows of all of its rows together. It is sealed, and changes with every commit.
struct JournalState: Equatable, Sendable {
    /// No journal, and no mark of one, counts as many.
    static let commitsEnd: Int64 = 1 << 60

    let identity: [UInt8]
    /// Of the record key.
    let reference: KeyReference
    var commits: Int64
    /// The highest that a believed record has.
    var lastNumber: UInt32
    var custody = CustodyMark.none
    private var sums: [RowSums]

    init(identity: [UInt8], reference: KeyReference) {
        self.identity = identity
        self.reference = reference
        commits = 0
        lastNumber = 0
        sums = RowClass.allCases.map { _ in .zero }
    }

    subscript(rowClass: RowClass) -> RowSums {
        get { sums[rowClass.rawValue] }
        set { sums[rowClass.rawValue] = newValue }
    }

    /// Of sales, open and closed.
    var records: Int64 { self[.openSale].rows &+ self[.closedSale].rows }

    mutating func add(_ code: StoredCode, _ key: Int64, _ rowClass: RowClass) {
        self[rowClass].add(code.hidden, key: key)
        guard rowClass.table.name == JournalTable.sale.name, let number = UInt32(exactly: key) else { return }
        lastNumber = max(lastNumber, number)
    }

    /// - Throws: `StorageFault` when no other can be counted.
    mutating func countCommit() throws(StorageFault) {
        guard commits < Self.commitsEnd - 1 else {
            throw StorageFault(operation: "commit", reason: "the journal has counted its last write: begin a new one")
        }
        commits += 1
    }

    var context: [UInt8] { Self.context(identity, reference, commits) }

    fileprivate static func context(_ identity: [UInt8], _ reference: KeyReference, _ commits: Int64) -> [UInt8] {
        var bytes = identity + [reference.index.number, reference.version.number]
        BigEndian.append(UInt64(bitPattern: commits), to: &bytes)
        return bytes
    }

    var plain: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.plainLength)
        BigEndian.append(UInt64(lastNumber), to: &bytes)
        for sums in sums.prefix(Self.classesBeforeCustody) { sums.append(to: &bytes) }
        custody.append(to: &bytes)
        for sums in sums.dropFirst(Self.classesBeforeCustody) { sums.append(to: &bytes) }
        return bytes
    }

    /// Those of schema 7; the sums of later ones stand behind ``custody``.
    private static let classesBeforeCustody = 12
    private static let custodyPlace = 8 + classesBeforeCustody * RowSums.length
    private static let plainLength = place(of: RowClass.allCases.count)
    /// Of versions until schema 6, which had no ``custody``, and until schema 5, which had no ``RowClass/overrun`` either; and of
    /// those that had no later classes, or not all of them.
    private static let earlierLengths =
        [custodyPlace, custodyPlace - RowSums.length] + (classesBeforeCustody..<RowClass.allCases.count).map(place)

    /// Of the sums of the class with that raw value.
    private static func place(of rowClass: Int) -> Int {
        let isBehind = rowClass >= classesBeforeCustody
        return 8 + rowClass * RowSums.length + (isBehind ? CustodyMark.length : 0)
    }

    /// nil for anything but the plain bytes of a state.
    init?(identity: [UInt8], reference: KeyReference, commits: Int64, plain: [UInt8]) {
        guard plain.count == Self.plainLength || Self.earlierLengths.contains(plain.count) else { return nil }
        let plain = plain + Array(repeating: 0, count: Self.plainLength - plain.count)
        self.identity = identity
        self.reference = reference
        self.commits = commits
        guard let last = UInt32(exactly: BigEndian.number(plain, at: 0)) else { return nil }
        lastNumber = last
        sums = RowClass.allCases.map { RowSums(plain, at: Self.place(of: $0.rawValue)) }
        custody = CustodyMark(plain, at: Self.custodyPlace)
    }
}

/// A journal's state as it was found.
enum StateReading: Sendable {
    /// As the migration leaves it: no row has a code yet.
    case uncoded
    /// - Parameter copyFault: why one of its two copies is not believed.
    case believed(JournalState, JournalKey, copyFault: DamagedRow?)
    /// - Parameter key: with which rows can still be judged one by one; nil where not even the identity is there.
    case unbelieved(DamagedRow, JournalKey?)

    var state: JournalState? {
        switch self {
        case .believed(let state, _, _): state
        case .uncoded, .unbelieved: nil
        }
    }
}

extension Database {
    /// The state stands twice in one page, so that one rotten digit costs neither.
    func journalState(_ recordKey: RecordKey) throws -> StateReading {
        let copies = try stateCopies()
        if try isUncoded(copies) { return .uncoded }
        var fault: DamagedRow?
        var key: JournalKey?
        var keyIsMissing: StorageFault?
        for copy in copies {
            do throws(StorageFault) {
                let copyKey = try copy.journalKey(recordKey)
                key = key ?? copyKey
                let state = try copy.state(copyKey)
                if copies.count != 2, fault == nil { fault = copy.damagedRow(column: nil, "it is there alone") }
                return .believed(state, copyKey, copyFault: fault)
            } catch {
                if let row = error.row { fault = fault ?? row } else { keyIsMissing = error }
            }
        }
        if key == nil, let keyIsMissing { throw keyIsMissing }
        let missing = DamagedRow(table: "journal_state", keyName: "copy", key: nil, column: nil, reason: "it is gone")
        return .unbelieved(fault ?? missing, key)
    }

    /// With whichever of the keys is the journal's.
    ///
    /// - Parameter keys: at least one.
    func journalState(_ keys: [RecordKey]) throws -> StateReading {
        var missing: StorageFault?
        for key in keys {
            do {
                return try journalState(key)
            } catch let fault as StorageFault where fault.row == nil {
                missing = fault
            }
        }
        throw missing ?? StorageFault(operation: "open", reason: "there is no key")
    }

    /// For a commit; nil when neither copy is believed.
    func journalState(_ key: JournalKey) throws -> JournalState? {
        try firstStateCopy { copy throws(StorageFault) in try copy.state(key) }
    }

    /// As a copy of the state says it, for whoever looks without a key.
    func unjudgedCommits() throws -> Int64? {
        try firstStateCopy { copy throws(StorageFault) in
            _ = try copy.blob("identity", count: JournalKey.identityLength)
            return try copy.commits
        }
    }

    private static let stateCopies = "WHERE id IN (1, 2) ORDER BY id"

    private func stateCopies() throws -> [StoredRow] { try rows(of: .state, Self.stateCopies) }

    /// What `read` makes of the first copy that it does not find damaged.
    private func firstStateCopy<Value>(_ read: (StoredRow) throws(StorageFault) -> Value) throws -> Value? {
        try first("SELECT * FROM journal_state \(Self.stateCopies)") { statement in
            do throws(StorageFault) {
                return try read(StoredRow(.state, statement))
            } catch {
                guard error.row != nil else { throw error }
                return nil
            }
        }
    }

    private func isUncoded(_ copies: [StoredRow]) throws -> Bool {
        guard copies.count == 2, copies.allSatisfy(\.isEmptyState) else { return false }
        for table in JournalTable.coded {
            let sql = "SELECT 1 FROM \(table.name) WHERE \(JournalTable.codeColumn) IS NOT NULL LIMIT 1"
            guard try value(sql) == nil else { return false }
        }
        return true
    }

    func write(_ state: JournalState, _ key: JournalKey) throws {
        let fields = [
            ColumnValue(state.identity), ColumnValue(state.reference.index.number),
            ColumnValue(state.reference.version.number),
            ColumnValue(state.commits), ColumnValue(key.seal(state.plain, context: state.context)),
        ]
        let both = """
            UPDATE journal_state SET identity = ?, key_index = ?, key_version = ?, commits = ?, sealed = ?
            WHERE id IN (1, 2)
            """
        try run(both, fields)
        guard changesCount < 2 else { return }
        let each = """
            INSERT OR REPLACE INTO journal_state (id, identity, key_index, key_version, commits, sealed)
            VALUES (?, ?, ?, ?, ?, ?)
            """
        for copy: ColumnValue in [1, 2] { try run(each, [copy] + fields) }
    }
}

extension StoredRow {
    fileprivate var isEmptyState: Bool { ["identity", "sealed"].allSatisfy { value(of: $0) == .blob([]) } }

    /// - Throws: `StorageFault`, without a row when it is of another record key.
    fileprivate func journalKey(_ recordKey: RecordKey) throws(StorageFault) -> JournalKey {
        let identity = try blob("identity", count: JournalKey.identityLength)
        let key = KeyReference(index: try value("key_index"), version: try value("key_version"))
        guard recordKey.reference == key else {
            throw StorageFault(
                operation: "open",
                reason: "its codes need the record key of index \(key.index.number), version \(key.version.number), "
                    + "which is not loaded"
            )
        }
        return recordKey.journalKey(identity: identity)
    }

    fileprivate var commits: Int64 {
        get throws(StorageFault) {
            let commits: Int64 = try value("commits")
            guard (0..<JournalState.commitsEnd).contains(commits) else {
                throw fault("commits", "is out of range: \(commits)")
            }
            return commits
        }
    }

    fileprivate func state(_ key: JournalKey) throws(StorageFault) -> JournalState {
        let identity = try blob("identity", count: JournalKey.identityLength)
        let commits = try commits
        let sealed = try blob("sealed", count: nil)
        let context = JournalState.context(identity, key.reference, commits)
        guard
            let plain = key.open(sealed, context: context),
            let state = JournalState(identity: identity, reference: key.reference, commits: commits, plain: plain)
        else { throw damaged("it is not what the service wrote: its code is wrong") }
        return state
    }
}
