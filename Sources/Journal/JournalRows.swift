package import Dispenser
import GRDB
import SecurityModule
import Synchronization

// Rows of the journal: judged when they are read, with their codes when they are written (decision record 0017).

extension SQLiteJournal {
    /// A lock that is not believed, and a journal whose state or numbering is not, close the position until a technician
    /// looks.
    package func lock(of position: Int) throws(StorageFault) -> PositionLock? {
        if let fault = start.stateFault { return PositionLock(position: position, fault) }
        let belief = try believing()
        do throws(StorageFault) {
            _ = try queue.view("read the numbers") { try $0.numbering(belief) }
            return try row(.positionLock, Int64(position), "read a position's lock", PositionLock.init)
        } catch {
            guard let row = error.row else { throw error }
            return PositionLock(position: position, row)
        }
    }

    package func clearLock(of position: Int) throws(StorageFault) {
        try commitRows("clear a position's lock") { try $0.delete(Int64(position), from: .positionLock) }
    }

    package func damagedRows() throws(StorageFault) -> [DamagedRow] {
        var findings = start.findings
        if let further = survey.findings { findings.merge(further) }
        return findings.damaged
    }

    /// A technician has looked at the damaged rows: what is there with a right code counts from the next start on. Rows
    /// with a wrong code stay as they are, and named.
    package func acceptRows() throws(StorageFault) {
        let keys = keys
        let key = start.key
        // What the mark has counted is not behind.
        let marked = highWater.commits
        try queue.commit("accept the rows") { db in
            if let key, let state = try db.journalState(key) {
                try RowWriter.acceptRows(db, key, after: state)
            } else {
                var (key, state) = try keys.newJournal(key)
                state.commits = marked
                try RowWriter.acceptRows(db, key, after: state)
            }
        }
    }

    /// By what a read judges rows now.
    func believing() throws(StorageFault) -> Belief {
        var doubts = doubts.withLock { $0 }
        if let further = survey.findings { doubts.merge(further.doubts) }
        return Belief(key: start.key, doubts: doubts)
    }

    /// Whether a row can get its code.
    var writesRows: Bool { start.key != nil }

    func row<Value>(
        _ table: JournalTable,
        _ key: Int64,
        _ operation: String,
        _ read: (StoredRow) throws(StorageFault) -> Value
    ) throws(StorageFault) -> Value? {
        let belief = try believing()
        return try queue.view(operation) { try $0.believed(table, key, belief, read) }
    }

    /// One transaction of rows with their codes.
    func commitRows(_ operation: String, _ body: (inout RowWriter) throws -> Void) throws(StorageFault) {
        guard let key = start.key else {
            throw start.stateFault.map { StorageFault($0) }
                ?? StorageFault(operation: operation, reason: "no key makes its codes")
        }
        let further = survey.findings?.doubts
        try doubts.withLock { doubts throws(StorageFault) in
            var written = doubts
            if let further { written.merge(further) }
            try queue.commit(operation) { db in
                var writer = RowWriter(db, key, written, try db.journalState(key))
                try body(&writer)
                try writer.finish()
                written = writer.doubts
            }
            doubts = written
        }
    }
}
