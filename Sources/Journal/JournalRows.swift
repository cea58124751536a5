package import Records
import SQLite
import Synchronization

// Rows of the journal: judged when they are read, with their codes when they are written (decision record 0017).

extension SQLiteJournal {
    /// A lock that is not believed, and a journal whose numbering is not, close the side until a technician looks.
    package func lock(of side: Int) throws(StorageFault) -> SideLock? {
        let belief = try believing()
        do throws(StorageFault) {
            _ = try connection.view("read the numbers") { try $0.numbering(belief) }
            return try row(Int64(side), "read a position's lock")
        } catch {
            guard let row = error.row else { throw error }
            return SideLock(side: side, row)
        }
    }

    package func clear(_ word: LockClearing) throws(StorageFault) {
        try commitRows("clear a position's lock") { writer in
            try writer.delete(Int64(word.lock.side), from: .sideLock)
            try writer.append(word)
        }
    }

    package func damagedRows() throws(StorageFault) -> [DamagedRow] {
        var findings = start.findings
        if let further = survey.findings { findings.merge(further) }
        return findings.damaged
    }

    /// A technician has looked at the damaged rows: what is there with a right code counts from the next start on. Rows
    /// with a wrong code stay as they are, and named.
    package func acceptRows() throws(StorageFault) {
        let key = start.key
        try connection.commit("accept the rows") { db in
            guard let key, let old = try db.journalState(key) else { throw Self.stateIsUnbelieved }
            var state = try RowWriter.stateOfRows(db, key, after: old)
            try state.countCommit()
            try db.write(state, key)
        }
    }

    private static let stateIsUnbelieved = StorageFault(
        operation: "accept the rows",
        reason: "the journal's state is not believed: greylock position --accept-journal \"REASON\""
    )

    /// By what a read judges rows now.
    func believing() throws(StorageFault) -> Belief {
        var doubts = doubts.withLock { $0 }
        if let further = survey.findings { doubts.merge(further.doubts) }
        return Belief(key: start.key, doubts: doubts)
    }

    /// Whether a row can get its code.
    var writesRows: Bool { start.key != nil }

    func row<Value: TableRow>(_ key: Int64, _ operation: String) throws(StorageFault) -> Value? {
        let belief = try believing()
        return try connection.view(operation) { try $0.believed(Value.self, key, belief) }
    }

    /// One transaction of rows with their codes.
    func commitRows(_ operation: String, _ body: (inout RowWriter) throws -> Void) throws(StorageFault) {
        guard let key = start.key else {
            throw StorageFault(operation: operation, reason: "no key makes its codes")
        }
        let further = survey.findings?.doubts
        try doubts.withLock { doubts throws(StorageFault) in
            var written = doubts
            if let further { written.merge(further) }
            try connection.commit(operation) { db in
                var writer = RowWriter(db, key, written, try db.journalState(key))
                try body(&writer)
                try writer.finish()
                written = writer.doubts
            }
            doubts = written
        }
    }

    /// More writes than any copy of the journal, or its mark, can be behind another.
    private static let commitsLeftOut: Int64 = 1 << 40

    /// One transaction on a technician's word, after which the journal has counted more writes than any copy of it: none
    /// is taken for newer, whatever is done to its numbers. A state that is not believed is made anew from the rows with
    /// right codes.
    ///
    /// - Parameters:
    ///   - marked: what the mark has counted.
    ///   - written: called with the count of the journal.
    func commitAccepted(
        _ operation: String,
        after marked: Int64,
        _ body: (inout RowWriter) throws -> Void,
        written: (Int64) -> Void
    ) throws(StorageFault) {
        let (recordKey, key, doubts) = (recordKey, start.key, try believing().doubts)
        try connection.commit(operation) { db in
            var (writing, state) = recordKey.newJournal(key)
            if let key, let believed = try db.journalState(key) {
                state = believed
            } else {
                state = try RowWriter.stateOfRows(db, writing, after: state)
            }
            state.commits = max(state.commits, marked) + Self.commitsLeftOut
            var writer = RowWriter(db, writing, doubts, state)
            try body(&writer)
            guard let sealed = try writer.finish() else { preconditionFailure("it was given a state") }
            written(sealed.commits)
        }
    }
}
