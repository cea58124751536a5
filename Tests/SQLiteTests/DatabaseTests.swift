import Glibc
import SQLite
import Synchronization
import Testing
import Threads

/// The layer over SQLite's C interface, on databases in memory.
struct DatabaseTests {
    private func connection(_ script: String = "CREATE TABLE t (k INTEGER PRIMARY KEY, v)") throws -> Connection {
        let connection = try Connection(":memory:")
        try connection.withDatabase { try $0.execute(script) }
        return connection
    }

    /// The error of a call; nil when it succeeds.
    private func error(of body: () throws -> Void) throws -> DatabaseError? {
        do {
            try body()
            return nil
        } catch let error as DatabaseError {
            return error
        }
    }

    @Test(
        arguments: [
            .null, 0, -1, .integer(.max), .integer(.min), .real(1.5), .real(-0.0), "", "x", "a\0b", "油 \u{1F600}",
            .text(String(repeating: "9", count: 70_000)), .blob([]), .blob([0]), .blob(Array(0...255)),
        ] as [ColumnValue]
    )
    func aValueIsReadAsItWasBound(value: ColumnValue) throws {
        try connection().write { db in
            try db.run("INSERT INTO t VALUES (1, ?)", [value])
            #expect(try db.value("SELECT v FROM t") == value)
            #expect(try db.rows("SELECT k, v FROM t") == [[1, value]])
        }
    }

    /// SQLite gives the bytes in the file's encoding, and others only when it is asked for UTF-8.
    @Test func aTextOfADatabaseInUTF16IsReadAsUTF8() throws {
        try connection("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (v)").write { db in
            try db.run("INSERT INTO t VALUES (?)", ["油x"])
            #expect(try db.value("SELECT v FROM t") == "油x")
        }
    }

    @Test func anErrorHasItsExtendedCodeAndSQLitesWords() throws {
        let connection = try connection("CREATE TABLE t (k INTEGER PRIMARY KEY, v NOT NULL)")
        let refusal = try error { try connection.write { try $0.run("INSERT INTO t VALUES (1, NULL)") } }
        #expect(refusal?.code == .constraint)
        #expect(refusal?.description == "SQLite 1299: NOT NULL constraint failed: t.v")
        let missing = try error { _ = try Connection("/nonexistent/t.db") }
        #expect(missing?.code == .cannotOpen && missing?.message == "unable to open database file")
    }

    @Test func aMisspeltColumnIsNoText() throws {
        let connection = try connection()
        let refusal = try error { try connection.write { try $0.run(#"SELECT "w" FROM t"#) } }
        // A later SQLite says more behind it.
        #expect(refusal?.message.hasPrefix("no such column: ") == true)
    }

    @Test func aTransactionIsWholeOrNotAtAll() throws {
        let connection = try connection()
        let refusal = try error {
            try connection.write { db in
                try db.run("INSERT INTO t VALUES (1, 1)")
                try db.run("INSERT INTO t VALUES (1, 2)")
            }
        }
        #expect(refusal?.code == .constraint)
        #expect(try connection.read { try $0.value("SELECT count(*) FROM t") } == 0)
        try connection.write { try $0.run("INSERT INTO t VALUES (1, 1)") }
        #expect(try connection.read { try $0.value("SELECT count(*) FROM t") } == 1)
    }

    /// What a body wrote after SQLite has rolled its transaction back would stay.
    @Test func nothingIsWrittenAfterATransactionThatEndedByItself() throws {
        let connection = try connection()
        let refusal = try error {
            try connection.write { db in
                try db.run("INSERT INTO t VALUES (1, 1)")
                _ = try error { try db.run("INSERT OR ROLLBACK INTO t VALUES (1, 2)") }
                try db.run("INSERT INTO t VALUES (3, 3)")
            }
        }
        #expect(refusal?.code == .abort)
        #expect(try connection.read { try $0.value("SELECT count(*) FROM t") } == 0)
    }

    @Test(arguments: ["INSERT INTO t VALUES (1, 1)", "DROP TABLE t", "PRAGMA user_version = 7"])
    func aReadWritesNothing(sql: String) throws {
        let connection = try connection()
        #expect(try error { try connection.read { try $0.run(sql) } }?.code == .readOnly)
        #expect(try error { try connection.read { try $0.execute(sql) } }?.code == .readOnly)
        try connection.write { try $0.run(sql) }
    }

    @Test func aStatementInUseIsNotTakenForAnother() throws {
        try connection().write { db in
            for key in 1...3 { try db.run("INSERT INTO t VALUES (?, ?)", [ColumnValue(key), ColumnValue(key)]) }
            var pairs = 0
            try db.forEach("SELECT k FROM t") { _ in try db.forEach("SELECT k FROM t") { _ in pairs += 1 } }
            #expect(pairs == 9)
        }
    }

    @Test func columnsFollowTheTable() throws {
        try connection().write { db in
            try db.run("INSERT INTO t VALUES (1, 2)")
            let columns = { try db.first("SELECT * FROM t") { $0.columns } }
            #expect(try columns() == ["k", "v"])
            try db.execute("ALTER TABLE t ADD COLUMN w DEFAULT 3")
            #expect(try columns() == ["k", "v", "w"])
            #expect(try db.rows("SELECT * FROM t") == [[1, 2, 3]])
        }
    }

    @Test func theFirstRowOfWhichSomethingIsMadeEndsTheSearch() throws {
        try connection().write { db in
            for key in 1...5 { try db.run("INSERT INTO t VALUES (?, NULL)", [ColumnValue(key)]) }
            var seen = 0
            let found = try db.first("SELECT k FROM t ORDER BY k") { row in
                seen += 1
                return row.value(at: 0).integer.flatMap { $0 >= 3 ? $0 : nil }
            }
            #expect(found == 3 && seen == 3)
            #expect(try db.first("SELECT k FROM t WHERE k = 9") { $0.value(at: 0) } == nil)
        }
    }

    @Test(.timeLimit(.minutes(10))) func anInterruptEndsWhatRuns() throws {
        let connection = try connection()
        let isOver = Atomic(false)
        let thread = NamedThread("interrupter") {
            while !isOver.load(ordering: .acquiring) {
                connection.interrupt()
                sched_yield()
            }
        }
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n"
        let refusal = try error { _ = try connection.withDatabase { try $0.value(endless) } }
        isOver.store(true, ordering: .releasing)
        thread.join()
        #expect(refusal?.message == "interrupted")
        connection.close()
        connection.interrupt()
    }

    @Test func pagesAreTheDatabase() throws {
        let connection = try connection()
        try connection.write { try $0.run("INSERT INTO t VALUES (1, 'x')") }
        let pages = try #require(try connection.withDatabase { $0.serialized() })
        let copy = try Connection(":memory:") { try $0.deserialize(pages) }
        #expect(try copy.read { try $0.value("SELECT v FROM t") } == "x")
        #expect(try error { try copy.write { try $0.run("DELETE FROM t") } }?.code == .readOnly)
    }
}
