import CSQLite
import Glibc

/// The least that a service in Swift with a database comes to, as a peer of `greylockd` in size, memory and start; no board
/// gets it.
///
///     minimal-service FILE
///
/// It opens the SQLite database in FILE, with a write-ahead log and one table as a journal has, says "ready" on the standard
/// error, and waits for SIGTERM. It is built as the service is, the static Swift runtime included, and has no Foundation, no
/// thread, no card, no pump and no settings.
///
/// Exit status: 0 when it was told to stop, 64 without FILE, 74 when the database does not open.
@main
enum MinimalService {
    static func main() {
        guard CommandLine.arguments.count == 2 else { exit(64) }
        // Blocked before it says that it is ready, so that a signal that comes at once ends it as well.
        var stop = sigset_t()
        unsafe sigemptyset(&stop)
        unsafe sigaddset(&stop, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &stop, nil)

        var database: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let prepare = "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS sale (number INTEGER PRIMARY KEY) STRICT"
        guard
            unsafe sqlite3_open_v2(CommandLine.arguments[1], &database, flags, nil) == SQLITE_OK,
            unsafe sqlite3_exec(database, prepare, nil, nil, nil) == SQLITE_OK
        else { exit(74) }

        let ready = Array("ready\n".utf8)
        guard unsafe write(STDERR_FILENO, ready, ready.count) == ready.count else { exit(74) }
        var signal: Int32 = 0
        unsafe sigwait(&stop, &signal)
        guard unsafe sqlite3_close(database) == SQLITE_OK else { exit(74) }
    }
}
