import Dispenser
import Glibc

/// The one writer of a journal: an exclusive `flock` on `PATH-lock`, given back when the value or its process ends.
///
/// A file of its own, because SQLite's own exclusive mode would also keep readers out, and because closing any other
/// descriptor of the database would drop the POSIX locks that SQLite holds on it.
struct JournalLock: ~Copyable, Sendable {
    private let descriptor: Int32

    init(path: String) throws(StorageFault) {
        let descriptor = unsafe open(path + "-lock", O_RDWR | O_CREAT | O_CLOEXEC, JournalFile.mode)
        guard descriptor >= 0 else { throw .system("open the lock file") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let fault = StorageFault.system("lock")
            _ = close(descriptor)
            throw isHeld ? StorageFault(operation: "open", reason: StorageFault.inUse) : fault
        }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }
}

/// What SQLite leaves to its caller: the file's mode, its directory entry on disk, and why a file cannot be opened.
enum JournalFile {
    /// SQLite gives the `-wal` and `-shm` files the same.
    static let mode: mode_t = 0o600
    /// SQLite's smallest page.
    private static let pageBytesMin = 512

    /// Makes the file, and the directory that names it, durable; an existing file is left as it is.
    static func create(_ path: String) throws(StorageFault) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            guard errno == EEXIST else { throw .system("create") }
            return
        }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("create") }
        try synchronizeDirectory(of: path)
    }

    /// - Throws: the system's reason when this process may not read the file, or not write it; a file of a few bytes,
    ///   which SQLite would take for an empty one and write over.
    static func requireAccess(_ path: String, writing: Bool) throws(StorageFault) {
        guard unsafe access(path, writing ? R_OK | W_OK : R_OK) == 0 else { throw .system("open") }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .system("open") }
        guard status.st_size == 0 || status.st_size >= pageBytesMin else {
            throw StorageFault(operation: "open", reason: StorageFault.notADatabase)
        }
    }

    private static func synchronizeDirectory(of path: String) throws(StorageFault) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let directory = slash.map { path[...$0] } ?? "."
        let descriptor = unsafe open(String(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the directory") }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("write the directory") }
    }
}

extension StorageFault {
    static let inUse = "the journal is in use by another process"
    static let notADatabase = "the file is not a database"

    /// The calling thread's last failed call.
    static func system(_ operation: String) -> StorageFault {
        // SAFETY: the C library's text is copied before another call can change it.
        let reason = unsafe String(cString: strerror(errno))
        return StorageFault(operation: operation, reason: reason)
    }
}
