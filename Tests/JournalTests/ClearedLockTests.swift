import Dispenser
import FuelPassbook
import Records
import SQLite
import SecurityModule
import TestJournals
import Testing

@testable import Journal

/// A technician's word opens a side, whatever became of the row that closed it.
struct ClearedLockTests {
    @Test(arguments: [
        "UPDATE position_lock SET reason = '12 pulser faults'", "UPDATE position_lock SET code = NULL",
        "UPDATE position_lock SET since = 'x'",
    ])
    func aLockThatIsNotBelievedIsShownAndCleared(edit: String) throws {
        let scratch = try Scratch()
        let lock = SideLock(side: 1, since: try time(1), reason: "11 pulser faults")
        do { try scratch.open().commit(JournalEntry(lock: lock)) }
        try scratch.withConnection { connection in try connection.write { try $0.execute(edit) } }
        #expect(try JournalReader(path: scratch.path, key: .demonstration).lock(of: 1) != nil)
        do {
            let journal = try scratch.open()
            #expect(try journal.lock(of: 1) != nil)
            try journal.clearLock(of: 1)
        }
        #expect(try scratch.open().lock(of: 1) == nil)
        #expect(try JournalReader(path: scratch.path, key: .demonstration).lock(of: 1) == nil)
    }
}
