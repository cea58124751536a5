import Glibc
import Records
import Synchronization

/// Which file it is, whatever names it has.
struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// The one writer of a journal: an exclusive `flock` on the database itself, so that a link, another mount of it or a
/// relative path is the same journal. It is given back when the value or its process ends.
///
/// SQLite's own locks on the file would not do alone: they belong to the process, and die when any descriptor of the file
/// is closed in it. For the same reason a descriptor that this process closes while it writes the journal is only closed
/// after SQLite's: see ``close(_:)``.
struct JournalLock: ~Copyable, Sendable {
    private let descriptor: Int32
    private let identity: FileIdentity

    /// Descriptors of journals that this process writes, to be closed when it no longer does.
    private static let waiting = Mutex<[FileIdentity: [Int32]]>([:])

    /// - Throws: `StorageFault` when another process has the file open for writing, when it has a second name, or when others
    ///   may write it or own it.
    init(path: String) throws(StorageFault) {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open") }
        var status = stat()
        do throws(StorageFault) {
            guard unsafe fstat(descriptor, &status) == 0 else { throw .system("open") }
            try JournalFile.requireOwn(status)
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                guard errno == EWOULDBLOCK else { throw .system("lock") }
                throw StorageFault(operation: "open", reason: StorageFault.inUse)
            }
        } catch {
            Self.close(descriptor)
            throw error
        }
        let identity = FileIdentity(status)
        self.descriptor = descriptor
        self.identity = identity
        Self.waiting.withLock { $0[identity] = [] }
    }

    /// The journal's connections must be closed by then. The lock is given back by name, because a program that is being
    /// started holds this process's descriptors until it has begun.
    deinit {
        _ = flock(descriptor, LOCK_UN)
        let rest = Self.waiting.withLock { [identity] in $0.removeValue(forKey: identity) } ?? []
        for descriptor in rest + [descriptor] { _ = Glibc.close(descriptor) }
    }

    /// Closes a descriptor of a journal, at once or when this process no longer writes it.
    static func close(_ descriptor: Int32) {
        var status = stat()
        let isWaiting =
            unsafe fstat(descriptor, &status) == 0
            && waiting.withLock { waiting in
                let identity = FileIdentity(status)
                guard waiting[identity] != nil else { return false }
                waiting[identity]?.append(descriptor)
                return true
            }
        if !isWaiting { _ = Glibc.close(descriptor) }
    }
}

/// What SQLite leaves to its caller: the file's mode, its directory entry on disk, and why a file cannot be opened.
enum JournalFile {
    /// SQLite gives the `-wal` file the same.
    static let mode: mode_t = 0o600
    /// SQLite's smallest page.
    private static let pageBytesMin = 512

