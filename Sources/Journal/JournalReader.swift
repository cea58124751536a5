package import Dispenser
import GRDB

/// Reads a journal while the service writes it, or after it ended in whatever way. Nothing in the records is changed.
///
/// The user needs to read the file, and to write in its directory when the service is not running: SQLite then makes
/// the `-shm` file anew to find what a crash left in the `-wal` file.
package final class JournalReader: Sendable {
    private let queue: DatabaseQueue

    /// - Throws: `StorageFault` when there is no journal, this user may not read it, it is damaged or of another version.
    package init(path: String) throws(StorageFault) {
        try JournalFile.requireAccess(path, writing: false)
        do {
            queue = try DatabaseQueue(path: path, configuration: .reader)
        } catch DatabaseError.SQLITE_CANTOPEN, DatabaseError.SQLITE_READONLY {
            throw StorageFault(
                operation: "open",
                reason: "while no service has the journal open, reading it needs the right to write in its directory"
            )
        } catch {
            throw StorageFault("open", error)
        }
    }

    /// The last `limit` records, the newest last.
    package func records(limit: Int) throws(StorageFault) -> [SaleRecord] {
        precondition(limit >= 0)
        return try queue.view("read the records") { db in
            try db.rows(of: .sale, "ORDER BY ttc DESC LIMIT ?", [limit]).reversed().map(SaleRecord.init)
        }
    }

    package func count() throws(StorageFault) -> Int {
        try queue.view("count the records") { db in
            guard let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM sale") else {
                preconditionFailure("an aggregate has a row")
            }
            return count
        }
    }

    /// Those that a restart or their card finishes, in the order of their TTC.
    package func openRecords() throws(StorageFault) -> [SaleRecord] {
        try queue.view("read the open records") { try $0.openRecords() }
    }

    /// In the order of their TTC, whatever their state.
    package func greyRecords() throws(StorageFault) -> [GreyRecord] {
        try queue.view("read the grey records") { try $0.rows(of: .greyRecord, "ORDER BY ttc").map(GreyRecord.init) }
    }

    /// In the order of their nozzles.
    package func totalisers() throws(StorageFault) -> [Totaliser] {
        try queue.view("read the totalisers") { try $0.rows(of: .totaliser, "ORDER BY nozzle").map(Totaliser.init) }
    }
}