    /// The file's own name, beside which its log, mark and beat lie, whatever it is called by; the same for no file.
    ///
    /// The corresponding C function is `realpath`.
    static func resolved(_ path: String) -> String {
        guard let found = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(found) }
        // SAFETY: a string of realpath's ends with a zero, and is copied.
        return unsafe String(cString: found)
    }

    /// Makes the file, and the directory that names it, durable; an existing file is left as it is.
    ///
    /// - Throws: `StorageFault` also where root would make it in another user's folder: that user's service could not open it.
    static func create(_ path: String) throws(StorageFault) {
        var (file, directory) = (stat(), stat())
        if geteuid() == 0, unsafe stat(path, &file) != 0, unsafe stat(Self.directory(of: path), &directory) == 0,
            directory.st_uid != 0
        {
            throw StorageFault(
                operation: "create",
                reason: "there is none yet, and its folder belongs to \(words(of: directory.st_uid))"
            )
        }
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
        guard unsafe access(path, writing ? R_OK | W_OK : R_OK) == 0 else { throw refusal(path) }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .system("open") }
        guard status.st_size == 0 || status.st_size >= pageBytesMin else {
            throw StorageFault(operation: "open", reason: StorageFault.notADatabase)
        }
    }

    /// Whoever opens a pipe waits for its other end.
    static func requireRegularFiles(beside path: String) throws(StorageFault) {
        for suffix in besideSuffixes {
            var status = stat()
            guard unsafe stat(path + suffix, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { continue }
            throw StorageFault(operation: "open", reason: "\(path + suffix) is not a regular file: remove it")
        }
    }

    /// SQLite's files, and the service's beat.
    private static let besideSuffixes = ["-wal", "-journal", "-shm", "-beat"]

    /// A file with two names has two `-wal` files beside them, of which SQLite knows one. Files that another user's
    /// process makes beside the journal are closed to the service.
    static func requireOwn(_ status: stat) throws(StorageFault) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageFault(operation: "open", reason: "the journal is not a regular file")
        }
        guard status.st_uid == geteuid() else {
            throw StorageFault(operation: "open", reason: "the journal belongs to \(words(of: status.st_uid))")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw StorageFault(operation: "open", reason: "others may write the journal: chmod 600")
        }
        guard status.st_nlink == 1 else {
            throw StorageFault(
                operation: "open",
                reason: "the journal's file has \(status.st_nlink) names: remove the other hard links"
            )
        }
    }

    /// Whether another process holds SQLite's lock on the file. The corresponding C function is `fcntl`, which locks
    /// nothing here.
    static func isInUse(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { JournalLock.close(descriptor) }
        var lock = flock(
            l_type: Int16(F_WRLCK),
            l_whence: Int16(SEEK_SET),
            l_start: sharedFirst,
            l_len: sharedLength,
            l_pid: 0
        )
        return unsafe fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// SHARED_FIRST and SHARED_SIZE of SQLite's file format (os.h).
    private static let sharedFirst: off_t = 0x4000_0002
    private static let sharedLength: off_t = 510

    private static func refusal(_ path: String) -> StorageFault {
        let fault = StorageFault.system("open")
        var status = stat()
        guard errno == EACCES, unsafe stat(path, &status) == 0, status.st_uid != geteuid() else { return fault }
        return StorageFault(
            operation: "open",
            reason: "\(fault.reason): the journal belongs to \(words(of: status.st_uid))"
        )
    }

    private static func words(of user: uid_t) -> String {
        guard let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name else {
            return "user \(user): run this as that user"
        }
        let text = unsafe String(cString: name)
        return "user \(text): run this as that user, for example with sudo -u \(text)"
    }

    private static func directory(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? "."
    }

    static func synchronizeDirectory(of path: String) throws(StorageFault) {
        let descriptor = unsafe open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the directory") }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("write the directory") }
    }
}

extension StorageFault {
    static let inUse = "the journal is in use by another process"
    static let newerVersion = "a newer version of this program wrote the journal"

    /// The journal is one that this program cannot know.
    package var isOfNewerVersion: Bool { reason.hasPrefix(Self.newerVersion) }
    static let notADatabase = "the file is not a database"

    /// The calling thread's last failed call.
    static func system(_ operation: String) -> StorageFault {
        let number = errno
        // SAFETY: the C library's text is copied before another call can change it.
        let reason = unsafe String(cString: strerror(number))
        errno = number
        return StorageFault(operation: operation, reason: reason)
    }
}

/// The bytes of a file from `offset` on, at most `count`; fewer at its end. The corresponding C function is `pread`.
func bytes(of descriptor: Int32, from offset: Int = 0, count: Int) throws(StorageFault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var length = 0
    while length < count {
        // SAFETY: `pread` writes no more than the rest of the array, which the closure keeps in place.
        let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[length...])
            return unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + length))
        }
        if taken < 0, errno == EINTR { continue }
        guard taken >= 0 else { throw .system("read") }
        guard taken > 0 else { break }
        length += taken
    }
    bytes.removeLast(count - length)
    return bytes
}
